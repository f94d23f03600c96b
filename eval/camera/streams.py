"""Frames of cameras and streams with their stamps, until these break off."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

import av
import cv2
import numpy as np

from pagen.errors import PagenError
from pagen.eval.camera.address import shown
from pagen.eval.camera.shots import Frame
from pagen.footage.clock import Stamp
from pagen.footage.damage import give_all
from pagen.footage.interlaced import deinterlaced
from pagen.footage.video import rgb_or_grey

Stamped = Iterator[tuple[Stamp, Frame | None]]
"""Frames with the seconds that their source says, or None where it has no clock; no frame where a packet is damaged."""
TIMEOUT = 10.0
"""Seconds that a stream may take to answer."""


def camera_frames(number: int, deinterlace: bool = False) -> Stamped:
    """The frames of a camera of this machine. Raises PagenError where it gives none, or no more.

    It does not say which of them are interlaced, so that all are de-interlaced where that is asked for.
    """
    with closing(_captured(number)) as frames:
        if not deinterlace:
            yield from ((None, frame) for frame in frames)
            return
        decoded = (av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames)
        yield from ((None, rgb_or_grey(frame)) for frame in deinterlaced(decoded, marked=False))


def _captured(number: int) -> Generator[Frame, None, None]:
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


def stream_frames(url: str, timeout: float, deinterlace: bool = False) -> Stamped:
    """The frames of a stream. Raises PagenError where it does not answer within `timeout` seconds, or breaks off."""
    options = {"rtsp_transport": "tcp"} if url.lower().startswith("rtsp") else {}
    asked = time.monotonic()
    try:
        with av.open(url, options=options, timeout=timeout, metadata_errors="replace") as container:
            if not container.streams.video:
                raise PagenError(f"expected a video stream at {shown(url)}, found none in it; is the path right?")
            for frame in decodable(container, deinterlace):
                yield frame
                asked = time.monotonic()
    except (av.error.FFmpegError, OSError) as error:
        silent = time.monotonic() - asked >= timeout  # FFmpeg has no one error for that
        reason = f"no answer within {timeout:g} s" if silent else error.strerror  # str(error) holds the URL
        message = f"expected a video stream at {shown(url)}, found none ({reason}); is it on, and the URL right?"
        raise PagenError(message) from None


def decodable(container: Any, deinterlace: bool = False) -> Stamped:
    """The frames of an opened stream, and what is damaged; what FFmpeg counts in place of stamps is none."""
    counted, damaged = bool(container.format.flags & av.format.Flags.no_timestamps.value), Counter[str]()
    frames = _decoded(container, damaged)
    for frame in deinterlaced(frames) if deinterlace else frames:
        yield from [(None, None)] * damaged.pop("packets", 0)
        yield None if counted else frame.time, rgb_or_grey(frame)
    yield from [(None, None)] * damaged.pop("packets", 0)


def _decoded(container: Any, damaged: Counter[str]) -> Iterator[Any]:
    """The frames that decode; what does not is counted."""
    for packet in container.demux(container.streams.video[0]):
        try:
            frames = packet.decode()
            if frames:
                give_all(packet.stream)
            yield from frames
        except av.error.InvalidDataError:
            damaged["packets"] += 1
