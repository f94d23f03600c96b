"""What sources give: frames with their times, and gaps between those that do not go on from each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
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
    def live(self) -> bool: ...

    @property
    def fps(self) -> float:
        """Frames a second, as far as is known by now."""

    def __iter__(self) -> Iterator[Shot | Gap]: ...


def parted(items: Iterable[Shot | Gap]) -> Iterator[Shot | Gap]:
    """Shots and gaps as they come, with a gap where the size of the picture changes, or whether it is grey."""
    before: Shot | None = None
    for item in items:
        if isinstance(item, Gap):
            before = None
        elif before is None or item.frame.shape == before.frame.shape:
            before = item
        else:
            sizes = [f"{one.frame.shape[1]}x{one.frame.shape[0]}" for one in (before, item)]
            changed = "is grey or in colour" if sizes[0] == sizes[1] else f"goes from {sizes[0]} to {sizes[1]}"
            yield Gap(item.seconds, item.clock, f"the picture {changed}")
            before = item
        yield item


class Thinned:
    """At most `fps` frames a second of a source, as evenly as they come; one of that rate or less is left as it is.

    `given` counts its frames, `passed_over` those that are not given.
    """

    def __init__(self, source: Source, fps: float) -> None:
        self.source, self.given, self.passed_over = source, 0, 0
        self._step = 1 / fps

    def __iter__(self) -> Iterator[Shot | Gap]:
        return self.until(math.inf)

    def until(self, limit: float) -> Iterator[Shot | Gap]:
        """What comes before so many seconds."""
        due = -math.inf
        for item in parted(self.source):
            if item.seconds >= limit:
                self.passed_over += self.source.live and isinstance(item, Shot)  # of a recording it was never due
                return
            if isinstance(item, Gap):
                due = -math.inf
            elif self.source.fps * self._step > SAME_RATE:
                if item.seconds < due - self._step / 2:
                    self.passed_over += 1
                    continue
                due = due + self._step if item.seconds < due + self._step else item.seconds + self._step
            self.given += isinstance(item, Shot)
            yield item


def timecode(seconds: float) -> str:
    """A time in a recording as h:mm:ss.mmm."""
    whole = round(1000 * seconds)
    return f"{whole // 3_600_000}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"
