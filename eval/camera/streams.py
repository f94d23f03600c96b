"""Frames of cameras and streams with their stamps, until these break off. What is shown of a URL holds no password."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import av
import cv2
import numpy as np

from pagen.errors import PagenError
from pagen.eval.camera.shots import Frame
from pagen.footage.clock import Stamp
from pagen.footage.interlaced import deinterlaced
from pagen.footage.video import rgb_or_grey

Stamped = Iterator[tuple[Stamp, Frame]]
"""Frames with the seconds that their source says, or None where it has no clock."""
TIMEOUT = 10.0
"""Seconds that a stream may take to answer."""


def masked(url: str) -> str:
    """A URL without user, password, query, or parts of its path that hold a `=`."""
    scheme, _, rest = url.partition("://")
    rest, query, _ = rest.partition("?")
    _, at, rest = rest.rpartition("@")
    parts = ["***" if "=" in part else part for part in rest.split("/")]
    return f"{scheme}://{'***@' if at else ''}{'/'.join(parts)}{'?***' if query else ''}"


def camera_frames(number: int) -> Stamped:
    """The frames of a camera of this machine. Raises PagenError where it gives none, or no more."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(number)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                raise PagenError(f"expected frames from camera {number}, found none; is it plugged in, and free?")
            yield None, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        capture.release()


def stream_frames(url: str, timeout: float, deinterlace: bool = False) -> Stamped:
    """The frames of a stream. Raises PagenError where it does not answer within `timeout` seconds, or breaks off."""
    options = {"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {}
    asked = time.monotonic()
    try:
        with av.open(url, options=options, timeout=timeout, metadata_errors="replace") as container:
            if not container.streams.video:
                raise PagenError(f"expected a video stream at {masked(url)}, found none in it; is the path right?")
            for frame in decodable(container, deinterlace):
                yield frame
                asked = time.monotonic()
    except (av.error.FFmpegError, OSError) as error:
        silent = time.monotonic() - asked >= timeout  # FFmpeg has no one error for that
        reason = f"no answer within {timeout:g} s" if silent else error.strerror  # str(error) holds the URL
        message = f"expected a video stream at {masked(url)}, found none ({reason}); is it on, and the URL right?"
        raise PagenError(message) from None


def decodable(container: Any, deinterlace: bool = False) -> Stamped:
    """The frames of an opened stream, less what is damaged; what FFmpeg counts in place of stamps is none."""
    counted = bool(container.format.flags & av.format.Flags.no_timestamps.value)
    frames = _decoded(container)
    for frame in deinterlaced(frames) if deinterlace else frames:
        yield None if counted else frame.time, rgb_or_grey(frame)


def _decoded(container: Any) -> Iterator[Any]:
    for packet in container.demux(container.streams.video[0]):
        with suppress(av.error.InvalidDataError):
            yield from packet.decode()
