"""Tracks of UBnormal, `object,first,last` from 0, last frame included, and its maps of objects.

A class by name is no label here: maps number every object of a frame, walkers too, and tracks alone say which of them
are abnormal when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pagen.errors import PagenError
from pagen.footage.images import image_frames
from pagen.footage.labels.arrays import read_npy
from pagen.footage.labels.raw import head, lines, wrong_line
from pagen.footage.labels.said import Spans, Vector
from pagen.footage.listing import natural
from pagen.texts import NPY, whole

if TYPE_CHECKING:
    from pagen.arrays import Masks


class Track(NamedTuple):
    """An object, and the first and last frame in which it is abnormal, from 0.

    Example:
        >>> Track(4, 0, 450).last
        450
    """

    thing: int
    first: int
    last: int


def parse_tracks(path: Path) -> list[Track]:
    """The rows of a file of tracks; numbers may be written as floats.

    Raises PagenError: a row that is none, an interval that ends before it begins, or an array in disguise.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a_tracks.txt").write_text("3.000e+00,0.000e+00,4.500e+02\\n")
        ...     parse_tracks(Path(folder, "a_tracks.txt"))
        [Track(thing=3, first=0, last=450)]
    """
    if holds_npy_for_tracks(path):
        raise PagenError(
            f"expected tracks 'object,first,last' in {path}, found an array in NumPy's format; such copies of "
            "UBnormal's labels mark NORMAL frames by 1, as a clip without anything abnormal shows; take the tracks"
        )
    tracks = []
    for number, line in lines(path):
        try:
            track = Track(*map(whole, line.split(",")))
        except (ValueError, TypeError):
            raise wrong_line("object,first,last", number, path, line) from None
        if not 0 <= track.first <= track.last or track.thing < 1:
            raise wrong_line("object,first,last", number, path, line)
        tracks.append(track)
    return tracks


def read_tracks(path: Path, key: str) -> Spans:
    """What the tracks of one clip's own file say: a frame is abnormal in which any object is.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a_tracks.txt").write_text("1,0,1\\r\\n4,3,3\\r\\n")
        ...     read_tracks(Path(folder, "a_tracks.txt"), "a").fit(5).labels.tolist()
        [1, 1, 0, 1, 0]
    """
    return Spans(tuple((track.first, track.last) for track in parse_tracks(path)), "zero-inclusive")


def holds_tracks(path: Path) -> bool:
    """Whether a file is to be read as tracks: it is no array under that name.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix="_tracks.txt") as file:
        ...     holds_tracks(Path(file.name))
        True
    """
    return not holds_npy_for_tracks(path)


def read_npy_for_tracks(path: Path, key: str) -> Vector:
    """What an array under the name of tracks says, one value a frame; STG-NF's copy marks normal frames by 1.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix="_tracks.txt") as file:
        ...     np.save(file, [1, 0])
        ...     file.flush()
        ...     read_npy_for_tracks(Path(file.name), "a").fit(2, normal=1).labels.tolist()
        [0, 1]
    """
    return read_npy(path, key)


def holds_npy_for_tracks(path: Path) -> bool:
    """Whether a file is an array in NumPy's format, by its first bytes.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix="_tracks.txt") as file:
        ...     np.save(file, [1, 0])
        ...     file.flush()
        ...     holds_npy_for_tracks(Path(file.name))
        True
    """
    try:
        return head(path).startswith(NPY)
    except PagenError:
        return False


def object_masks(files: tuple[Path, ...]) -> Iterator[Masks]:
    """Pixel masks (H, W) bool of one clip, by its file of tracks: pixels of objects that are abnormal in the frame.

    The maps lie beside it, `NAME_0000_gt.png` and so on. Raises PagenError: maps are missing, of another size or end
    before a track does, or no map shows an object that has a track.

    Example:
        >>> import cv2, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a_tracks.txt").write_text("2,0,0\\n")
        ...     _ = cv2.imwrite(f"{folder}/a_0000_gt.png", np.array([[0, 1, 2]], "uint8"))
        ...     [mask.tolist() for mask in object_masks((Path(folder, "a_tracks.txt"),))]
        [[[False, False, True]]]
    """
    (path,) = files
    tracks, maps = parse_tracks(path), _maps(path)
    if (last := max(track.last for track in tracks)) >= len(maps):
        raise PagenError(f"expected a map of each frame up to {last} beside {path}, found {len(maps)}; copy them again")
    unseen = {track.thing for track in tracks}
    for frame, picture in enumerate(image_frames(maps)):
        numbers = picture if picture.ndim == 2 else picture.max(axis=2)
        unseen -= set(np.unique(numbers).tolist())
        yield np.isin(numbers, [track.thing for track in tracks if track.first <= frame <= track.last])
    if unseen:
        raise PagenError(
            f"expected the objects of the tracks in {path} on the maps beside it, found no {min(unseen)}; "
            "are these the tracks of this clip? copy both again"
        )


def _maps(tracks: Path) -> tuple[Path, ...]:
    """The maps of the clip, frame by frame from 0."""
    clip = re.sub(r"(_new)?_tracks$", "", tracks.stem)
    form = re.compile(rf"{re.escape(clip)}_(\d+)_gt\.png")
    maps = sorted((path for path in tracks.parent.iterdir() if form.fullmatch(path.name)), key=natural)
    numbers = [int(match[1]) for path in maps if (match := form.fullmatch(path.name))]
    missing = set(range(len(maps))) - set(numbers)
    if missing or not maps:
        raise PagenError(
            f"expected maps {clip}_0000_gt.png and so on beside {tracks}, found no {min(missing, default=0)}; "
            "copy them again"
        )
    return tuple(maps)
