"""Detectors that learn what features of normal footage look like, all with scikit-learn's handful of verbs.

Features come as arrays (N, D), as a list of them (one a video, memmaps as well), or as any other iterable, which is
first written to a temporary file (TMPDIR says where). They are read in pieces and by rows, so that memory does not
grow with N. On disk a detector is a folder with `config.json` and `model.safetensors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.folders import write_json
from pagen.hub import CONFIG, WEIGHTS
from pagen.models.pretrained import _text, restored, save_tensors

Array = npt.NDArray[Any]
Scores = npt.NDArray[np.float64]
Features = Array | Tensor | Iterable[Array | Tensor]
State = dict[str, Tensor]
PIECE = 4096


@dataclass(eq=False)
class Detector(ABC):
    """Base of all detectors; a subclass is a dataclass whose fields are its settings.

    Attributes:
        width: D of the features that it was fitted on, 0 before.

    Example:
        >>> import numpy as np
        >>> features = np.random.default_rng(0).normal(size=(40, 2))
        >>> from pagen.models.density.neighbours import Neighbours
        >>> detector = Neighbours(k=2).fit(features)
        >>> detector.anomaly_score(np.array([[0.0, 0.0], [9.0, 9.0]])) > 1
        array([False,  True])
    """

    width: int = field(default=0, init=False, repr=False)

    @abstractmethod
    def fit(self, features: Features) -> Self:
        """Learn from features (N, D) of normal footage.

        Raises PagenError: features that are no numbers, not finite, of differing D, too few, or constant where they are
        standardised.
        """

    def score_samples(self, features: Features) -> Scores:
        """Normality of each vector: features (N, D) -> (N,) float64, higher = more normal.

        Raises PagenError: not fitted; features of another D, no numbers, or not finite.
        """
        rows = rows_of(features, self.fitted())
        return np.concatenate([self._checked(piece) for piece in rows.pieces(checked=True)])

    def anomaly_score(self, features: Features) -> Scores:
        """Abnormality of each vector: `score_samples` with its sign changed. Errors as there."""
        return -self.score_samples(features)

    def training_score(self, videos: Sequence[Array | Tensor]) -> Scores:
        """Anomaly scores of training features, one array a video, for thresholds: in sample, save for `Neighbours`."""
        return self.anomaly_score(videos)

    def to(self, device: str) -> Self:
        """Compute on a device of torch's from now on; a detector without one stays on the CPU."""
        if hasattr(self, "device"):
            self.device = device
        return self

    def fitted(self) -> int:
        """D of the features. Raises PagenError before `fit`."""
        if not self.width:
            raise PagenError(f"expected a fitted {type(self).__name__}, found one that is not; call fit, or load one")
        return self.width

    def config(self) -> dict[str, Any]:
        """The settings as plain data, without the device."""
        names = [setting.name for setting in fields(self) if setting.init and setting.name != "device"]
        return {name: getattr(self, name) for name in names}

    def save(self, path: Path | str) -> None:
        """Write a folder, each file whole or not at all. Raises PagenError before `fit`."""
        config = {"class": type(self).__name__, "features": self.fitted(), **self.config()}
        save_tensors(Path(path) / WEIGHTS, self._state())
        write_json(Path(path) / CONFIG, config)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The detector of a folder, on the CPU. Raises PagenError: missing, damaged, or another detector."""
        return restored(cls, Path(path), cls._filled)

    @classmethod
    def _filled(cls, config: dict[str, Any], state: State) -> Self:
        width = int(config.pop("features"))
        detector = cls(**config)
        detector.width = width
        detector._restore(state)
        return detector

    def _checked(self, piece: Array) -> Scores:
        """The scores. Raises PagenError where a detector gives something else."""
        scores = self._scores(piece)
        if np.shape(scores) != (len(piece),):
            wanted = f"a score for each of {len(piece)} vectors of {type(self).__module__}.{type(self).__name__}"
            raise PagenError(f"expected {wanted}, found the shape {np.shape(scores)}; mend its _scores")
        return scores

    @abstractmethod
    def _scores(self, piece: Array) -> Scores:
        """Scores (n,) of finite rows (n, D), higher = more normal."""

    @abstractmethod
    def _state(self) -> State:
        """Everything that was learnt, as tensors by name."""

    @abstractmethod
    def _restore(self, state: State) -> None:
        """Take what `_state` gave; `width` is set before."""


@dataclass(frozen=True)
class Rows:
    """Vectors (N, D) that may lie in many arrays and on disk.

    Example:
        >>> rows = Rows((np.zeros((3, 2)), np.ones((2, 2))))
        >>> len(rows), rows.width, rows.take(np.array([4, 0])).tolist()
        (5, 2, [[1.0, 1.0], [0.0, 0.0]])
    """

    parts: tuple[Array, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def width(self) -> int:
        """D."""
        return int(self.parts[0].shape[1])

    def take(self, indices: npt.NDArray[np.int64]) -> Array:
        """The rows (n, D) of those indices (n,), in their order."""
        ends = np.cumsum([len(part) for part in self.parts])
        owners = np.searchsorted(ends, indices, side="right")
        rows = np.empty((len(indices), self.width), np.result_type(*{part.dtype for part in self.parts}))
        for owner in np.unique(owners):
            chosen, part = owners == owner, self.parts[owner]
            rows[chosen] = part[indices[chosen] - ends[owner] + len(part)]
        return rows

    def pieces(self, size: int = PIECE, checked: bool = False) -> Iterator[Array]:
        """All rows in order, arrays (n, D) of n = `size` rows, the last one smaller. Raises PagenError for NaN."""
        for start in range(0, len(self), size):
            piece = self.take(np.arange(start, min(start + size, len(self))))
            yield _finite(piece, start) if checked else piece

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """`count` of the rows, in order; all where there are no more. Raises PagenError for NaN."""
        total = len(self)
        chosen = np.arange(total) if total <= count else np.sort(rng.choice(total, count, replace=False))
        return _finite(self.take(chosen))


def rows_of(features: Features, width: int | None = None, least: int = 1, what: str = "scores") -> Rows:
    """Features as rows, whatever they come as.

    Raises PagenError: no arrays of numbers (n, D), of differing D, or too few.

    Args:
        width: D that they must have.
        least: N that they must have at least, for `what`.

    Example:
        >>> len(rows_of([np.zeros((3, 2)), np.ones((2, 2))]))
        5
    """
    if isinstance(features, np.ndarray | Tensor):
        parts = [_array(features)]
    elif isinstance(features, Sequence):
        parts = [_array(part) for part in features]
    elif isinstance(features, Iterable):
        parts = _spooled(features)
    else:
        raise PagenError(f"expected features as arrays (n, D), found {type(features).__name__}; read them first")
    for part in parts:
        _check_width(part, width or parts[0].shape[1])
    rows = Rows(tuple(part for part in parts if len(part)))
    if len(rows) < least:
        raise PagenError(f"expected {least} features at least for {what}, found {len(rows)}; give more")
    return rows


def _array(piece: object) -> Array:
    if isinstance(piece, Tensor):
        piece = piece.detach().cpu()
        piece = (piece if piece.dtype == torch.float64 else piece.float()).numpy()
    if not isinstance(piece, np.ndarray) or piece.dtype.kind not in "fiu" or piece.ndim != 2 or not piece.shape[1]:
        shown = f"{piece.dtype} {piece.shape}" if isinstance(piece, np.ndarray) else type(piece).__name__
        raise PagenError(f"expected features as arrays (n, D) of numbers, found {shown}; nothing is unpickled")
    return piece


def _spooled(pieces: Iterable[object]) -> list[Array]:
    arrays = map(_array, pieces)
    first = next(arrays, np.empty((0, 1)))
    lengths = list[int]()
    with TemporaryFile() as file:
        for array in chain([first], arrays):
            _check_width(array, first.shape[1])
            file.write(np.ascontiguousarray(array, first.dtype).data)
            lengths.append(len(array))
        file.flush()
        if not sum(lengths):
            return []
        whole = np.memmap(file, first.dtype, "r", shape=(sum(lengths), first.shape[1]))
    return np.split(whole, np.cumsum(lengths)[:-1])


def _check_width(piece: Array, width: int) -> None:
    if piece.shape[1] != width:
        raise PagenError(f"expected features (n, {width}), found {piece.shape}; is the encoder the same?")


def _finite(piece: Array, start: int = 0) -> Array:
    wrong = np.flatnonzero(~np.isfinite(piece).all(1))
    if len(wrong):
        rows = f"{len(wrong)} rows, first in {start + wrong[0]}"
        raise PagenError(f"expected finite features, found NaN or infinity in {rows}; mend the encoder")
    return piece


def detector_card(detector: Detector, title: str, trained_on: str, settings: Mapping[str, object]) -> str:
    """The text of a detector's README.md; arguments as for `pagen.models.pretrained.card_of`.

    Example:
        >>> from pagen.models.density.neighbours import Neighbours
        >>> detector_card(Neighbours(k=2), "Walkers", "ped2", {"seed": 0}).splitlines()[5]
        '# Walkers'
    """
    return _text(type(detector), "load", title, trained_on, {**detector.config(), **dict(sorted(settings.items()))})
