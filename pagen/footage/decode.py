"""Files to frames: image sequences and videos, one frame in memory at a time.

Pillow decodes images: the pixels are OpenCV's, but that hands out grey rubbish for a file that was cut short, where
Pillow raises. A frame index means a time: a video of irregular times is laid on a constant grid of its average rate.
"""

from __future__ import annotations

import functools
import os
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.footage.jpeg import jpeg_shape

if TYPE_CHECKING:
    from pagen.arrays import Frames, Masks

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg")

_RUNS = re.compile(r"(\d+)")
_GREY = ("1", "L", "LA")
"""Pillow's modes of grey images."""
_END = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}


def natural(path: Path) -> list[str | int]:
    """Sorting key by which 2.jpg comes before 10.jpg.

    Example:
        >>> [path.name for path in sorted([Path("10.jpg"), Path("2.jpg")], key=natural)]
        ['2.jpg', '10.jpg']
    """
    return _natural(path.name)


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part.lower() for part in _RUNS.split(name)]


def listing(folder: Path, extensions: Sequence[str]) -> tuple[Path, ...]:
    """The files of these extensions in numerical order; hidden files and backups (`._x`, `x~`) are passed over.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("10.png", "2.png", "._2.png", "notes.txt"):
        ...         Path(folder, name).touch()
        ...     [path.name for path in listing(Path(folder), IMAGES)]
        ['2.png', '10.png']
    """
    names = [name for name in os.listdir(folder) if name.lower().endswith(tuple(extensions)) and name[0] != "."]
    stems = [name.rpartition(".")[0] for name in names]
    padded = len({len(stem) for stem in stems}) < 2 and all(map(str.isdecimal, stems))  # which is much faster to sort
    return tuple(folder / name for name in (sorted(names) if padded else sorted(names, key=_natural)))


def refuse_stub(path: Path) -> None:
    """Raise PagenError when the file is empty, or stands for another that git-LFS has not fetched.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     try:
        ...         refuse_stub(Path(file.name))
        ...     except PagenError as error:
        ...         print(str(error).partition(", ")[2])
        found an empty file; copy it again
    """
    size = path.stat().st_size
    if size == 0:
        raise PagenError(f"expected frames in {path}, found an empty file; copy it again")
    if size < 1024 and path.read_bytes().startswith(b"version https://git-lfs"):
        raise PagenError(f"expected frames in {path}, found a git-LFS pointer; run 'git lfs pull' where it came from")


def image_size(path: Path) -> tuple[int, int]:
    """(H, W) of an image file, read from its head.

    Raises PagenError: a git-LFS pointer, empty, cut short (where that shows without decoding), or no image.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((48, 64), "uint8"))
        ...     image_size(Path(folder, "a.png"))
        (48, 64)
    """
    return image_shape(path)[:2]


def image_shape(path: Path, whole: bool = False) -> tuple[int, int, int]:
    """(H, W, 1 or 3) of an image file, read from its head, or decoded where `whole` is asked for.

    Raises PagenError: as `image_size`; decoded, as `read_image`.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((48, 64), "uint8"))
        ...     image_shape(Path(folder, "a.png"), whole=True)
        (48, 64, 1)
    """
    if shape := jpeg_shape(path, whole):
        return shape
    if whole:
        frame = read_image(path)
        return frame.shape[0], frame.shape[1], 1 if frame.ndim == 2 else 3
    with _image(path) as image:
        return image.height, image.width, 1 if image.mode in _GREY else 3


def read_image(path: Path) -> Frames:
    """An image file as uint8: (H, W) where it is grey, else (H, W, 3) RGB.

    Raises PagenError: as `image_size`, cut short anywhere, or deeper than 8 bits a channel.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.full((1, 2), 7, "uint8"))
        ...     read_image(Path(folder, "a.png")).tolist()
        [[7, 7]]
    """
    import numpy as np

    with _image(path) as image:
        if image.mode.startswith(("I", "F")):
            raise PagenError(f"expected 8 bits a channel in {path}, found mode {image.mode}; convert the images first")
        grey = image.mode in _GREY
        return np.array(image.convert("L" if grey else "RGB"))


def image_frames(files: Sequence[Path]) -> Iterator[Frames]:
    """The frames of an image sequence. Raises PagenError when their sizes or colours are mixed.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((4, 6, 3), "uint8"))
        ...     [frame.shape for frame in image_frames([Path(folder, "a.png")] * 2)]
        [(4, 6, 3), (4, 6, 3)]
    """
    shape = None
    for path in files:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise PagenError(f"expected frames of shape {shape} as in {files[0]}, found {frame.shape} in {path}")
        yield frame


def mask_frames(files: Sequence[Path]) -> Iterator[Masks]:
    """The masks (H, W) of an image sequence: True where a pixel is not black.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.array([[0, 255]], "uint8"))
        ...     next(mask_frames([Path(folder, "a.png")])).tolist()
        [[False, True]]
    """
    for frame in image_frames(files):
        yield (frame if frame.ndim == 2 else frame.max(axis=2)) > 0


def of_size(masks: Iterable[Masks], size: tuple[int, ...], path: Path) -> Iterator[Masks]:
    """The masks as they come. Raises PagenError at one whose size is not (H, W), that of the frames.

    Example:
        >>> import numpy
        >>> [mask.shape for mask in of_size([numpy.zeros((2, 3), bool)], (2, 3), Path("masks"))]
        [(2, 3)]
    """
    for mask in masks:
        if mask.shape != size:
            frames, found = (f"{height}x{width}" for height, width in (size, mask.shape))
            raise PagenError(f"expected masks of the frames' size {frames} in {path}, found {found}; of another clip?")
        yield mask


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


@contextmanager
def _image(path: Path) -> Iterator[Any]:
    from PIL import Image

    refuse_stub(path)
    try:
        with warnings.catch_warnings(action="error"), Image.open(path) as image:  # of a cut TIFF Pillow only warns
            if not _ends(path, image):
                raise OSError("its end is missing")
            yield image
    except (OSError, SyntaxError, ValueError, Warning) as error:
        raise PagenError(
            f"expected an image in {path}, found it cut short or damaged ({error}); copy it again"
        ) from error


def _ends(path: Path, image: Any) -> bool:
    """Whether the file reaches as far as its format says."""
    size = path.stat().st_size
    if image.format == "TIFF":
        tags = image.tag_v2
        return all(start + count <= size for start, count in zip(tags.get(273, ()), tags.get(279, ()), strict=False))
    with open(path, "rb") as file:
        file.seek(max(0, size - 1024))
        return _END.get(image.format, b"") in file.read()


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
