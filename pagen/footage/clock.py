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
SPREAD, RECENT = 500, 50
"""Of how many frames a live source's step is an average: where arrival tells it, and where stamps do."""
SILENCE, DRIFT = 5.0, 60.0
"""Seconds without a frame that are no burst's; and that a live source's clock may be off."""
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
        if stamp is None or stamp < highest - NEIGHBOURS * step:
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


class LiveClock:
    """Ticks of frames that arrive, in seconds of a clock that never goes back (`time.monotonic`).

    The source's own stamps say how far apart two frames are, however they arrive. Frames without any are as far apart
    as they come on an average, drawn towards their arrival, so that a burst is spread over the time that it stands for.
    Where that breaks, or goes off by `DRIFT` seconds, arrival counts; time that is ahead by then stays ahead.

    Example:
        >>> clock = LiveClock(step=0.5)
        >>> [clock(stamp, arrived).seconds for stamp, arrived in ((9.0, 0.0), (9.5, 0.0), (10.0, 2.0))]
        [0.0, 0.5, 1.0]
        >>> clock(3610.0, arrived=3.0)
        Tick(seconds=3.0, broken='nothing for 3600.0 s')
    """

    def __init__(self, step: float, begins: float = 0.0) -> None:
        self._clock, self._shift = Clock(step), begins
        self.seconds = begins - step
        """When the newest frame was."""
        self._stamps = deque[float](maxlen=RECENT)
        self._pace, self._arrived, self._late = Pace(step), math.nan, 0.0

    @property
    def step(self) -> float:
        """Seconds from frame to frame, as far as is known by now."""
        return self._clock.step

    def __call__(self, stamp: Stamp, arrived: float) -> Tick:
        """The tick of the next frame, which arrived so many seconds after the first one of the source."""
        silence = arrived - self._arrived if stamp is None else 0.0
        self._arrived = arrived
        self._clock.step = self._pace(arrived) if stamp is None else self._stamped(stamp)
        tick = self._clock(stamp)
        if stamp is None:
            self._shift += max((arrived - tick.seconds - self._shift) / RECENT, -self.step)
        seconds, broken = max(tick.seconds + self._shift, self.seconds), tick.broken
        broken = broken or _off(arrived - seconds - self._late, silence)
        if broken:
            seconds = max(arrived, self.seconds + self.step)
            self._shift, self._late = seconds - tick.seconds, arrived - seconds  # time that is ahead cannot go back
        self.seconds = seconds
        return Tick(seconds, broken)

    def _stamped(self, stamp: float) -> float:
        self._stamps.append(stamp)
        usual = usual_step(self._stamps) if len(self._stamps) > 2 else None  # a first step may be a jump
        return usual or self.step


class Pace:
    """The average step between frames that arrive, evenly or in bursts, which are counted from beginning to beginning.

    The first burst is not counted: it holds whatever a server had kept.

    Example:
        >>> pace = Pace(step=0.1)
        >>> [pace(arrived) for arrived in (0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0)][-1]
        0.5
    """

    def __init__(self, step: float) -> None:
        self._step, self._count, self._arrived = step, 0, -math.inf
        self._longest = self._most = 0.0
        """The longest silence, which is forgotten in time, and of all."""
        self._begun = deque[tuple[float, int]]()
        """When bursts began, and how many frames had come before."""

    def __call__(self, arrived: float) -> float:
        """The step by now, of the last `SPREAD` frames."""
        silence = arrived - self._arrived if self._count else 0.0
        if silence > 2 * self._most and self._begun and self._arrived - self._begun[0][0] <= PAUSE:
            self._begun.clear()  # all before it was one burst, the first
        self._most = max(silence, self._most)
        self._longest = max(silence, 0.99 * self._longest)
        if 2 * silence >= self._longest:  # else it may be within a burst
            self._begun.append((arrived, self._count))
            while len(self._begun) > 2 and self._count - self._begun[1][1] > SPREAD:
                self._begun.popleft()
            first, before = self._begun[0]
            if arrived - first > PAUSE:
                self._step = (arrived - first) / (self._count - before)
        self._count, self._arrived = self._count + 1, arrived
        return self._step


def _off(late: float, silence: float) -> str:
    """What is wrong with a live frame's time, in words, if it is so late and nothing came for so long before it."""
    if silence > SILENCE:
        return f"nothing for {silence:.1f} s"
    return f"its clock is off by {abs(late):.1f} s" if abs(late) > DRIFT else ""
