"""Boxes of abnormal objects and their tracks, a file a clip: Street Scene's lines, and Georgescu et al.'s (AED).

A frame without a box is normal. Lines as Street Scene's come with its download for Ped1, Ped2 and Avenue too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pagen.footage.labels.raw import lines, wrong_line
from pagen.footage.labels.said import Spans
from pagen.texts import number, whole


class TrackBox(NamedTuple):
    """The box of one object in one frame.

    Attributes:
        track: number of the object in its clip.
        frame: counted from 0.
        box: x and y of the first and of the last pixel's column and row.

    Example:
        >>> TrackBox(0, 154, (4.0, 142.0, 119.0, 249.0)).frame
        154
    """

    track: int
    frame: int
    box: tuple[float, float, float, float]


def street_scene_boxes(path: Path) -> list[TrackBox]:
    """The boxes in lines `NNN.jpg track x y width height`: images count from 1, (x, y) is the centre.

    Ramachandra and Jones, WACV 2020. An empty file has none. Raises PagenError: a line of another form, or an image
    number 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a_gt.txt").write_text("Test001/004.jpg 0 4 4 4 4")
        ...     street_scene_boxes(Path(folder, "a_gt.txt"))
        [TrackBox(track=0, frame=3, box=(2.0, 2.0, 5.0, 5.0))]
    """
    return list(_street_scene(path))


def aed_boxes(path: Path) -> list[TrackBox]:
    """The boxes in lines `track,frame,x_min,y_min,x_max,y_max`: frames count from 0 (Georgescu et al., TPAMI 2021).

    An empty file has none. Raises PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "01_0014.txt").write_text("0,154,4,142,119,249")
        ...     aed_boxes(Path(folder, "01_0014.txt"))
        [TrackBox(track=0, frame=154, box=(4.0, 142.0, 119.0, 249.0))]
    """
    return list(_aed(path))


def read_street_scene(path: Path, key: str) -> Spans:
    """What the lines of one clip's own file say: a frame with a box is abnormal.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a_gt.txt").write_text("002.jpg 0 4 4 4 4\\n002.jpg 1 9 9 4 4")
        ...     read_street_scene(Path(folder, "a_gt.txt"), "a").fit(3).labels.tolist()
        [0, 1, 0]
    """
    return _frames(path, street_scene_boxes)


def read_aed(path: Path, key: str) -> Spans:
    """What the lines of one clip's own file say: a frame with a box is abnormal.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "01_0014.txt").write_text("0,1,4,142,119,249")
        ...     read_aed(Path(folder, "01_0014.txt"), "01_0014").fit(3).labels.tolist()
        [0, 1, 0]
    """
    return _frames(path, aed_boxes)


def _frames(path: Path, boxes_in: Callable[[Path], list[TrackBox]]) -> Spans:
    """Frames with boxes; as labels, a file in which nothing stands is a damaged one."""
    lines(path)
    return Spans(tuple((frame, frame) for frame in sorted({box.frame for box in boxes_in(path)})), "zero-inclusive")


def _rows(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Number, line and words between commas or spaces; none of a file in which nothing stands."""
    rows = lines(path) if path.read_bytes().strip() else ()
    yield from ((number, line, line.replace(",", " ").split() or [line]) for number, line in rows)


def _street_scene(path: Path) -> Iterator[TrackBox]:
    for place, line, (name, *words) in _rows(path):
        image = re.fullmatch(r"(?:.*[/\\])?0*([1-9]\d*)\.\w+", name)
        try:
            track, x, y, width, height = _numbers(words)
            frame = whole(image[1]) if image else 0
        except ValueError:
            frame = 0
        if not frame:
            raise wrong_line("NNN.jpg track x y width height", place, path, line)
        left, top = x - width / 2, y - height / 2
        yield TrackBox(int(track), frame - 1, (left, top, left + width - 1, top + height - 1))


def _aed(path: Path) -> Iterator[TrackBox]:
    for place, line, words in _rows(path):
        try:
            track, frame, left, top, right, bottom = _numbers(words)
            if whole(words[1]) < 0 or right < left or bottom < top:
                raise ValueError("no frame, or no box")
        except ValueError:
            raise wrong_line("track,frame,x_min,y_min,x_max,y_max", place, path, line) from None
        yield TrackBox(int(track), int(frame), (left, top, right, bottom))


def _numbers(words: list[str]) -> list[float]:
    """Finite numbers, the first of them whole and not negative. Raises ValueError."""
    numbers = [number(word) for word in words]
    if not numbers or whole(words[0]) < 0:
        raise ValueError("no track, or no number")
    return numbers
