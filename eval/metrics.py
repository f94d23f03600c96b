"""AUROC of raw scores, exact at any scale, over videos.

Everything rests on one count: in how many pairs (abnormal frame, normal frame) the abnormal one has
the higher score (Mann and Whitney 1947). It is counted twice over, so that a tie, worth one half,
stays an integer, and no rounding depends on the size of the scores.

Deviation from scikit-learn: one class alone gives NaN without a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

Array = npt.NDArray[Any]
ByVideo = Mapping[str, Array]
Scores = npt.NDArray[np.float64]


def auroc(scores: Array, labels: Array) -> float:
    """Area under the ROC curve, ties counted as one half, in O(n log n).

    Args:
        scores: (N,), higher = more anomalous, any scale; infinities are ranked, NaN is refused.
        labels: (N,), 1 (or True) = abnormal.

    Returns:
        In [0, 1]; NaN where one class is missing.

    Raises:
        PagenError: shapes that differ, labels other than 0 and 1, or a NaN score.
    """
    abnormal, normal = _classes(scores, labels)
    return _share(int(_wins(abnormal, np.sort(normal)).sum()), len(abnormal), len(normal))


def micro_auroc(scores: ByVideo, labels: ByVideo) -> float:
    """AUROC over the frames of all videos together: scores must be comparable between videos.

    Args:
        scores, labels: name -> (T,), of the same videos; see `auroc`.
    """
    return auroc(*concatenate(scores, labels))


@dataclass(frozen=True)
class Macro:
    """The mean of the videos' AUROCs under the rule `skip`: videos of one class have none and are left out."""

    value: float
    """In [0, 1]; NaN where every video has one class only."""
    videos_used: int
    skipped: tuple[str, ...]
    """Names of the videos left out."""


def macro_auroc(scores: ByVideo, labels: ByVideo) -> Macro:
    """AUROC of each video, averaged over the videos that hold both classes (rule `skip`)."""
    _same_videos(scores, labels)
    areas = {name: auroc(scores[name], labels[name]) for name in scores}
    used = [area for area in areas.values() if not np.isnan(area)]
    skipped = tuple(name for name, area in areas.items() if np.isnan(area))
    return Macro(float(np.mean(used)) if used else float("nan"), len(used), skipped)


def bootstrap_interval(
    scores: ByVideo, labels: ByVideo, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the micro AUROC when whole videos are drawn with replacement.

    Frames of a video hang together, so the video is what is drawn. A draw without both classes has
    no AUROC and is left out. Each draw gives exactly `auroc` of the videos drawn, put together:
    the pairs are counted once for every two videos and then only weighted.

    Returns:
        (low, high) in [0, 1]; NaN where there are fewer than two videos or no draw has both classes.
    """
    areas = resampled_auroc(scores, labels, _multiplicities(len(scores), rng, draws))
    areas = areas[~np.isnan(areas)]
    if len(scores) < 2 or len(areas) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_auroc(scores: ByVideo, labels: ByVideo, multiplicities: npt.NDArray[np.int64]) -> Scores:
    """Micro AUROC of sets in which video v stands multiplicities[d, v] times.

    Args:
        multiplicities: (draws, videos), in the order of `scores`.

    Returns:
        (draws,), NaN where a draw lacks a class.
    """
    _same_videos(scores, labels)
    classes = [_classes(scores[name], labels[name]) for name in scores]
    video = np.repeat(np.arange(len(classes)), [len(abnormal) for abnormal, _ in classes])
    every = np.concatenate([abnormal for abnormal, _ in classes])
    wins = np.zeros((len(classes), len(classes)), np.int64)  # [video of the abnormal, video of the normal frame]
    for column, (_, normal) in enumerate(classes):
        np.add.at(wins[:, column], video, _wins(every, np.sort(normal)))
    abnormals, normals = np.array([[len(part) for part in both] for both in classes]).T
    won = np.einsum("di,ij,dj->d", multiplicities, wins, multiplicities, optimize=True)
    sizes = zip(won, multiplicities @ abnormals, multiplicities @ normals, strict=True)
    return np.array([_share(int(twice), int(ones), int(zeros)) for twice, ones, zeros in sizes])


def concatenate(scores: ByVideo, labels: ByVideo) -> tuple[Array, Array]:
    """Scores (N,) and labels (N,) of all videos, in the order of `scores`."""
    _same_videos(scores, labels)
    return np.concatenate([scores[name] for name in scores]), np.concatenate([labels[name] for name in scores])


def _wins(abnormal: Scores, normal: Scores) -> npt.NDArray[np.int64]:
    """For each abnormal score, twice the number of the (sorted) normal ones below it, plus that of its equals."""
    order = np.argsort(abnormal)  # searching in ascending order walks through memory once
    counts = np.empty(len(abnormal), np.int64)
    ascending = abnormal[order]
    counts[order] = np.searchsorted(normal, ascending, "left") + np.searchsorted(normal, ascending, "right")
    return counts


def _share(twice: int, abnormal: int, normal: int) -> float:
    return twice / (2 * abnormal * normal) if abnormal and normal else float("nan")


def _classes(scores: Array, labels: Array) -> tuple[Scores, Scores]:
    """The scores of the abnormal frames, and those of the normal ones."""
    values, marks = np.asarray(scores, np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != marks.shape:
        raise PagenError(
            f"expected scores (N,) and labels (N,), found {values.shape} and {marks.shape}; give one of each a frame"
        )
    if not np.isin(marks, (0, 1)).all():
        raise PagenError(
            f"expected labels 0 and 1, found {np.setdiff1d(marks, (0, 1))[0]}; mark abnormal frames with 1"
        )
    if np.isnan(values).any():
        index = int(np.flatnonzero(np.isnan(values))[0])
        raise PagenError(f"expected scores that can be ranked, found NaN first at frame {index}; mend or leave it out")
    return values[marks == 1], values[marks == 0]


def _multiplicities(videos: int, rng: np.random.Generator, draws: int) -> npt.NDArray[np.int64]:
    """How often each video is drawn: (draws, videos), each row summing to `videos`."""
    return rng.multinomial(videos, np.full(videos, 1 / max(videos, 1)), size=draws)


def _same_videos(scores: ByVideo, labels: ByVideo) -> None:
    if scores.keys() != labels.keys() or not scores:
        odd = sorted(scores.keys() ^ labels.keys()) or "none at all"
        raise PagenError(f"expected scores and labels of the same videos, found one of the two only for {odd}")
