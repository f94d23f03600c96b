"""What runs look at, one row each: how such a run scores recorded clips, and frames that come one by one.

A row is named as recipes name it (`source`); whoever scores goes through the table. It imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.footage.outline import outline
from pagen.footage.prepare import Prepared, prepare
from pagen.registry import Registry
from pagen.scoring.frame_score import Frame, FrameScore

if TYPE_CHECKING:
    from pagen.models.runs import Run  # flags and kept scores are read without torch

Size = tuple[int, int]


@dataclass(frozen=True)
class Task:
    """Which clips are scored, `test` ones or normal ones of `train`, and how: by which window policy and error measure.

    The measure is of a whole frame's error: mse, pse, bpe, or the network's own.

    Example:
        >>> Task("street").policy
        'last'
    """

    dataset: str
    split: str = "test"
    policy: str = "last"
    measure: str | None = None
    compute: Compute = field(default_factory=Compute)

    def prepared(self, recipe: Mapping[str, Any]) -> Prepared:
        """The clips at a recipe's size. Raises PagenError as `prepare`."""
        size, colour, where = tuple(recipe["size"]), recipe["colour"], self.compute
        return prepare(self.dataset, where.root, size, colour, workers=where.workers, partial=where.partial)

    def outline(self) -> Prepared:
        """The clips without their frames. Raises PagenError as `outline`."""
        return outline(self.dataset, self.compute.root, self.compute.workers, self.compute.partial)


class ClipScorer(Protocol):
    """A run of one network or detector over the clips of a task; picklable.

    An attribute `ahead` says how many frames after the scored one it looks at, windows aside; where it is None, or
    missing, nobody knows.

    Example:
        >>> class Darkness:
        ...     prepared, mapped, instant = None, None, True
        ...
        ...     def scores(self, clip):
        ...         return {"darkness": np.zeros(3)}
        ...
        ...     def maps(self, clip, size):
        ...         return iter(())
        >>> scorer: ClipScorer = Darkness()
    """

    @property
    def prepared(self) -> Prepared:
        """The clips, at the run's size."""

    @property
    def mapped(self) -> str | None:
        """The indicator whose maps there are; None where scores are of whole frames."""

    @property
    def instant(self) -> bool:
        """Maps are made at once, at the size that is asked for; others are worth keeping, and have their own."""

    def scores(self, clip: str) -> Mapping[str, npt.NDArray[np.float64]]:
        """Indicator -> (T,), higher = more abnormal."""

    def maps(self, clip: str, size: Size) -> Iterator[npt.NDArray[Any]]:
        """Maps (h, w) of where the frames of a clip err; `size` is that of the footage."""


def one_by_one(scorers: Sequence[Any], clip: str) -> list[Mapping[str, npt.NDArray[np.float64]]]:
    """The scores of a clip by scorers that share nothing.

    Example:
        >>> one_by_one([], "any")
        []
    """
    return [scorer.scores(clip) for scorer in scorers]


FrameScorer = Callable[[Frame], dict[str, FrameScore]]
"""The newest frame of a stream, uint8 (H, W) or (H, W, 3) RGB -> indicator -> score; none until there are enough."""


@dataclass(frozen=True)
class Source:
    """How runs of one kind score: `clips` makes, of a run and a task, what scores its clips.

    `stream` makes, of a run and where it is computed, what makes a scorer that holds no frame yet. Scores of a source
    with `windows` are kept under the name of the window policy. `at_once` scores a clip by scorers of a run whose tasks
    differ in policy and measure alone, to the last bit as each does by itself.

    Example:
        >>> SOURCES["density"].windows
        False
    """

    clips: Callable[[Run, Task], ClipScorer]
    stream: Callable[[Run, Compute], Callable[[], FrameScorer]]
    windows: bool = True
    at_once: Callable[[Sequence[Any], str], Sequence[Mapping[str, npt.NDArray[np.float64]]]] = one_by_one


SOURCES: Registry[Source] = Registry(
    "source of scores",
    "pagen.sources",
    {
        "frames": "pagen.scoring.over_clips:SOURCE",
        "flow": "pagen.scoring.over_clips:SOURCE",
        "features": "pagen.scoring.over_features:SOURCE",
        "density": "pagen.scoring.over_density:SOURCE",
    },
)
"""Source of a recipe -> how it scores."""


def from_files(recipe: Mapping[str, Any]) -> bool:
    """Whether what a run sees comes out of files of another program (`file:`), which say nothing of how it was made.

    Example:
        >>> from_files({"recipe": "temporal", "flow": "file:flow/"}), from_files({"flow": "dis"})
        (True, False)
    """
    return any(isinstance(value, str) and value.startswith("file:") for value in recipe.values())


def source_of(run: Run) -> Source:
    """The row of a run of one network or detector. Raises PagenError for a source that no table holds.

    Example:
        >>> from types import SimpleNamespace
        >>> source_of(SimpleNamespace(recipe={"source": "flow"})).windows
        True
    """
    return SOURCES[str(run.recipe["source"])]
