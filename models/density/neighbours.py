"""The nearest neighbours among the training features: AccI-VAD's density of poses and of deep features.

Exact: every training vector is looked at. Products of matrices in float32, about the training features' mean, find
the nearest; their distances are then computed anew from differences in float64, so that a vector that was trained on
has distance 0 and not what products leave of it. Training features stay where they lie, on disk or in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.models.density.detector import Array, Detector, Features, Rows, Scores, State, rows_of

BLOCK = 1024


@dataclass(eq=False)
class Neighbours(Detector):
    """Mean of the squared Euclidean distances to the k nearest training features; AccI-VAD has k = 1.

    Raises PagenError: k below 1.

    Example:
        >>> detector = Neighbours().fit(np.array([[0.0, 0.0], [4.0, 0.0]]))
        >>> detector.anomaly_score(np.array([[0.0, 3.0], [4.0, 0.0]]))
        array([9., 0.])
    """

    k: int = 1
    rows: Rows = field(init=False, repr=False)
    centre: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise PagenError(f"expected k of 1 and more, found {self.k}; AccI-VAD has 1")

    def fit(self, features: Features) -> Self:
        """Remember the features, which must not be changed afterwards. Errors as `Detector.fit`."""
        self.rows = rows_of(features, least=self.k, what=f"{self.k} neighbours")
        total = sum(piece.sum(0, dtype=np.float64) for piece in self.rows.pieces(checked=True))
        self.centre = torch.as_tensor(total / len(self.rows)).float()
        self.width = self.rows.width
        return self

    def nearest(self, queries: Array) -> tuple[Scores, npt.NDArray[np.int64]]:
        """Squared distances (n, k) of queries (n, D), ascending, and the indices (n, k) of the training features."""
        centred = self._centred(queries)
        nearest = torch.full((len(queries), self.k), torch.inf)
        indices = torch.zeros((len(queries), self.k), dtype=torch.int64)
        start = 0
        for piece in self.rows.pieces():
            others = self._centred(piece)
            halves = others.square().sum(1) / 2
            for begin in range(0, len(queries), BLOCK):
                part = slice(begin, begin + BLOCK)
                distances = torch.addmm(halves, centred[part], others.T, alpha=-1)  # halved, less the query's norm
                closest, rows = _smallest(distances, min(self.k, len(piece)))
                nearest[part], order = _smallest(torch.cat([nearest[part], closest], 1), self.k)
                indices[part] = torch.cat([indices[part], rows + start], 1).gather(1, order)
            start += len(piece)
        exact, found = queries.astype(np.float64), indices.numpy()
        squared = np.stack([np.square(exact - self.rows.take(column)).sum(1) for column in found.T], 1)
        ascending = squared.argsort(1, kind="stable")
        return np.take_along_axis(squared, ascending, 1), np.take_along_axis(found, ascending, 1)

    def training_score(self, videos: Sequence[Array | Tensor]) -> Scores:
        """Anomaly scores of features, one array (n, D) a video, each against all other videos, whatever was fitted.

        AccI-VAD's calibration: leave one video out. Raises PagenError: fewer than two videos, or too few features for k
        in the others.
        """
        if not isinstance(videos, Sequence) or len(videos) < 2:
            raise PagenError(
                "expected features of two videos at least to leave one out, found one; give a list of them"
            )
        others = ([*videos[:index], *videos[index + 1 :]] for index in range(len(videos)))
        left = (type(self)(self.k).fit(rest) for rest in others)
        pairs = zip(left, videos, strict=True)
        return np.concatenate([detector.anomaly_score(video) for detector, video in pairs if len(video)])

    def _scores(self, piece: Array) -> Scores:
        return cast(Scores, -self.nearest(piece)[0].mean(1))

    def _centred(self, rows: Array) -> Tensor:
        return torch.from_numpy(rows.astype(np.float32)) - self.centre

    def _state(self) -> State:
        return {"rows": torch.from_numpy(np.concatenate(self.rows.parts)), "centre": self.centre}

    def _restore(self, state: State) -> None:
        self.rows, self.centre = rows_of(state["rows"], self.width), state["centre"]


def _smallest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` smallest (n, count) of rows (n, m), and their columns; one alone is found by a plain pass."""
    smallest, columns = values.min(1, keepdim=True) if count == 1 else values.topk(count, largest=False)
    return smallest, columns
