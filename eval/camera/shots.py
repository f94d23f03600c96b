"""What sources give: frames with their times, and gaps between those that do not go on from each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
SAME_RATE = 1.1
"""By how much a source may be faster than is asked for and is still looked at whole."""


@dataclass(frozen=True)
class Shot:
    """A frame of a source."""

    frame: Frame
    """uint8 (H, W) grey or (H, W, 3) RGB, at its own size."""
    index: int
    """Counts what the source gave, from 0, dropped frames too."""
    seconds: float
    """Since the first frame, by the source's own stamps where it has any (`pagen.footage.clock`)."""
    clock: str
    """Of a camera the time of day with its zone (ISO 8601), of a file the place in it (h:mm:ss.mmm)."""


@dataclass(frozen=True)
class Gap:
    """A break: the frames after it do not go on from those before."""

    seconds: float
    clock: str
    reason: str


class Source(Protocol):
    """What gives shots and gaps; its name may be shown."""

    @property
    def name(self) -> str: ...

    @property
    def fps(self) -> float:
        """Frames a second, as far as is known by now."""

    def __iter__(self) -> Iterator[Shot | Gap]: ...


class Thinned:
    """At most `fps` frames a second of a source, as evenly as they come; one of that rate or less is left as it is.

    `passed_over` counts the frames that are not given.
    """

    def __init__(self, source: Source, fps: float) -> None:
        self.source, self.passed_over = source, 0
        self._step = 1 / fps

    def __iter__(self) -> Iterator[Shot | Gap]:
        return self.until(math.inf)

    def until(self, limit: float) -> Iterator[Shot | Gap]:
        """What comes before so many seconds."""
        due = -math.inf
        for item in self.source:
            if item.seconds >= limit:
                self.passed_over += isinstance(item, Shot)
                return
            if isinstance(item, Gap):
                due = -math.inf
            elif self.source.fps * self._step > SAME_RATE:
                if item.seconds < due - self._step / 2:
                    self.passed_over += 1
                    continue
                due = due + self._step if item.seconds < due + self._step else item.seconds + self._step
            yield item


def timecode(seconds: float) -> str:
    """A time in a recording as h:mm:ss.mmm."""
    whole = round(1000 * seconds)
    return f"{whole // 3_600_000}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
