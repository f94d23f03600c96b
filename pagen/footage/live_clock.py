"""The clock of sources whose frames arrive: `pagen.footage.clock` of their stamps, held against `time.monotonic`."""

from __future__ import annotations

import math
from collections import deque

from pagen.footage.clock import PAUSE, Clock, Stamp, Tick, usual_step

SPREAD, RECENT = 500, 50
"""Of how many frames a live source's step is an average: where arrival tells it, and where stamps do."""
SILENCE, DRIFT = 5.0, 60.0
"""Seconds without a frame that are no burst's; and that a live source's clock may be off."""


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
