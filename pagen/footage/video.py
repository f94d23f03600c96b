"""Videos to frames, one in memory at a time.

A frame index means a time between two breaks (`pagen.footage.clock`): irregular times are laid on a constant grid.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.footage.clock import Tick, breaks_of, longest_step, rate_of, schedule, ticks_of, timed
from pagen.footage.listing import refuse_stub

if TYPE_CHECKING:
    from pagen.arrays import Frames

_HEAD = 500
"""Packets whose stamps tell the rate of a video."""


RATE_TOLERANCE = 0.05
"""By how much frame rates may differ that count as one."""


def video_frames(path: Path) -> Iterator[Frames]:
    """The frames of a video, upright, as uint8 (H, W) where it is grey, else (H, W, 3) RGB.

    Raises PagenError: a pointer, empty, no video in it, cut short, or not decodable.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     [frame.shape for frame in video_frames(Path(folder, "a.avi"))]
        [(48, 64, 3)]
    """
    shape = None
    for frame, repeat in zip(decoded_frames(path), _timeline(path).shown, strict=True):
        if repeat == 0:
            continue
        picture = rgb_or_grey(frame)
        shape = shape or picture.shape
        if picture.shape != shape:
            raise PagenError(
                f"expected frames of shape {shape} all through {path}, found {picture.shape}; encode it anew"
            )
        yield from [picture] * repeat


def video_length(path: Path) -> int:
    """How many frames `video_frames` gives.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     video_length(Path(folder, "a.avi"))
        1
    """
    return len(_timeline(path).shown)


def video_breaks(path: Path) -> Mapping[int, str]:
    """Index of a frame that does not go on from the one before (`video_frames`) -> why, in words.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     video_breaks(Path(folder, "a.avi"))
        {}
    """
    return _timeline(path).breaks


def timed_frames(path: Path) -> Iterator[tuple[Tick, Any]]:
    """The frames of `decoded_frames` and when they are.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = [writer.write(numpy.zeros((48, 64, 3), "uint8")) for _ in range(2)]
        ...     writer.release()
        ...     [tick.seconds for tick, frame in timed_frames(Path(folder, "a.avi"))]
        [0.0, 0.1]
    """
    return timed(((frame.time, frame) for frame in decoded_frames(path)), 1 / video_rate(path))


def video_rate(path: Path) -> float:
    """Frames per second: the head of the file's, but where stamps differ from it. Raises as `video_frames`.

    Nothing is decoded; the stamps are those of the first packets.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     video_rate(Path(folder, "a.avi"))
        10.0
    """
    return _rate(path, *_state(path))


def one_rate(rates: Collection[float]) -> bool:
    """Whether frames a second count as one rate; no rates at all do.

    Example:
        >>> one_rate([30.0, 29.97]), one_rate([30.0, 25.0]), one_rate([])
        (True, False, True)
    """
    return not rates or max(rates) <= min(rates) * (1 + RATE_TOLERANCE)


def decoded_frames(path: Path) -> Iterator[Any]:
    """The frames of a video as PyAV gives them, in the order of their times. Raises as `video_frames`.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     [(frame.height, frame.width) for frame in decoded_frames(Path(folder, "a.avi"))]
        [(48, 64)]
    """
    with _video(path) as stream:
        yield from stream.container.decode(stream)


@contextmanager
def _video(path: Path) -> Iterator[Any]:
    """The opened video stream of a file."""
    import av

    refuse_stub(path)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise PagenError(f"expected a video in {path}, found no video stream; is it an audio file?")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield stream
    except av.error.FFmpegError as error:
        raise PagenError(
            f"expected a video in {path}, found it cut short or damaged ({error.strerror}); copy it again"
        ) from error


def _state(path: Path) -> tuple[int, int]:
    """What changes with a file."""
    refuse_stub(path)
    return path.stat().st_size, path.stat().st_mtime_ns


@functools.lru_cache(maxsize=4096)
def _rate(path: Path, *state: int) -> float:
    with _video(path) as stream:
        header = stream.average_rate or stream.guessed_rate
        packets = [packet for packet in islice(stream.container.demux(stream), _HEAD) if packet.size]
        stamps = [packet.dts if packet.pts is None else packet.pts for packet in packets]
        seconds = [None if stamp is None else float(stamp * stream.time_base) for stamp in stamps]
    return rate_of(seconds, float(header) if header else None)


@dataclass(frozen=True)
class Timeline:
    """How often each decoded frame of a video is shown, and before which there is a break.

    Example:
        >>> sum(Timeline(shown=(1, 0, 2), breaks={}).shown)
        3
    """

    shown: Sequence[int]
    breaks: Mapping[int, str]


def _timeline(path: Path) -> Timeline:
    return _decoded_timeline(path, *_state(path))


@functools.lru_cache(maxsize=256)
def _decoded_timeline(path: Path, *state: int) -> Timeline:
    """A first pass over the video, without converting pictures: only decoding tells the times for sure."""
    stamps = [frame.time for frame in decoded_frames(path)]
    if not stamps:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")
    ticks = ticks_of(stamps, 1 / video_rate(path))
    if known := [stamp for stamp in stamps if stamp is not None]:
        _refuse_cut(path, max(known), longest_step(ticks))
    return Timeline(schedule(ticks), breaks_of(ticks))


def _refuse_cut(path: Path, last: float, step: float) -> None:
    """Matroska and AVI tell at their head when they end, and decode in silence what is left of them."""
    with _video(path) as stream:
        container, rate = stream.container, float(stream.average_rate or 25)
        promised = stream.frames / rate if container.format.name == "avi" else 0.0
        if "matroska" in container.format.name and len(container.streams) == 1:
            promised = (container.duration or 0) / 1e6
    if last + 2 * max(step, 1 / rate) < promised:
        raise PagenError(
            f"expected {promised:.2f} s of video in {path}, found frames up to {last:.2f} s; copy it again"
        )


def rgb_or_grey(frame: Any) -> Frames:
    """A decoded frame as an array, turned upright as the display matrix asks.

    Example:
        >>> import av, numpy
        >>> rgb_or_grey(av.VideoFrame.from_ndarray(numpy.zeros((16, 32), "uint8"), format="gray")).shape
        (16, 32)
    """
    import numpy as np

    array = frame.to_ndarray(format="gray" if frame.format.name.startswith("gray") else "rgb24")
    return np.ascontiguousarray(np.rot90(array, round(frame.rotation / 90)))
