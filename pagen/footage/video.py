"""Videos to frames, one in memory at a time.

A frame index means a time: a video of irregular times is laid on a constant grid of its average rate.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.footage.listing import refuse_stub

if TYPE_CHECKING:
    from pagen.arrays import Frames

_RATE_TOLERANCE = 0.05
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
    for frame, repeat in zip(decoded_frames(path), _repeats(path), strict=True):
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
    return sum(_repeats(path))


def video_rate(path: Path) -> float:
    """Frames per second as the head of the file tells it; nothing is decoded. Raises as `video_frames`.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     video_rate(Path(folder, "a.avi"))
        10.0
    """
    with _video(path) as stream:
        return float(stream.average_rate or stream.guessed_rate or 25)


def one_rate(rates: Collection[float]) -> bool:
    """Whether frames a second count as one rate; no rates at all do.

    Example:
        >>> one_rate([30.0, 29.97]), one_rate([30.0, 25.0]), one_rate([])
        (True, False, True)
    """
    return not rates or max(rates) <= min(rates) * (1 + _RATE_TOLERANCE)


def schedule(times: Sequence[float]) -> list[int]:
    """How often each frame of these times (seconds, in presentation order) is shown, so that an index means a time.

    Every frame once where they come at regular times (within half a step, which is what containers round to). Else as
    many frames as there are lie on a constant grid from the first to the last time, and each place shows the latest
    frame that is not later.

    Example:
        >>> schedule([0.0, 0.04, 0.08, 0.12])
        [1, 1, 1, 1]
        >>> schedule([0.0, 0.1, 0.2, 0.9, 1.0])
        [1, 0, 3, 0, 1]
    """
    steps = [after - before for before, after in pairwise(times)]
    usual = median(steps or [0.0])
    if not steps or min(steps) <= 0 or max(abs(step - usual) for step in steps) <= 0.5 * usual:
        return [1] * len(times)
    grid = (times[-1] - times[0]) / len(steps)
    shown = [bisect_right(times, times[0] + (index + 1e-3) * grid) - 1 for index in range(len(times))]
    return [bisect_right(shown, index) - bisect_right(shown, index - 1) for index in range(len(times))]


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


def _repeats(path: Path) -> list[int]:
    """How often each decoded frame of a video is shown."""
    refuse_stub(path)
    return _schedule(path, (path.stat().st_size, path.stat().st_mtime_ns))


@functools.lru_cache(maxsize=256)
def _schedule(path: Path, state: object) -> list[int]:
    """A first pass over the video, without converting pictures: only decoding tells the times for sure."""
    times = [frame.time for frame in decoded_frames(path)]
    if not times:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")
    if None in times:  # a bare stream, without a container's clock
        return [1] * len(times)
    _refuse_cut(path, times)
    return schedule(times)


def _refuse_cut(path: Path, times: Sequence[float]) -> None:
    """Matroska and AVI tell the length at their head, and decode in silence what is left of them."""
    with _video(path) as stream:
        container, rate = stream.container, float(stream.average_rate or 25)
        promised = stream.frames / rate if container.format.name == "avi" else 0.0
        if "matroska" in container.format.name and len(container.streams) == 1:
            promised = (container.duration or 0) / 1e6
    last_step = max((after - before for before, after in pairwise(times)), default=1 / rate)
    if times[-1] - times[0] + 2 * last_step < promised:
        raise PagenError(
            f"expected {promised:.2f} s of video in {path}, found frames up to {times[-1]:.2f} s; copy it again"
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
