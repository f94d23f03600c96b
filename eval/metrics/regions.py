"""Places of anomalies: ground-truth regions with tracks, scored boxes, and regions out of pixel masks.

A box is (x_min, y_min, x_max, y_max) in pixels, both ends inside it: one pixel is (x, y, x, y). A region is one
box in one frame; a track is the regions of one anomaly through time. Frames count from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regions:
    """The ground truth of one video, a row a region: frames (N,), boxes (N, 4), and tracks (N,) of this video alone.

    `pixels` are those of each box that are the region, None where all are. Raises PagenError: columns of different
    lengths, a frame below 0, or a box that ends before it begins.

    Example:
        >>> regions = Regions(np.array([3, 4]), np.array([0, 0]), np.array([[2.0, 2, 5, 6], [3.0, 2, 6, 6]]))
        >>> len(regions.frames)
        2
    """

    frames: Integers
    tracks: Integers
    boxes: Floats
    pixels: tuple[Mask, ...] | None = None

    def __post_init__(self) -> None:
        _check(self.frames, self.boxes, len(self.tracks))

    def among(self, counted: Mask) -> Regions:
        """Those in frames that count, (T,) True, which are numbered anew from 0.

        Example:
            >>> box = np.array([[2.0, 2, 5, 6]])
            >>> Regions(np.array([2]), np.array([0]), box).among(np.array([True, False, True])).frames
            array([1])
        """
        rows, frames = _among(self.frames, counted)
        pixels = None if self.pixels is None else tuple(self.pixels[row] for row in rows)
        return Regions(frames, self.tracks[rows], self.boxes[rows], pixels)


@dataclass(frozen=True, eq=False)
class Detections:
    """Scored boxes of one video, a row a box, in any order: frames (N,), boxes (N, 4), scores (N,).

    Higher scores are more anomalous. Raises PagenError as `Regions`, or a score that is not finite.

    Example:
        >>> Detections(np.array([3]), np.array([[2.0, 2, 5, 6]]), np.array([0.9])).scores
        array([0.9])
    """

    frames: Integers
    boxes: Floats
    scores: Floats

    def __post_init__(self) -> None:
        _check(self.frames, self.boxes, len(self.scores))
        if not np.isfinite(self.scores).all():
            raise PagenError(f"expected finite scores of boxes, found {self.scores[~np.isfinite(self.scores)][0]}")

    def among(self, counted: Mask) -> Detections:
        """Those in frames that count, (T,) True, which are numbered anew from 0.

        Example:
            >>> found = Detections(np.array([1, 2]), np.array([[2.0, 2, 5, 6]] * 2), np.array([0.9, 0.4]))
            >>> found.among(np.array([True, False, True])).scores
            array([0.4])
        """
        rows, frames = _among(self.frames, counted)
        return Detections(frames, self.boxes[rows], self.scores[rows])


def from_masks(masks: Iterable[Mask]) -> Regions:
    """Regions and tracks of one video out of its pixel masks (H, W), True where something is abnormal.

    A region is a connected part of a mask (8 neighbours). It goes on with the track of the frame before with which
    it shares most pixels, each track in one region at most, pairs that share more before those that share less;
    what is left begins a track. Where two anomalies touch, one region is left and the smaller overlap's track ends.

    Example:
        >>> masks = np.zeros((2, 8, 10), bool)
        >>> masks[0, 2:4, 1:4] = masks[1, 2:4, 2:5] = True
        >>> regions = from_masks(masks)
        >>> regions.tracks.tolist(), regions.boxes.tolist()
        ([0, 0], [[1.0, 2.0, 3.0, 3.0], [2.0, 2.0, 4.0, 3.0]])
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
    rows = np.array(frames, np.int64), np.array(tracks, np.int64), np.array(boxes, np.float64).reshape(-1, 4)
    return Regions(*rows, tuple(pixels))


def iou(first: Floats, second: Floats, inclusive: bool = True) -> Floats:
    """Intersection over union of boxes (N, 4) and (N, 4), row by row; 0 where both are empty.

    Example:
        >>> iou(np.array([[0.0, 0, 3, 3]]), np.array([[2.0, 0, 5, 3]])).round(4)
        array([0.3333])
    """
    more = 1.0 if inclusive else 0.0
    (left, top, right, bottom), (west, north, east, south) = first.T, second.T
    width = np.maximum(np.minimum(right, east) - np.maximum(left, west) + more, 0)
    intersection = width * np.maximum(np.minimum(bottom, south) - np.maximum(top, north) + more, 0)
    union = (right - left + more) * (bottom - top + more) + (east - west + more) * (south - north + more) - intersection
    shares: Floats = np.divide(intersection, union, out=np.zeros(len(union)), where=union > 0)
    return shares


