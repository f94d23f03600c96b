"""A camera or a stream: a thread reads it, and opens it again after 1, 2, 4 ... 30 seconds when it breaks off.

Frames wait in a queue that is bounded. Of a stream with a clock of its own, which may come in bursts as HLS does, the
thread waits for room, and takes the rest when it is due; only where whoever looks is `LATE` seconds behind, or the
source has no clock, the oldest frame is dropped. Every frame is looked at or counted as dropped.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import ClassVar

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.shots import Frame, Gap, Shot
from pagen.eval.camera.streams import Stamped
from pagen.footage.clock import USUAL_RATE
from pagen.footage.live_clock import LiveClock

FIRST_PAUSE, LONGEST_PAUSE, LATE, GLANCE = 1.0, 30.0, 2.0, 0.05
"""Seconds: before it is opened again, at first and at most; that frames may be late; between two looks for room."""
ROOM = 256 << 20, 64
"""How many bytes, and frames, may wait."""


class Live:
    """A camera or a stream, read by a thread while it is iterated; PagenError where no first frame comes.

    `opened` gives its frames with their stamps, and raises PagenError when it does not answer or breaks off; `name` may
    be shown. `received` counts its frames, `dropped` those that nobody will look at, `lost` packets that do not decode;
    `fps` is how many come a second.
    """

    live: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        opened: Callable[[], Stamped],
        fps: float | None = None,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.name, self.received, self.dropped, self.lost = name, 0, 0, 0
        self._opened, self._now = opened, now
        self._begun: float | None = None
        self._clock = LiveClock(1 / (fps or USUAL_RATE))
        self._left, self._come = threading.Event(), threading.Condition()
        self._wait = wait or self._left.wait
        self._queue: deque[Shot | Gap | Exception] = deque()
        self._edge = 0.0
        """How long after its time a frame came for which somebody waited."""

    @property
    def fps(self) -> float:
        return 1 / self._clock.step

    def __iter__(self) -> Iterator[Shot | Gap]:
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while True:
                yield self._next()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Nobody looks any more."""
        with self._come:
            self._left.set()
            self.dropped += len(self._shots())
            self._queue.clear()

    def _next(self) -> Shot | Gap:
        with self._come:
            self._come.wait_for(lambda: len(self._queue) > 0)
            item = self._queue.popleft()
            self._come.notify_all()
        if isinstance(item, Exception):
            raise item
        return item

    def _read(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._left.is_set():
                before, reason = self.received, self._until_lost()
                if self.received == 0:
                    raise PagenError(reason)
                pause = FIRST_PAUSE if self.received > before else min(2 * pause, LONGEST_PAUSE)
                if not self._left.is_set():
                    console.say(f"{self.name} is lost ({reason}); again in {pause:.0f} s")
                    self._put(Gap(self._goes_on(), time_of_day(), reason))
                self._wait(pause)
        except Exception as error:
            self._put(error)

    def _until_lost(self) -> str:
        """Read until it breaks off; returns why."""
        connected = False
        try:
            with closing(self._opened()) as frames:  # type: ignore[type-var]  # generators have a close
                for stamp, frame in frames:
                    if self._left.is_set():
                        return "left"
                    if not connected:
                        self._begin()
                        connected = True
                    self._arrive(stamp, frame)
        except PagenError as error:
            return str(error)
        return f"expected more frames from {self.name}, found its end; is it still there?"

    def _begin(self) -> None:
        """Frames come whose stamps do not go on from those before."""
        self._clock = LiveClock(self._clock.step, self._goes_on())

    def _arrive(self, stamp: float | None, frame: Frame | None) -> None:
        if frame is None:
            self._lose()
            return
        tick, clock = self._clock(stamp, self._seconds()), time_of_day()
        if tick.broken:
            self._put(Gap(tick.seconds, clock, tick.broken))
        self._put(Shot(frame, self.received, tick.seconds, clock), patient=stamp is not None)

    def _lose(self) -> None:
        """A packet does not decode, which is said of the first one."""
        if self.lost == 0:
            console.say(f"{self.name}: packets do not decode, which are counted; is the network overloaded?")
        self.lost += 1

    def _seconds(self) -> float:
        """Since the first frame."""
        now = self._now()
        self._begun = now if self._begun is None else self._begun
        return now - self._begun

    def _goes_on(self) -> float:
        """When a frame is that comes now and does not follow from the one before."""
        return max(self._seconds(), self._clock.seconds + self._clock.step)

    def _put(self, item: Shot | Gap | Exception, patient: bool = False) -> None:
        """Let something wait to be looked at; a gap takes the place of a gap."""
        with self._come:
            if isinstance(item, Shot):
                self._make_room(item, patient)
            if self._left.is_set():
                return
            if isinstance(item, Gap) and self._queue and isinstance(self._queue[-1], Gap):
                self._queue.pop()
            self.received += isinstance(item, Shot)
            self._queue.append(item)
            self._come.notify_all()

    def _make_room(self, shot: Shot, patient: bool) -> None:
        """Wait for room, or drop the oldest frames. Called with the lock held."""
        if not self._shots():
            self._edge = self._seconds() - shot.seconds
        most = min(max(ROOM[0] // shot.frame.nbytes, 2), ROOM[1])
        while len(shots := self._shots()) >= most and not self._left.is_set():
            if patient and self._seconds() - shot.seconds - self._edge < LATE:
                self._come.wait(GLANCE)
            else:
                self._drop(shots[0])

    def _shots(self) -> list[int]:
        """Where frames stand in the queue."""
        return [place for place, item in enumerate(self._queue) if isinstance(item, Shot)]

    def _drop(self, place: int) -> None:
        """Drop a frame, and of two gaps that then meet the first."""
        del self._queue[place]
        self.dropped += 1
        around = [place - 1, place] if 0 < place < len(self._queue) else []
        if around and all(isinstance(self._queue[beside], Gap) for beside in around):
            del self._queue[place - 1]


def time_of_day() -> str:
    """Now, with the zone (ISO 8601)."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")
