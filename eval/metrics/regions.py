"""Where anomalies are: ground-truth regions with tracks, scored boxes, their files, and regions out of pixel masks.

A box is (x_min, y_min, x_max, y_max) in pixels, both ends inside it: one pixel is (x, y, x, y). A region is one
box in one frame; a track is the regions of one anomaly through time. Frames count from 0. What a file counts or
measures otherwise is converted here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.folders import write_text

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regions:
    """The ground truth of one video, a row a region.

    Raises:
        PagenError: columns of different lengths, a frame below 0, or a box that ends before it begins.
    """

    frames: Integers
    """(N,)."""
    tracks: Integers
    """(N,), the same within a track; they name tracks of this video alone."""
    boxes: Floats
    """(N, 4)."""
    pixels: tuple[Mask, ...] | None = None
    """Which pixels of the box are the region; None where all are."""

    def __post_init__(self) -> None:
        _check(self.frames, self.boxes, len(self.tracks))


@dataclass(frozen=True, eq=False)
class Detections:
    """What a method found in one video, a row a box; in any order, any number a frame.

    Raises:
        PagenError: as `Regions`, or a score that is not finite.
    """

    frames: Integers
    """(N,)."""
    boxes: Floats
    """(N, 4)."""
    scores: Floats
    """(N,), higher = more anomalous."""

    def __post_init__(self) -> None:
        _check(self.frames, self.boxes, len(self.scores))
        if not np.isfinite(self.scores).all():
            raise PagenError(f"expected finite scores of boxes, found {self.scores[~np.isfinite(self.scores)][0]}")


def read_tracks(path: Path) -> Regions:
    """Regions from lines `track, frame, x_min, y_min, x_max, y_max`: the files of Georgescu et al. (AED).

    Raises:
        PagenError: a line that is none of that.
    """
    table = _table(path, [float] * 6, "track,frame,x_min,y_min,x_max,y_max")
    return Regions(table[:, 1].astype(np.int64), table[:, 0].astype(np.int64), table[:, 2:])


def read_detections(path: Path) -> Detections:
    """Boxes from lines `frame, x_min, y_min, x_max, y_max, score`: the files of Georgescu et al. (AED).

    Raises:
        PagenError: a line that is none of that.
    """
    table = _table(path, [float] * 6, "frame,x_min,y_min,x_max,y_max,score")
    return Detections(table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5])


def read_street_scene(path: Path) -> Regions:
    """Regions from lines `image track x y width height`, x and y the centre: Street Scene and its UCSD annotations.

    The frame is the number in the image's name, which counts from 1 (Ramachandra and Jones, WACV 2020).

    Raises:
        PagenError: a line that is none of that.
    """
    table = _table(path, [_number_in_name, *[float] * 5], "image track x y width height")
    corner = table[:, 2:4] - table[:, 4:] / 2
    boxes = np.hstack([corner, corner + table[:, 4:] - 1])
    return Regions(table[:, 0].astype(np.int64) - 1, table[:, 1].astype(np.int64), boxes)


def write_tracks(path: Path, regions: Regions) -> None:
    """The file that `read_tracks` reads, by track and frame; pixels are left out."""
    order = np.lexsort((regions.frames, regions.tracks))
    rows = zip(regions.tracks[order], regions.frames[order], regions.boxes[order], strict=True)
    write_text(path, "".join(f"{track},{frame},{_numbers(box)}\n" for track, frame, box in rows))


def write_detections(path: Path, detections: Detections) -> None:
    """The file that `read_detections` reads, in the order of the rows; scores keep every digit."""
    rows = zip(detections.frames, detections.boxes, detections.scores, strict=True)
    write_text(path, "".join(f"{frame},{_numbers(box)},{float(score)!r}\n" for frame, box, score in rows))


def from_masks(masks: Iterable[Mask]) -> Regions:
    """Regions and tracks of one video out of its pixel masks (H, W), True where something is abnormal.

    A region is a connected part of a mask (8 neighbours). It goes on with the track of the frame before with which
    it shares most pixels, each track in one region at most, pairs that share more before those that share less;
    what is left begins a track. Where two anomalies touch, one region is left and the smaller overlap's track ends.
    """
    frames, tracks, boxes, pixels = [], [], [], []
    before: list[tuple[int, Mask]] = []
    following = 0
    for frame, mask in enumerate(masks):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(mask, np.uint8), connectivity=8)
        parts = [labels == label for label in range(1, count)]
        goes_on = _linked(parts, before)
        before = []
        for part, (x, y, width, height, _area) in zip(parts, stats[1:].tolist(), strict=True):
            track = goes_on.get(len(before), following)
            following += track == following
            before.append((track, part))
            frames.append(frame)
            tracks.append(track)
            boxes.append((x, y, x + width - 1, y + height - 1))
            pixels.append(part[y : y + height, x : x + width])
    return Regions(
        np.array(frames, np.int64),
        np.array(tracks, np.int64),
        np.array(boxes, np.float64).reshape(-1, 4),
        tuple(pixels),
    )


def _linked(parts: Sequence[Mask], before: Sequence[tuple[int, Mask]]) -> dict[int, int]:
    """Index of a part -> the track that it goes on with."""
    shared = [
        (-int(np.count_nonzero(part & mask)), index, track)
        for index, part in enumerate(parts)
        for track, mask in before
    ]
    links: dict[int, int] = {}
    for negative, index, track in sorted(shared):
        if negative < 0 and index not in links and track not in links.values():
            links[index] = track
    return links


def _table(path: Path, columns: Sequence[Callable[[str], float]], form: str) -> Floats:
    """Lines of numbers between commas or spaces, one function a column: (N, columns)."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            rows.append([convert(word) for convert, word in zip(columns, words, strict=True)])
        except ValueError:
            raise PagenError(f"{path}, line {number}: expected '{form}', found {line.strip()!r}; mend it") from None
    return np.array(rows, np.float64).reshape(-1, len(columns))


def _number_in_name(word: str) -> float:
    return int(Path(word).stem)


def _numbers(box: Floats) -> str:
    return ",".join(str(int(value)) if value.is_integer() else repr(value) for value in box.tolist())


def _check(frames: Integers, boxes: Floats, rows: int) -> None:
    if not frames.shape == (rows,) or boxes.shape != (rows, 4):
        raise PagenError(
            f"expected a frame and a box (4,) for each of {rows} rows, found {frames.shape} and {boxes.shape}"
        )
    if (frames < 0).any():
        raise PagenError(f"expected frames from 0, found {frames.min()}; frames count from 0")
    wrong = np.flatnonzero(~((boxes[:, :2] <= boxes[:, 2:]).all(axis=1) & np.isfinite(boxes).all(axis=1)))
    if len(wrong):
        raise PagenError(
            f"expected boxes x_min, y_min, x_max, y_max, found {boxes[wrong[0]].tolist()} in row {wrong[0]}"
        )