def moments(parts: Mapping[str, Detections] | Mapping[str, Regions], frames: Mapping[str, int]) -> Integers:
    """The frame of each row, counted through all videos of `frames`, one after another.

    Raises PagenError: a video that `frames` lacks, or a frame beyond its end.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> moments(regions, {"b": 10, "a": 3})
        array([11])
    """
    starts = dict(zip(frames, np.cumsum([0, *frames.values()])[:-1], strict=True))
    for name, part in parts.items():
        if name not in frames:
            raise PagenError(f"expected the number of frames of every video, found none for {name}; add it")
        if len(part.frames) and part.frames.max() >= frames[name]:
            raise PagenError(
                f"video {name}: expected frames below {frames[name]}, found {part.frames.max()}; frames count from 0"
            )
    return joined([part.frames + starts[name] for name, part in parts.items()], 0).astype(np.int64)


def joined(arrays: Iterable[npt.NDArray[Any]], *empty: int) -> npt.NDArray[Any]:
    """Arrays one after another; with none, one of the shape `empty`.

    Example:
        >>> joined([np.ones(2), np.zeros(1)], 0), joined([], 0, 4).shape
        (array([1., 1., 0.]), (0, 4))
    """
    parts = list(arrays)
    return np.concatenate(parts) if parts else np.empty(empty)


def require_shares(**shares: float) -> None:
    """Raises PagenError for a share that is not in (0, 1].

    Example:
        >>> require_shares(beta=1.5)
        Traceback (most recent call last):
        pagen.errors.PagenError: expected beta above 0 and up to 1, found 1.5; 0.1 is what was published
    """
    for name, value in shares.items():
        if not 0 < value <= 1:
            raise PagenError(f"expected {name} above 0 and up to 1, found {value}; 0.1 is what was published")


def track_groups(ids: Integers, videos: Integers, *keys: npt.NDArray[Any]) -> tuple[Integers, Integers]:
    """The order that puts rows of a track side by side (by `keys` within it), and where each track starts in it.

    Example:
        >>> order, starts = track_groups(np.array([7, 3, 7]), np.array([0, 0, 0]))
        >>> order.tolist(), starts.tolist()
        ([1, 0, 2], [0, 1])
    """
    order = np.lexsort((*keys, ids, videos))
    changes = (np.diff(videos[order], prepend=-1) != 0) | (np.diff(ids[order], prepend=0) != 0)
    return order, np.flatnonzero(changes)


def _linked(parts: Sequence[Mask], before: Sequence[tuple[int, Mask]]) -> dict[int, int]:
    """Index of a part -> the track that it goes on with."""
    pairs = [(index, part, track, mask) for index, part in enumerate(parts) for track, mask in before]
    shared = [(-int(np.count_nonzero(part & mask)), index, track) for index, part, track, mask in pairs]
    links: dict[int, int] = {}
    for negative, index, track in sorted(shared):
        if negative < 0 and index not in links and track not in links.values():
            links[index] = track
    return links


def _among(frames: Integers, counted: Mask) -> tuple[Integers, Integers]:
    """The rows whose frame counts, and the number of each such frame among those that count."""
    rows = np.flatnonzero(counted[frames])
    return rows, (np.cumsum(counted) - 1)[frames[rows]]


def _check(frames: Integers, boxes: Floats, rows: int) -> None:
    if not frames.shape == (rows,) or boxes.shape != (rows, 4):
        raise PagenError(f"expected a frame and a box (4,) in each of {rows} rows, found {frames.shape}, {boxes.shape}")
    if (frames < 0).any():
        raise PagenError(f"expected frames from 0, found {frames.min()}; frames count from 0")
    wrong = np.flatnonzero(~((boxes[:, :2] <= boxes[:, 2:]).all(axis=1) & np.isfinite(boxes).all(axis=1)))
    if len(wrong):
        box = boxes[wrong[0]].tolist()
        raise PagenError(f"expected boxes x_min, y_min, x_max, y_max, found {box} in row {wrong[0]}")
