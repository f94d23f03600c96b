"""Videos to frames, one in memory at a time.

A frame index means a time between two breaks (`pagen.footage.clock`): irregular times are laid on a constant grid. What
does not decode costs its own frames, whose places are kept (`pagen.footage.damage`).
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
from pagen.footage.clock import (
    RATE_TOLERANCE,
    Tick,
    breaks_of,
    rate_of,
    schedule,
    ticks_of,
    timed,
)
from pagen.footage.damage import Pass, ranges
from pagen.footage.interlaced import deinterlaced
from pagen.footage.listing import refuse_stub
from pagen.footage.places import Place, held
from pagen.footage.rest import left_out, unread_end
from pagen.footage.upright import upright

if TYPE_CHECKING:
    from pagen.arrays import Frames

INTERLACED = "interlaced: combs stand where something moves; NAME:deinterlaced and calibrate --deinterlace mend that"
_HEAD = 500
"""Packets whose stamps tell the rate of a video."""


def video_frames(path: Path, deinterlace: bool = False) -> Iterator[Frames]:
    """The frames of a video, upright, as uint8 (H, W) where it is grey, else (H, W, 3) RGB.

    Interlaced ones are de-interlaced where that is asked for. Raises PagenError: a pointer, empty, no video in it, cut
    short, or not decodable.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     [frame.shape for frame in video_frames(Path(folder, "a.avi"))]
        [(48, 64, 3)]
    """
    shape, timeline = None, _timeline(path)
    frames = decoded_frames(path, careful=timeline.careful)
    for frame, repeat in zip(deinterlaced(frames) if deinterlace else frames, timeline.shown, strict=True):
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
    return sum(_timeline(path).shown)


def video_notes(path: Path) -> list[str]:
    """What is worth telling of a video: frames that are lost or left off, combs, and what is not read.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     video_notes(Path(folder, "a.avi"))
        []
    """
    timeline, notes = _timeline(path), list[str]()
    if lost := timeline.lost:
        frames = f"{len(lost)} of {sum(timeline.shown)} frames are lost to damage ({ranges(lost)})"
        notes.append(f"{frames}, and show the picture before; copy {path.name} again")
    if left := timeline.shown.count(0):
        frames = f"{left} of {len(timeline.shown)} frames are left off, and others shown more than once"
        notes.append(f"{frames}: they come at irregular times")
    if timeline.interlaced:
        notes.append(INTERLACED)
    return notes + not_read(path)


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


def timed_frames(path: Path, seen: Pass | None = None, deinterlace: bool = False) -> Iterator[tuple[Tick, Any]]:
    """The frames of `decoded_frames`, de-interlaced where that is asked for, and when they are.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = [writer.write(numpy.zeros((48, 64, 3), "uint8")) for _ in range(2)]
        ...     writer.release()
        ...     [tick.seconds for tick, frame in timed_frames(Path(folder, "a.avi"))]
        [0.0, 0.1]
    """
    frames = decoded_frames(path, seen)
    frames = deinterlaced(frames) if deinterlace else frames
    return timed(((frame.time, frame) for frame in frames), 1 / video_rate(path))


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


def decoded_frames(path: Path, seen: Pass | None = None, careful: bool = False) -> Iterator[Any]:
    """The frames of a video as PyAV gives them, in the order of their times. Raises as `video_frames`.

    Args:
        seen: notes what passes.
        careful: by one thread, which loses no frame before damage.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     [(frame.height, frame.width) for frame in decoded_frames(Path(folder, "a.avi"))]
        [(48, 64)]
    """
    with _video(path, careful) as stream:
        yield from (seen or Pass()).over(stream, careful)


@contextmanager
def _video(path: Path, careful: bool = False) -> Iterator[Any]:
    """The opened video stream of a file, decoded by one thread where that is asked for."""
    import av

    refuse_stub(path)
    try:
        with av.open(str(path), metadata_errors="replace") as container:  # many a camera's titles are in Latin-1
            if not container.streams.video:
                raise PagenError(f"expected a video in {path}, found no video stream; is it an audio file?")
            stream = container.streams.video[0]
            stream.thread_type = "NONE" if careful else "AUTO"
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

    Attributes:
        lost: numbers of the frames that do not decode.
        careful: whether it is to be decoded by one thread, since it is damaged.
        interlaced: whether any of its frames is.

    Example:
        >>> sum(Timeline(shown=(1, 0, 2), breaks={}).shown)
        3
    """

    shown: Sequence[int]
    breaks: Mapping[int, str]
    lost: Sequence[int] = ()
    careful: bool = False
    interlaced: bool = False


def _timeline(path: Path) -> Timeline:
    return _decoded_timeline(path, *_state(path))


@functools.lru_cache(maxsize=256)
def _decoded_timeline(path: Path, *state: int) -> Timeline:
    """A first pass over the video, without converting pictures: only decoding tells the times for sure."""
    seen = _passed(path)
    if careful := not seen.whole:
        seen = _passed(path, careful)
    if not seen.stamps:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")
    found, wrong = places_of(path, seen)
    if wrong:
        raise PagenError(wrong)
    ticks = ticks_of([place.stamp for place in found], 1 / video_rate(path))
    lost = [index for index, place in enumerate(found) if not place.there]
    shown = held(schedule(ticks), [place.there for place in found])
    return Timeline(shown, breaks_of(ticks), lost, careful, seen.interlaced)


def _passed(path: Path, careful: bool = False) -> Pass:
    seen = Pass()
    for _ in decoded_frames(path, seen, careful):
        pass
    return seen


def places_of(path: Path, seen: Pass) -> tuple[list[Place], str]:
    """The places of all frames of a video that has passed, and what is wrong where it is cut short, in words.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     places_of(Path(folder, "a.avi"), Pass("avi", [0.0]))
        ([Place(stamp=0.0, there=True)], '')
    """
    found = seen.places()
    with _video(path) as stream:
        rest, wrong = unread_end(stream, [place.stamp for place in found], video_rate(path))
    return found + rest, wrong


def not_read(path: Path) -> list[str]:
    """What of a video's file is not read, as it is told: other streams, and recordings that were joined to it.

    Example:
        >>> import cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     not_read(Path(folder, "a.avi"))
        []
    """
    with _video(path) as stream:
        return left_out(path, stream.container)


def rgb_or_grey(frame: Any) -> Frames:
    """A decoded frame as an array, turned and mirrored as the display matrix asks.

    Example:
        >>> import av, numpy
        >>> rgb_or_grey(av.VideoFrame.from_ndarray(numpy.zeros((16, 32), "uint8"), format="gray")).shape
        (16, 32)
    """
    return upright(frame.to_ndarray(format="gray" if frame.format.name.startswith("gray") else "rgb24"), frame)
