"""One clock for whatever has frames: what the time stamps of decoded frames say, and what is made of it.

Frames come in the order in which they are shown; stamps are believed as far as that allows:

| stamps | what becomes of them |
|---|---|
| begin late | the first frame is at 0 |
| none | a frame is a usual step after the one before |
| go to and fro among neighbours (B frames in AVI) | sorted: each frame has the next one |
| come twice | two frames at one time |
| come no more for `PAUSE` seconds and `STEPS` steps | a break; time goes on as they say |
| go back (a restart, files that were joined) | a break, a usual step after the frame before |

No frame is lost by any of it. What a break parts is no motion: no window of frames holds both sides of one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from statistics import fmean, median, median_low
from typing import TypeVar

T = TypeVar("T")
Stamp = float | None
PAUSE, STEPS = 2.0, 10
NEIGHBOURS = 16
"""Among how many frames stamps may go to and fro: H.264 and HEVC keep no more back."""
SAME = 1e-6
"""Seconds apart that are one time: stamps since 1970 are rounded to less."""
USUAL_RATE, RATE_TOLERANCE = 25.0, 0.05
"""Frames a second where nothing tells it; and by how much frame rates may differ that count as one."""

FEW = 5
"""Of how many breaks it is told where they are."""


@dataclass(frozen=True)
class Tick:
    """When a frame is.

    Attributes:
        seconds: since the first frame; never falls.
        broken: why it does not go on from the frame before, in words; empty where it does.

    Example:
        >>> Tick(0.04).broken
        ''
    """

    seconds: float
    broken: str = ""


class Clock:
    """Ticks of frames whose stamps come one by one; `step` is the usual one between frames, in seconds.

    Example:
        >>> clock = Clock(step=0.5)
        >>> [clock(stamp).seconds for stamp in (7.0, 7.5, None, 8.5, 0.0, 0.5)]
        [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
        >>> clock(60.5).broken
        'nothing for 60.0 s'
    """

    def __init__(self, step: float) -> None:
        self.step = step
        self._seconds = -step
        self._first: float | None = None
        """The stamp of a frame at 0 seconds."""
        self._stuck = 0

    def __call__(self, stamp: Stamp) -> Tick:
        """The tick of the next frame."""
        following = self._seconds + self.step
        if stamp is None:
            return self._at(following)
        if self._first is None:
            return self._anew(stamp, following)
        ahead = stamp - self._first - self._seconds
        self._stuck = self._stuck + 1 if ahead < SAME else 0
        if ahead < -NEIGHBOURS * self.step:
            return self._anew(stamp, following, f"its clock goes back by {-ahead:.1f} s")
        if self._stuck > NEIGHBOURS:  # it stands still
            return self._anew(stamp, following)
        pause = f"nothing for {ahead:.1f} s" if ahead > max(PAUSE, STEPS * self.step) else ""
        return self._at(max(stamp - self._first, self._seconds), pause)

    def _anew(self, stamp: float, seconds: float, broken: str = "") -> Tick:
        """A frame at so many seconds, from which on stamps count."""
        self._first = stamp - seconds
        return self._at(seconds, broken)

    def _at(self, seconds: float, broken: str = "") -> Tick:
        self._seconds = seconds
        return Tick(seconds, broken)


def timed(items: Iterable[tuple[Stamp, T]], step: float) -> Iterator[tuple[Tick, T]]:
    """Things with stamps, in the order in which they are shown, with their ticks; `NEIGHBOURS` of them are held back.

    Example:
        >>> [(tick.seconds, name) for tick, name in timed([(0.0, "a"), (1.0, "b"), (0.5, "c")], step=0.5)]
        [(0.0, 'a'), (0.5, 'b'), (1.0, 'c')]
    """
    clock = Clock(step)
    return ((clock(stamp), thing) for stamp, thing in _sorted(items, step))


def ticks_of(stamps: Iterable[Stamp], step: float) -> list[Tick]:
    """The ticks of frames with these stamps, in the order in which they are shown.

    Example:
        >>> [tick.seconds for tick in ticks_of([8.0, 9.0, 8.5], step=0.5)]
        [0.0, 0.5, 1.0]
    """
    return [tick for tick, _ in timed(((stamp, None) for stamp in stamps), step)]


def _sorted(items: Iterable[tuple[Stamp, T]], step: float) -> Iterator[tuple[Stamp, T]]:
    """Things in their order with the stamps in theirs, as far as neighbours have exchanged them."""
    stamps, waiting, highest = list[float](), deque[T](), -math.inf
    for stamp, thing in items:
        if stamp is None or _goes_back(stamp, stamps, highest, step):
            yield from ((heappop(stamps), waiting.popleft()) for _ in range(len(stamps)))
            highest = -math.inf
        if stamp is None:
            yield None, thing
            continue
        heappush(stamps, stamp)
        waiting.append(thing)
        highest = max(highest, stamp)
        if len(stamps) > NEIGHBOURS:
            yield heappop(stamps), waiting.popleft()
    yield from ((heappop(stamps), waiting.popleft()) for _ in range(len(stamps)))


def _goes_back(stamp: float, waiting: Sequence[float], highest: float, step: float) -> bool:
    """Whether a stamp begins anew: it neither is among its neighbours, nor follows one that waits.

    After damage some decoders give what comes later first.
    """
    reach = NEIGHBOURS * step
    late = stamp not in waiting and any(0 < stamp - before <= reach for before in waiting)
    return stamp < highest - reach and not late


def parts_of(stamps: Iterable[Stamp], step: float) -> list[list[float]]:
    """The stamps that are known in the order in which they are shown, parted where they begin anew.

    Example:
        >>> parts_of([0.0, 1.0, 0.5, None, 90.0, 0.0, 0.5], step=0.5)
        [[0.0, 0.5, 1.0, 90.0], [0.0, 0.5]]
    """
    parts = list[list[float]]()
    for stamp, _ in _sorted(((stamp, None) for stamp in stamps if stamp is not None), step):
        if stamp is None:
            continue
        if not parts or stamp < parts[-1][-1] - NEIGHBOURS * step:
            parts.append([])
        parts[-1].append(stamp)
    return parts


def rate_of(stamps: Sequence[Stamp], header: float | None = None) -> float:
    """Frames a second: what the `header` says, but where the usual step between stamps is another.

    Example:
        >>> rate_of([0.0, 0.2, 0.4, 0.6], header=25.0), rate_of([None, None], header=30.0)
        (5.0, 30.0)
    """
    step = usual_step(stamps)
    if step is None:
        return header or USUAL_RATE
    return header if header and abs(header * step - 1) <= RATE_TOLERANCE else 1 / step


def usual_step(stamps: Collection[Stamp]) -> float | None:
    """Seconds from frame to frame: the mean of the steps within half of their median; None where too few are stamped.

    Example:
        >>> usual_step([3.0, 3.5, 4.0, 9.0, 9.5]), usual_step([None, None, 1.0])
        (0.5, None)
    """
    known = [stamp for stamp in stamps if stamp is not None]
    rough = [abs(after - before) for before, after in pairwise(known) if abs(after - before) > SAME]
    if not rough or 2 * len(known) <= len(stamps):
        return None
    ordered = (stamp for stamp, _ in _sorted(((stamp, None) for stamp in known), median(rough)) if stamp is not None)
    steps = [after - before for before, after in pairwise(ordered) if after - before > SAME]
    if not steps:
        return None
    usual = median_low(steps)
    return fmean(step for step in steps if abs(step - usual) <= 0.5 * usual)


def schedule(ticks: Sequence[Tick]) -> list[int]:
    """How often each frame is shown so that an index means a time, between breaks; as many are shown as there are.

    Example:
        >>> schedule([Tick(0.0), Tick(0.1), Tick(0.2), Tick(0.9), Tick(1.0), Tick(60.0, "nothing for 59 s")])
        [1, 0, 3, 0, 1, 1]
    """
    starts = [0, *breaks_of(ticks), len(ticks)]
    pieces = [[tick.seconds for tick in ticks[start:end]] for start, end in pairwise(starts)]
    return [times for piece in pieces for times in _laid(piece)]


def breaks_of(ticks: Sequence[Tick]) -> dict[int, str]:
    """Index of a frame that does not go on from the one before -> why; the first one always does.

    Example:
        >>> breaks_of([Tick(0.0), Tick(0.1), Tick(60.0, "nothing for 59.9 s")])
        {2: 'nothing for 59.9 s'}
    """
    return {index: tick.broken for index, tick in enumerate(ticks) if index and tick.broken}


def told_breaks(breaks: Mapping[int, str]) -> list[str]:
    """What there is to tell of breaks, in one line; none where there are none.

    Example:
        >>> told_breaks({50: "nothing for 600.0 s", 99: "its clock goes back by 4.0 s"})
        ['nothing for 600.0 s before frame 50; its clock goes back by 4.0 s before frame 99']
    """
    told = [f"{why} before frame {index}" for index, why in breaks.items()]
    more = [f"and {len(told) - FEW} more breaks"] if told[FEW:] else []
    return ["; ".join([*told[:FEW], *more])] if told else []


def longest_step(ticks: Sequence[Tick]) -> float:
    """Seconds of the longest step between frames that go on from each other; 0 where there is none.

    Example:
        >>> longest_step([Tick(0.0), Tick(0.5), Tick(0.75), Tick(60.0, "nothing for 59.25 s")])
        0.5
    """
    return max((after.seconds - before.seconds for before, after in pairwise(ticks) if not after.broken), default=0.0)


def _laid(times: Sequence[float]) -> list[int]:
    """How often each frame of these times is shown.

    Every frame once where they come at regular times: within half a step, which is what containers round to, or none
    more than a step off its place (the last one of a copied AVI is early). Else as many frames as there are lie on a
    constant grid from the first to the last time, and each place shows the latest frame that is not later.
    """
    steps = [after - before for before, after in pairwise(times)]
    if not steps:
        return [1] * len(times)
    usual, grid = median(steps), (times[-1] - times[0]) / len(steps)
    even = max(abs(step - usual) for step in steps) <= 0.5 * usual
    if even or all(abs(time - times[0] - index * grid) <= grid for index, time in enumerate(times)):
        return [1] * len(times)
    shown = [bisect_right(times, times[0] + (index + 1e-3) * grid) - 1 for index in range(len(times))]
    return [bisect_right(shown, index) - bisect_right(shown, index - 1) for index in range(len(times))]
