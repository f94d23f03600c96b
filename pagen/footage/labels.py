"""Frame labels: whatever a data set writes them in, to uint8 (T,), 1 = abnormal.

What a file counts from 1, or to the end inclusive, is converted here and nowhere else.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_foreign
from pagen.errors import PagenError
from pagen.footage.clips import without_suffix
from pagen.footage.decode import IMAGES, listing, mask_frames

Labels = npt.NDArray[np.uint8]
Interval = tuple[int, int]
"""(start, end) of abnormal frames, from 0, half-open."""

_CSV_HEADER = "video,start_frame,end_frame"
_M_LINE = re.compile(r"TestVideoFile\{end\s*\+\s*1\}\.gt_frame\s*=\s*\[([^\]]*)\]\s*;?")
_M_RANGE = re.compile(r"(\d+)(?::(\d+))?")


def parse_m(text: str, source: str = "the .m file") -> list[list[Interval]]:
    """The intervals of each test clip in a UCSD `.m` file, where they count from 1 and end inclusive.

    Raises PagenError: a line that is neither empty, a comment, the empty list nor one clip's intervals.

    Example:
        >>> parse_m("TestVideoFile{end+1}.gt_frame = [61:180];")
        [[(60, 180)]]
    """
    clips = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("%")[0].strip()
        if not code or re.fullmatch(r"TestVideoFile\s*=\s*\{\s*\}\s*;?", code):
            continue
        line_match = _M_LINE.fullmatch(code)
        parts = [part for part in re.split(r"[\s,;]+", line_match[1].strip()) if part] if line_match else [""]
        ranges = [match for part in parts if (match := _M_RANGE.fullmatch(part))]
        intervals = [(int(match[1]) - 1, int(match[2] or match[1])) for match in ranges]
        if len(ranges) < len(parts) or any(not 0 <= start < end for start, end in intervals):
            raise PagenError(
                f"expected 'TestVideoFile{{end+1}}.gt_frame = [a:b];' in line {number} of {source}, found {code!r}"
            )
        clips.append(intervals)
    return clips


def parse_csv(text: str, source: str = "the .csv file") -> dict[str, list[Interval]]:
    """The intervals of each video in a CSV `video,start_frame,end_frame`, from 0, half-open.

    A video without anything abnormal stands there with both frames left empty; a video that does not stand there at all
    has no labels. Raises PagenError: another header, or a line that is no interval.

    Example:
        >>> parse_csv("video,start_frame,end_frame\\na.mp4,3,5\\nb.mp4,,")
        {'a.mp4': [(3, 5)], 'b.mp4': []}
    """
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.removeprefix("\ufeff").splitlines())]
    header = ",".join(rows[0]) if rows else "nothing"
    if header != _CSV_HEADER:
        raise PagenError(f"expected the header {_CSV_HEADER} in {source}, found {header}")
    videos: dict[str, list[Interval]] = {}
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        intervals = videos.setdefault(row[0], [])
        if row[1:] == ["", ""]:
            continue
        if len(row) != 3 or not all(cell.isdecimal() for cell in row[1:]) or not int(row[1]) < int(row[2]):
            raise PagenError(
                f"expected {_CSV_HEADER} with start < end (end excluded) in line {number} of {source}, "
                f"found {','.join(row)!r}"
            )
        intervals.append((int(row[1]), int(row[2])))
    return videos


def from_intervals(intervals: Iterable[Interval], length: int, source: str = "the labels") -> Labels:
    """Labels (length,) that are 1 inside the intervals. Raises PagenError when one ends after the clip.

    Example:
        >>> from_intervals([(1, 3)], length=5).tolist()
        [0, 1, 1, 0, 0]
    """
    labels = np.zeros(length, np.uint8)
    for start, end in intervals:
        if end > length:
            raise PagenError(f"expected abnormal frames within the clip's {length}, found {start} to {end} in {source}")
        labels[start:end] = 1
    return labels


def from_array(array: npt.NDArray[np.generic], length: int, source: str = "the labels") -> Labels:
    """Labels out of an array (T,) or (1, T) of 0 and 1. Raises PagenError for another shape or other values.

    Example:
        >>> from_array(np.array([[0, 1, 1]]), length=3).tolist()
        [0, 1, 1]
    """
    if array.shape not in ((length,), (1, length)):
        raise PagenError(f"expected one label a frame, ({length},), in {source}, found {array.shape}")
    if not np.isin(array, (0, 1)).all():
        raise PagenError(f"expected labels 0 and 1 in {source}, found {np.unique(array)[:4].tolist()}")
    return array.reshape(length).astype(np.uint8)


def from_masks(masks: Iterable[npt.NDArray[np.bool_]]) -> Labels:
    """Labels that are 1 where a frame's mask (H, W) is not empty.

    Example:
        >>> from_masks([np.zeros((2, 2), bool), np.eye(2, dtype=bool)]).tolist()
        [0, 1]
    """
    return np.array([mask.any() for mask in masks], np.uint8)


def read_m(path: Path, key: str, length: int) -> Labels:
    """Labels of the test clip number `key` (from 1) in a `.m` file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "ped2.m")
        ...     _ = path.write_text("TestVideoFile{end+1}.gt_frame = [2:3];")
        ...     read_m(path, "1", length=4).tolist()
        [0, 1, 1, 0]
    """
    clips = parse_m(_text(path), str(path))
    if int(key) > len(clips):
        raise PagenError(f"expected labels of test clip {key} in {path}, found those of {len(clips)} clips")
    return from_intervals(clips[int(key) - 1], length, f"{path}, clip {key}")


def read_csv(path: Path, key: str, length: int) -> Labels | None:
    """Labels of the video `key` (its name, with or without extension), or None when the CSV does not name it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels.csv")
        ...     _ = path.write_text("video,start_frame,end_frame\\na.mp4,1,3")
        ...     read_csv(path, "a", length=4).tolist()
        [0, 1, 1, 0]
    """
    videos = parse_csv(_text(path), str(path))
    named = [intervals for name, intervals in videos.items() if key in (name, without_suffix(name))]
    return from_intervals(chain(*named), length, f"{path}, video {key}") if named else None


def read_npy(path: Path, key: str, length: int) -> Labels:
    """Labels of one video in a `.npy` file of its own; nothing is unpickled.

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.save(f"{folder}/a.npy", [0, 1])
        ...     read_npy(Path(folder, "a.npy"), "a", length=2).tolist()
        [0, 1]
    """
    try:
        array = read_foreign(path)
        if isinstance(array, dict):
            raise ValueError("several arrays by name")
    except ValueError as error:
        raise PagenError(f"expected an array of 0 and 1 in {path}, found {error}; save it by numpy.save") from error
    return from_array(array, length, str(path))


def read_masks(path: Path, key: str, length: int) -> Labels:
    """Labels out of a folder of masks, one image a frame.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for index in range(2):
        ...         _ = cv2.imwrite(f"{folder}/{index}.png", numpy.full((2, 2), 255 * index, "uint8"))
        ...     read_masks(Path(folder), "a", length=2).tolist()
        [0, 1]
    """
    return from_array(from_masks(mask_frames(listing(path, IMAGES))), length, str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PagenError(f"expected labels as text in UTF-8 in {path}, found other bytes ({error.reason})") from error


def names_in_m(path: Path) -> list[str]:
    """The numbers of the test clips that a `.m` file has labels of, from 1, as text.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "ped2.m").write_text("TestVideoFile{end+1}.gt_frame = [2:3];")
        ...     names_in_m(Path(folder, "ped2.m"))
        ['1']
    """
    return [str(number) for number, _ in enumerate(parse_m(_text(path), str(path)), 1)]


def names_in_csv(path: Path) -> list[str]:
    """The videos that a CSV file names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "labels.csv").write_text("video,start_frame,end_frame\\na.mp4,1,3")
        ...     names_in_csv(Path(folder, "labels.csv"))
        ['a.mp4']
    """
    return list(parse_csv(_text(path), str(path)))
