"""RBDC and TBDC of heat maps: the predicted regions of a threshold are the connected parts of what reaches it.

Unlike boxes, regions of a falling threshold grow and join, so that there may be fewer of them, and a region that was
found may be lost in one too large. So the curve is measured at K thresholds, and at each number of false positives the
rate is the best one of any threshold with that many or fewer; between two of these numbers it is straight. Overlap is
that of pixels. (Others sort the points of fixed thresholds by false positives, and the curve goes up and down.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.metrics.rbdc import Localisation, area, summed_up
from pagen.eval.metrics.regions import Floats, Regions, moments, require_shares, track_groups

Map = npt.NDArray[Any]
Shape = tuple[slice, slice, npt.NDArray[np.bool_]]
"""Rows, columns, and the pixels among them that are the region."""


@dataclass(frozen=True, eq=False)
class MapCounts:
    """Counts of each of V videos at each of K thresholds: enough for the curve of any choice of videos.

    Example:
        >>> counts = MapCounts(np.array([0.9]), np.ones((2, 3, 1)), np.ones((2, 3)))
        >>> measured_maps(counts).frames
        2
    """

    thresholds: Floats
    """(K,) falling."""
    counts: Floats
    """(V, 3, K): false positives, regions found, tracks found."""
    totals: Floats
    """(V, 3): what they are shares of: frames, regions, tracks."""


def localise_maps(
    maps: Mapping[str, Iterable[Map]],
    regions: Mapping[str, Regions],
    thresholds: npt.ArrayLike,
    beta: float = 0.1,
    alpha: float = 0.1,
) -> Localisation:
    """RBDC and TBDC of heat maps.

    Args:
        maps: video -> (T, H, W), or the (H, W) one after another, higher = more anomalous, of every test video, of the
            size that the regions are measured in.
        regions: of the videos that have any; where they have pixels these count, else their boxes.
        thresholds: (K,) such as `map_thresholds` gives; the more, the closer to the definition.
        beta, alpha: as `localise` takes them.

    Raises:
        PagenError: no thresholds, NaN, a region outside its map or beyond the last, or a value out of its range.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> maps = {"a": np.zeros((3, 8, 10))}
        >>> maps["a"][1, 2:7, 2:6] = 0.9
        >>> found = localise_maps(maps, regions, thresholds=[0.5])
        >>> found.rbdc, found.tbdc
        (1.0, 1.0)
    """
    return measured_maps(count_maps(maps, regions, thresholds, beta, alpha))


def map_thresholds(maps: Mapping[str, Iterable[Map]], count: int = 100) -> Floats:
    """`count` thresholds at which ever more frames raise an alarm, in even steps: quantiles of the frames' maxima.

    Below the lowest of them every frame holds a region, so that there is a false positive in every normal frame. The
    maps are gone through here, and once more afterwards: give arrays rather than what can be read only once.

    Example:
        >>> map_thresholds({"a": np.arange(12).reshape(3, 2, 2)}, count=3)
        array([11.,  7.,  3.])
    """
    maxima = np.array([np.max(heat) for video in maps.values() for heat in video], np.float64)
    return np.unique(np.quantile(maxima, np.linspace(0, 1, count)))[::-1]


def count_maps(
    maps: Mapping[str, Iterable[Map]],
    regions: Mapping[str, Regions],
    thresholds: npt.ArrayLike,
    beta: float = 0.1,
    alpha: float = 0.1,
) -> MapCounts:
    """Count what `measured_maps` sums up, once for any choice of videos; arguments and errors of `localise_maps`.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> maps = {"a": np.zeros((3, 8, 10))}
        >>> maps["a"][1, 2:7, 2:6] = 0.9
        >>> count_maps(maps, regions, thresholds=[0.5]).counts.tolist()
        [[[0.0], [1.0], [1.0]]]
    """
    require_shares(beta=beta, alpha=alpha)
    falling = np.unique(np.asarray(thresholds, np.float64))[::-1]
    if len(falling) == 0 or np.isnan(falling).any():
        raise PagenError(f"expected numbers as thresholds, found {falling.tolist()}; map_thresholds chooses some")
    nothing = Regions(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)))
    for name in sorted(regions.keys() - maps.keys()) or ([] if maps else ["any"]):
        raise PagenError(f"expected heat maps of every video, found none for {name}; add them")
    rows = [_counted(name, video, regions.get(name, nothing), falling, beta, alpha) for name, video in maps.items()]
    counts, totals = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return MapCounts(falling, counts, totals)


def measured_maps(counts: MapCounts, weights: npt.NDArray[Any] | None = None) -> Localisation:
    """The curve and its areas.

    Args:
        weights: (V,) how often each video counts; None for once.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> maps = {"a": np.zeros((3, 8, 10))}
        >>> maps["a"][1, 2:7, 2:6] = 0.9
        >>> measured_maps(count_maps(maps, regions, thresholds=[0.5]), weights=[2]).frames
        6
    """
    copies = np.ones(len(counts.totals)) if weights is None else np.asarray(weights, np.float64)
    sums, totals = list(np.tensordot(copies, counts.counts, 1)), (copies @ counts.totals).tolist()
    return summed_up(counts.thresholds, sums, totals, best_area)


def best_area(false_positives: Floats, rates: Floats) -> float:
    """Area under the best rates (K,) that can be had at each number of false positives, in any order.

    Example:
        >>> best_area(np.array([0.5, 0.0]), np.array([0.3, 0.4]))
        0.4
    """
    order = np.lexsort((rates, false_positives))
    return area(false_positives[order], np.maximum.accumulate(rates[order]))


def _counted(
    name: str, video: Iterable[Map], regions: Regions, falling: Floats, beta: float, alpha: float
) -> tuple[Floats, tuple[int, int, int]]:
    """The counts (3, K) and totals of one video."""
    false = np.zeros(len(falling))
    detected = np.zeros((len(regions.frames), len(falling)), bool)
    frames = 0
    for frame, heat in enumerate(video):
        rows = np.flatnonzero(regions.frames == frame)
        shapes = [_shape(name, regions, row, heat.shape) for row in rows.tolist()]
        highest = np.max(heat)
        if np.isnan(highest):
            raise PagenError(f"video {name}: expected maps without NaN, found some in frame {frame}; mend them")
        for rank in range(int(np.searchsorted(-falling, -highest)), len(falling)):
            missed, detected[rows, rank] = _overlaps(heat >= falling[rank], shapes, beta)
            false[rank] += missed
        frames = frame + 1
    moments({name: regions}, {name: frames})
    order, starts = track_groups(regions.tracks, np.zeros_like(regions.tracks))
    sizes = np.diff(starts, append=len(order))
    parts = np.add.reduceat(detected[order].astype(np.int64), starts, axis=0)
    tracks = np.sum(parts / sizes[:, None] >= alpha, axis=0)
    return np.stack([false, detected.sum(axis=0), tracks]), (frames, len(order), len(starts))


def _overlaps(mask: npt.NDArray[np.bool_], shapes: Sequence[Shape], beta: float) -> tuple[int, npt.NDArray[np.bool_]]:
    """The number of connected parts that overlap none of the shapes, and which shapes are overlapped."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    hits = np.zeros((len(shapes), count), bool)
    for hit, (rows, columns, pixels) in zip(hits, shapes, strict=True):
        shared = np.bincount(labels[rows, columns][pixels], minlength=count)
        hit[:] = shared / (stats[:, cv2.CC_STAT_AREA] + np.count_nonzero(pixels) - shared) >= beta
    hits = hits[:, 1:]  # 0 is what no part covers
    return int(np.sum(~hits.any(axis=0))), np.array([hit.any() for hit in hits], np.bool_)


def _shape(name: str, regions: Regions, row: int, size: tuple[int, ...]) -> Shape:
    """The pixels of a region. A box may stick out by a pixel, as rounded and half-open ones do, and is cut there."""
    pixels = None if regions.pixels is None else regions.pixels[row]
    slack = 1 if pixels is None else 0
    x_min, y_min, x_max, y_max = np.rint(regions.boxes[row]).astype(int).tolist()
    if min(x_min, y_min) < -slack or y_max >= size[0] + slack or x_max >= size[1] + slack:
        raise PagenError(
            f"video {name}: expected regions inside maps of {size[0]} x {size[1]}, found box "
            f"{regions.boxes[row].tolist()} (x_min, y_min, x_max, y_max); resize the maps to the footage"
        )
    rows, columns = slice(max(y_min, 0), min(y_max + 1, size[0])), slice(max(x_min, 0), min(x_max + 1, size[1]))
    whole = np.ones((rows.stop - rows.start, columns.stop - columns.start), bool)
    return rows, columns, whole if pixels is None else pixels
