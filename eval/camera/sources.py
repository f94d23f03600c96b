"""Sources: a file, a folder of images or videos, a camera, a stream; frames one after another, with their times.

Files wait: every frame is given, however slow the receiver. Cameras do not: a thread reads them and keeps the newest
frame alone, and one that breaks off is opened again after 1, 2, 4 ... 30 seconds. A `Gap` stands where a frame does not
go on from the one before. What is shown of a URL holds no user, password or query.

Deviation from prepared clips: frames that come at irregular times keep those, as a grid would need the whole file.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import av
import cv2
import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.errors import PagenError
from pagen.footage.images import image_frames
from pagen.footage.listing import IMAGES, VIDEOS, listing
from pagen.footage.video import decoded_frames, rgb_or_grey, video_rate

Frame = npt.NDArray[np.uint8]
Timed = Iterator[tuple[float, Frame]]
SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt", "rtp")
TIMEOUT, BACKLOG = 10.0, 5.0
"""Seconds that a stream may take to answer, and that may come at once when it does."""
CALM, FIRST_PAUSE, LONGEST_PAUSE = 3, 1.0, 30.0


@dataclass(frozen=True)
class Shot:
    """A frame of a source."""

    frame: Frame
    """uint8 (H, W) grey or (H, W, 3) RGB, at its own size."""
    index: int
    """Counts what the source gave, from 0, dropped frames too."""
    seconds: float
    """Since the first frame; of a camera the time of arrival."""
    clock: str
    """Of a camera the time of day with its zone (ISO 8601), of a file the place in it (h:mm:ss.mmm)."""


@dataclass(frozen=True)
class Gap:
    """A break: the frames after it do not go on from those before."""

    seconds: float
    clock: str
    reason: str


@dataclass(frozen=True)
class Recording:
    """Files, one after another: `pieces` are their names and what gives seconds and frames. Iterating begins anew."""

    name: str
    fps: float
    pieces: tuple[tuple[str, Callable[[], Timed]], ...]
    live: ClassVar[bool] = False
    dropped: ClassVar[int] = 0

    def __iter__(self) -> Iterator[Shot | Gap]:
        index, start = 0, 0.0
        for name, opened in self.pieces:
            if index:
                yield Gap(start, timecode(start), f"{name} begins")
            seconds = start
            for since, frame in opened():
                seconds = start + since
                yield Shot(frame, index, seconds, timecode(seconds))
                index += 1
            start = seconds + 1 / self.fps


class Live:
    """A camera or a stream, read by a thread while it is iterated; PagenError where no first frame comes.

    `opened` gives its frames, and raises PagenError when it does not answer or breaks off; `name` may be shown.
    `dropped` counts the frames that came while others were being looked at.
    """

    live: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        opened: Callable[[], Iterator[Frame]],
        now: Callable[[], float] = time.time,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.name, self.dropped = name, 0
        self._opened, self._now = opened, now
        self._count, self._start = 0, 0.0
        self._left, self._come = threading.Event(), threading.Condition()
        self._wait = wait or self._left.wait
        self._queue: deque[Shot | Gap | Exception] = deque()

    def __iter__(self) -> Iterator[Shot | Gap]:
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while True:
                yield self._next()
        finally:
            self._left.set()

    def _next(self) -> Shot | Gap:
        with self._come:
            self._come.wait_for(lambda: len(self._queue) > 0)
            item = self._queue.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    def _read(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._left.is_set():
                before, reason = self._count, self._until_lost()
                if self._count == 0:
                    raise PagenError(reason)
                pause = FIRST_PAUSE if self._count > before else min(2 * pause, LONGEST_PAUSE)
                if not self._left.is_set():
                    console.say(f"{self.name} is lost ({reason}); again in {pause:.0f} s")
                    self._put(Gap(*self._moment(), reason))
                self._wait(pause)
        except Exception as error:
            self._put(error)

    def _until_lost(self) -> str:
        """Read until it breaks off; returns why."""
        try:
            with closing(self._opened()) as frames:  # type: ignore[type-var]  # generators have a close
                for frame in frames:
                    if self._left.is_set():
                        return "left"
                    self._arrive(frame)
        except PagenError as error:
            return str(error)
        return f"expected more frames from {self.name}, found its end; is it still there?"

    def _arrive(self, frame: Frame) -> None:
        self._start = self._start or self._now()
        self._put(Shot(frame, self._count, *self._moment()))
        self._count += 1

    def _moment(self) -> tuple[float, str]:
        now = self._now()
        return max(now - self._start, 0.0), datetime.fromtimestamp(now).astimezone().isoformat(timespec="milliseconds")

    def _put(self, item: Shot | Gap | Exception) -> None:
        """A frame takes the place of one that waits, and so does a gap of a gap: what waits cannot grow."""
        with self._come:
            if self._queue and type(self._queue[-1]) is type(item):
                self._queue.pop()
                self.dropped += isinstance(item, Shot)
            self._queue.append(item)
            self._come.notify()


Footage = Recording | Live


def open_footage(spec: str, fps: float | None = None, timeout: float = TIMEOUT) -> Footage:
    """Footage: a video file, a folder of images or of videos, a camera's number, or a URL of `SCHEMES`.

    Images need `fps`, as they have no clock. Raises PagenError for nothing of that name, no video, or no rate.
    """
    scheme, separator, _ = spec.partition("://")
    if separator:
        if scheme.lower() not in SCHEMES:
            raise PagenError(f"expected a URL of {' '.join(SCHEMES)}, found {scheme}; give a file by its path")
        return Live(masked(spec), partial(_stream, spec, timeout))
    path = Path(spec)
    if spec.isdecimal() and not path.exists():
        return Live(f"camera {spec}", partial(_camera, int(spec)))
    if not path.exists():
        raise PagenError(f"expected a video, a folder, a camera's number or a URL, found nothing at {path}; mend it")
    if path.is_dir():
        return _folder(path, fps)
    return Recording(path.name, video_rate(path), ((path.name, partial(_video, path)),))


def masked(url: str) -> str:
    """A URL without user, password, query, or parts of its path that hold a `=`."""
    scheme, _, rest = url.partition("://")
    rest, query, _ = rest.partition("?")
    _, at, rest = rest.rpartition("@")
    parts = ["***" if "=" in part else part for part in rest.split("/")]
    return f"{scheme}://{'***@' if at else ''}{'/'.join(parts)}{'?***' if query else ''}"


def thinned(items: Iterable[Shot | Gap], fps: float) -> Iterator[Shot | Gap]:
    """At most `fps` frames a second, as evenly as they come; a source of that rate or less is left as it is."""
    step, due = 1 / fps, -math.inf
    for item in items:
        if isinstance(item, Gap):
            due = -math.inf
        elif item.seconds < due - step / 2:
            continue
        else:
            due = due + step if item.seconds < due + step else item.seconds + step
        yield item


def timecode(seconds: float) -> str:
    """A time in a recording as h:mm:ss.mmm."""
    whole = round(1000 * seconds)
    return f"{whole // 3_600_000}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}.{whole % 1000:03}"


def _folder(path: Path, fps: float | None) -> Recording:
    images, videos = listing(path, IMAGES), listing(path, VIDEOS)
    if bool(images) == bool(videos):
        found = "both" if images else "neither"
        raise PagenError(f"expected images or videos in {path}, found {found}; give a folder of one kind")
    if images:
        if fps is None:
            raise PagenError(f"expected --fps for the images in {path}, which have no clock, found none; give it")
        return Recording(path.name, fps, ((path.name, partial(_images, images, fps)),))
    rates = [video_rate(file) for file in videos]
    if max(rates) > 1.1 * min(rates):
        found = f"{min(rates):g} to {max(rates):g}"
        raise PagenError(f"expected videos of one frame rate in {path}, found {found}; separate them")
    return Recording(path.name, rates[0], tuple((file.name, partial(_video, file)) for file in videos))


def _images(files: tuple[Path, ...], fps: float) -> Timed:
    return ((index / fps, frame) for index, frame in enumerate(image_frames(files)))


def _video(path: Path) -> Timed:
    rate, first, seconds = video_rate(path), None, 0.0
    for number, decoded in enumerate(decoded_frames(path)):
        stamp = number / rate if decoded.time is None else decoded.time
        first = stamp if first is None else first
        seconds = max(seconds, stamp - first)
        yield seconds, rgb_or_grey(decoded)
    if first is None:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")


def _camera(number: int) -> Iterator[Frame]:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(number)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                raise PagenError(f"expected frames from camera {number}, found none; is it plugged in, and free?")
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        capture.release()


def _stream(url: str, timeout: float) -> Iterator[Frame]:
    options = {"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {}
    asked = time.monotonic()
    try:
        with av.open(url, options=options, timeout=timeout) as container:
            if not container.streams.video:
                raise PagenError(f"expected a video stream at {masked(url)}, found none in it; is the path right?")
            for frame in _decodable(container):
                yield frame
                asked = time.monotonic()
    except (av.error.FFmpegError, OSError) as error:
        silent = time.monotonic() - asked >= timeout  # FFmpeg has no one error for that
        reason = f"no answer within {timeout:g} s" if silent else error.strerror  # str(error) holds the URL
        message = f"expected a video stream at {masked(url)}, found none ({reason}); is it on, and the URL right?"
        raise PagenError(message) from None


def _decodable(container: Any) -> Iterator[Frame]:
    """The frames of a stream, less what is damaged, and the backlog of the start: at once, all looks fast."""
    first, before, calm = None, (math.nan, math.nan), 0
    for packet in container.demux(container.streams.video[0]):
        with suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                now = frame.time or 0.0, time.monotonic()
                first = now[0] if first is None else first
                in_time = now[1] - before[1] >= (now[0] - before[0]) / 2 or now[0] - first > BACKLOG
                calm, before = calm + 1 if in_time or calm >= CALM else 0, now
                if calm >= CALM:
                    yield rgb_or_grey(frame)
