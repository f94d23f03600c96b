"""What a file of labels says of one clip, and how that is made to fit the clip's frames.

Readers hand out what is written, counted as it is counted there. Converting, clamping and refusing is done here alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pagen.errors import PagenError, require_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Labels = npt.NDArray[np.uint8]
    """(T,), 1 = abnormal."""

Interval = tuple[int, int]
"""A first and a last frame of something abnormal, as a file counts them."""


class Counting(NamedTuple):
    """How a file counts the frames of an interval.

    Example:
        >>> COUNTINGS["one-inclusive"]
        Counting(first=1, last_included=True)
    """

    first: int
    """The number of a clip's first frame."""
    last_included: bool
    """Whether the frame that an interval ends with belongs to it."""


COUNTINGS = {
    "half-open": Counting(0, False),
    "zero-inclusive": Counting(0, True),
    "one-inclusive": Counting(1, True),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """Labels that fit a clip, and by how much the file did not.

    Attributes:
        labels: (T,) uint8, 1 = abnormal.
        surplus: number of frames that the file speaks of and the clip does not have, which were left out; negative:
            number of frames at the clip's end that an array had no label for, and which got its last one.

    Example:
        >>> Spans(((2, 4),), "one-inclusive").fit(3, slack=1).surplus
        1
    """

    labels: Labels
    surplus: int


class Said(Protocol):
    """What a file says of one clip: `Spans` or `Vector`.

    Example:
        >>> said: Said = Spans(((1, 3),))
        >>> said.fit(5).labels.tolist()
        [0, 1, 1, 0, 0]
    """

    def fit(
        self, length: int, where: str = "the labels", *, slack: int = 0, counting: str = "", normal: int = 0
    ) -> Fitted:
        """Labels of a clip of `length` frames.

        Args:
            where: the file and the clip, in the words of an error message.
            slack: by how many frames intervals may reach beyond the clip, or an array be longer or shorter.
            counting: a name in `COUNTINGS`; by default as the file's form has it. Arrays have none.
            normal: the value that marks normal frames in an array, 0 or 1. Intervals have none.

        Raises:
            PagenError: what is said does not fit by more than the slack, or is no label.
        """


@dataclass(frozen=True)
class Spans:
    """Intervals of something abnormal; every other frame is normal.

    Attributes:
        pairs: first and last frame of each, as `counting` has it.
        counting: a name in `COUNTINGS`.

    Example:
        >>> Spans(((2, 3),), "one-inclusive").fit(4).labels.tolist()
        [0, 1, 1, 0]
        >>> Spans(((2, 3),), "one-inclusive").fit(4, counting="half-open").labels.tolist()
        [0, 0, 1, 0]
    """

    pairs: tuple[Interval, ...]
    counting: str = "half-open"

    def fit(
        self, length: int, where: str = "the labels", *, slack: int = 0, counting: str = "", normal: int = 0
    ) -> Fitted:
        """As `Said.fit`."""
        import numpy as np

        require_name("counting of frames", counting or self.counting, COUNTINGS)
        first, last_included = COUNTINGS[counting or self.counting]
        labels, before, beyond = np.zeros(length, np.uint8), 0, 0
        for begin, last in self.pairs:
            start, end = begin - first, last - first + last_included
            if last < begin:
                raise PagenError(
                    f"expected intervals that end after they begin, found {begin} to {last} in {where}; mend them"
                )
            if max(-start, end - length) > slack:
                raise PagenError(
                    f"expected abnormal frames within the clip's {length}, found {begin} to {last} in {where}; "
                    "are these the labels of this clip?"
                )
            labels[max(start, 0) : end] = 1
            before, beyond = max(before, -start), max(beyond, end - length)
        return Fitted(labels, before + beyond)


@dataclass(frozen=True, eq=False)
class Vector:
    """One label a frame.

    Attributes:
        values: (n,), 0 and 1 of any type of numbers.

    Example:
        >>> import numpy as np
        >>> Vector(np.array([0, 1, 1])).fit(4, slack=1).labels.tolist()
        [0, 1, 1, 1]
    """

    values: npt.NDArray[Any]

    def fit(
        self, length: int, where: str = "the labels", *, slack: int = 0, counting: str = "", normal: int = 0
    ) -> Fitted:
        """As `Said.fit`."""
        import numpy as np

        surplus = len(self.values) - length
        if abs(surplus) > slack or not len(self.values):
            raise PagenError(
                f"expected one label a frame, ({length},), in {where}, found {self.values.shape}; "
                "are these the labels of this clip?"
            )
        if not np.isin(self.values, (0, 1)).all():
            raise PagenError(
                f"expected labels 0 and 1 in {where}, found {np.unique(self.values)[-4:].tolist()}; mend them"
            )
        labels = (self.values[:length] != normal).astype(np.uint8)
        return Fitted(np.pad(labels, (0, max(0, -surplus)), mode="edge"), surplus)


def vector(array: npt.NDArray[Any], where: str) -> Vector:
    """An array (T,) or (1, T) as one label a frame. Raises PagenError for another shape, or for what is no number.

    Example:
        >>> import numpy as np
        >>> vector(np.array([[0, 1, 1]]), "the labels").values.tolist()
        [0, 1, 1]
    """
    flat = array.ndim == 1 or (array.ndim == 2 and array.shape[0] == 1)
    if not flat or array.dtype.kind not in "biuf":
        raise PagenError(
            f"expected one number a frame, (T,), in {where}, found {array.dtype} {array.shape}; write them so"
        )
    return Vector(array.reshape(-1))


def from_masks(masks: Iterable[npt.NDArray[np.bool_]]) -> Labels:
    """Labels that are 1 where a frame's mask (H, W) is not empty.

    Example:
        >>> import numpy as np
        >>> from_masks([np.zeros((2, 2), bool), np.eye(2, dtype=bool)]).tolist()
        [0, 1]
    """
    import numpy as np

    return np.array([mask.any() for mask in masks], np.uint8)
