"""RBDC and TBDC: whether anomalies are found where they are (Ramachandra and Jones, Street Scene, WACV 2020).

At a threshold, a predicted region stands where the score is at least that. A ground-truth region is detected if a
predicted region of its frame overlaps it by IoU of at least beta; a predicted region that overlaps none so is a false
positive. A track is detected if at least the share alpha of its regions is. RBDC and TBDC are the areas under the
shares of detected regions and tracks against the false positives a frame (of all frames, normal videos too), from 0
to 1 of them. There is no assignment: one box may detect several regions, and further boxes on a region change nothing.
So every region is detected from the highest score among its boxes on, and the whole curve is a matter of counting.

Where the definition leaves a choice: boxes of one score come in together, and the curve is straight between one
distinct score and the next; where the false positives end below 1 a frame, it goes on flat to 1. `reference` takes
boxes one by one, highest first and else in the order of the videos and rows, as the released code of Georgescu et al.
does: with ties its result depends on that order, without them it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import require_name
from pagen.eval.metrics.regions import (
    Detections,
    Floats,
    Integers,
    Regions,
    iou,
    joined,
    moments,
    require_shares,
    track_groups,
)
from pagen.eval.metrics.undefined import Undefined

TIES = ("grouped", "reference")


@dataclass(frozen=True, eq=False)
class Localisation:
    """RBDC and TBDC with the curve behind them: K thresholds, falling.

    Example:
        >>> none = np.empty(0)
        >>> Localisation(0.8, 0.9, none, none, none, none, regions=20, tracks=2, frames=180).tbdc
        0.9
    """

    rbdc: float
    """In [0, 1]; NaN with a reason where there is no region, or no frame."""
    tbdc: float
    """As `rbdc`."""
    thresholds: Floats
    false_positives: Floats
    """(K,) a frame; may exceed 1."""
    region_rates: Floats
    """(K,) in [0, 1]."""
    track_rates: Floats
    """(K,) in [0, 1]."""
    regions: int
    tracks: int
    frames: int
    """Numbers of each; those of a video that is drawn twice count twice."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """The thresholds at which boxes, regions or tracks begin to count, of N of them.

    Example:
        >>> Arrivals(ranks=np.array([0, 2]), videos=np.array([0, 0])).ranks
        array([0, 2])
    """

    ranks: Integers
    """(N,) in [0, K]: index of the highest such threshold, K where there is none."""
    videos: Integers
    """(N,): index of the video of each."""


@dataclass(frozen=True, eq=False)
class Matches:
    """Boxes, regions and tracks by threshold and video: enough for the curve of any choice of V videos.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> detections = {"a": Detections(np.array([1]), box, np.array([0.9]))}
        >>> match(detections, regions, {"a": 3}).thresholds
        array([0.9])
    """

    thresholds: Floats
    """(K,) falling."""
    false_positives: Arrivals
    regions: Arrivals
    tracks: Arrivals
    frames: Integers
    """(V,) of each video."""


def localise(
    detections: Mapping[str, Detections],
    regions: Mapping[str, Regions],
    frames: Mapping[str, int],
    beta: float = 0.1,
    alpha: float = 0.1,
    ties: str = "grouped",
    inclusive: bool = True,
) -> Localisation:
    """RBDC and TBDC of scored boxes.

    Args:
        detections, regions: of the videos that have any.
        frames: number of frames of every test video, normal ones too.
        beta: lowest IoU that is an overlap, in (0, 1].
        alpha: lowest share of a track's regions that is the track, in (0, 1].
        ties: `grouped` or `reference`; see the module.
        inclusive: x_max and y_max lie inside the boxes, as in the files of this measure; else they are outside.

    Raises:
        PagenError: a video that `frames` lacks, a frame beyond its end, or a value out of its range.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> detections = {"a": Detections(np.array([1]), box, np.array([0.9]))}
        >>> found = localise(detections, regions, frames={"a": 3})
        >>> found.rbdc, found.tbdc
        (1.0, 1.0)
    """
    return measured(match(detections, regions, frames, beta, alpha, ties, inclusive))


def match(
    detections: Mapping[str, Detections],
    regions: Mapping[str, Regions],
    frames: Mapping[str, int],
    beta: float = 0.1,
    alpha: float = 0.1,
    ties: str = "grouped",
    inclusive: bool = True,
) -> Matches:
    """Match boxes with regions, for any choice of videos that `measured` counts; arguments and errors of `localise`.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> detections = {"a": Detections(np.array([1]), box, np.array([0.9]))}
        >>> match(detections, regions, {"a": 3}).false_positives.ranks.size
        0
    """
    require_shares(beta=beta, alpha=alpha)
    require_name("rule for ties", ties, TIES)
    box_times, times = moments(detections, frames), moments(regions, frames)
    thresholds, ranks = _descent(joined([part.scores for part in detections.values()], 0), ties)
    boxes, targets = (joined([part.boxes for part in parts.values()], 0, 4) for parts in (detections, regions))
    of_box, of_target = _pairs(box_times, times)
    overlaps = iou(boxes[of_box], targets[of_target], inclusive) >= beta
    of_box, of_target = of_box[overlaps], of_target[overlaps]
    detected = np.full(len(targets), len(thresholds), np.int64)
    np.minimum.at(detected, of_target, ranks[of_box])
    false = np.ones(len(boxes), bool)
    false[of_box] = False
    ends = np.cumsum(list(frames.values()))
    video = np.searchsorted(ends, times, "right")
    ids = joined([part.tracks for part in regions.values()], 0)
    return Matches(
        thresholds,
        Arrivals(ranks[false], np.searchsorted(ends, box_times[false], "right")),
        Arrivals(detected, video),
        _tracks(detected, ids, video, alpha),
        np.diff(ends, prepend=0),
    )


def measured(matches: Matches, weights: npt.NDArray[Any] | None = None) -> Localisation:
    """The curve and its areas.

    Args:
        weights: (V,) how often each video counts; None for once.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> detections = {"a": Detections(np.array([1]), box, np.array([0.9]))}
        >>> measured(match(detections, regions, {"a": 3}), weights=[2]).regions
        2
    """
    last = len(matches.thresholds)
    copies = np.ones(len(matches.frames)) if weights is None else np.asarray(weights, np.float64)
    kinds = matches.false_positives, matches.regions, matches.tracks
    counts = [np.bincount(kind.ranks, copies[kind.videos], last + 1)[:last].cumsum() for kind in kinds]
    totals = [float(copies @ matches.frames), *(float(copies[kind.videos].sum()) for kind in kinds[1:])]
    return summed_up(matches.thresholds, counts, totals)


def resampled_areas(
    measure: Callable[[npt.NDArray[Any]], Localisation], multiplicities: npt.NDArray[np.int64]
) -> Floats:
    """(draws, 2): RBDC and TBDC of sets in which video v stands multiplicities[d, v] times.

    Args:
        measure: weights (V,) -> measures, such as `partial(measured, matches)`.

    Example:
        >>> box = np.array([[2.0, 2, 5, 6]])
        >>> regions = {"a": Regions(np.array([1]), np.array([0]), box)}
        >>> detections = {"a": Detections(np.array([1]), box, np.array([0.9]))}
        >>> matches = match(detections, regions, {"a": 3})
        >>> resampled_areas(lambda weights: measured(matches, weights), np.array([[1], [2]]))
        array([[1., 1.],
               [1., 1.]])
    """
    return np.array([[areas.rbdc, areas.tbdc] for areas in map(measure, multiplicities)]).reshape(-1, 2)


def area(false_positives: Floats, rates: Floats) -> float:
    """Area under straight lines from (0, 0) through points (K,) that rise, up to 1 false positive a frame.

    Example:
        >>> area(np.array([0.0, 0.5]), np.array([0.5, 1.0]))
        0.875
    """
    x, y = np.concatenate([[0.0], false_positives]), np.concatenate([[0.0], rates])
    kept = x <= 1
    x, y = np.append(x[kept], 1.0), np.append(y[kept], np.interp(1.0, x, y))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def summed_up(
    thresholds: Floats,
    counts: Sequence[Floats],
    totals: Sequence[float],
    under: Callable[[Floats, Floats], float] = area,
) -> Localisation:
    """The curve out of its counts, and the areas under it.

    Args:
        counts: false positives, regions found and tracks found, each (K,).
        totals: what they are shares of: frames, regions, tracks.
        under: (K,) false positives a frame, (K,) rates -> area.

    Example:
        >>> counts = [np.array([0.0, 2]), np.array([1.0, 2]), np.array([1.0, 1])]
        >>> summed_up(np.array([0.9, 0.5]), counts, totals=[4, 2, 1]).region_rates
        array([0.5, 1. ])
    """
    rates = [count / total if total else np.zeros(len(thresholds)) for count, total in zip(counts, totals, strict=True)]
    rbdc, tbdc = (under(rates[0], rate) for rate in rates[1:])
    if not totals[0] or not totals[1]:
        rbdc = tbdc = Undefined("no ground-truth region" if totals[0] else "no frame")
    frames, regions, tracks = map(int, totals)
    return Localisation(rbdc, tbdc, thresholds, rates[0], rates[1], rates[2], regions, tracks, frames)


def _tracks(detected: Integers, ids: Integers, videos: Integers, alpha: float) -> Arrivals:
    """A track is detected with the k-th of its regions, k the smallest number that is a share of alpha."""
    order, starts = track_groups(ids, videos, detected)
    sizes = np.diff(starts, append=len(order))
    wanted = np.floor(alpha * sizes).astype(np.int64)
    wanted += wanted / sizes < alpha
    return Arrivals(detected[order][starts + wanted - 1], videos[order][starts])


def _descent(scores: Floats, ties: str) -> tuple[Floats, Integers]:
    """Thresholds (K,), falling, and the rank of each score (N,) among them."""
    if ties == "grouped":
        negative, ranks = np.unique(-scores, return_inverse=True)
        return -negative, ranks
    order = np.argsort(-scores, kind="stable")
    return scores[order], np.argsort(order)


def _pairs(box_times: Integers, times: Integers) -> tuple[Integers, Integers]:
    """Every box and every region of the same moment: indices (P,) and (P,)."""
    sizes = np.bincount(times, minlength=int(box_times.max(initial=-1)) + 1)
    counts, first = sizes[box_times], (np.cumsum(sizes) - sizes)[box_times]
    shift = np.repeat(first - (np.cumsum(counts) - counts), counts)
    rows = np.argsort(times, kind="stable")[np.arange(len(shift)) + shift]
    return np.repeat(np.arange(len(box_times)), counts), rows
