"""Measures of frame scores, exact at any scale, over videos: AUROC, average precision, equal error rate.

AUROC rests on one count: in how many pairs (abnormal frame, normal frame) the abnormal one has the
higher score (Mann and Whitney 1947). It is counted twice over, so that a tie, worth one half,
stays an integer, and no rounding depends on the size of the scores. The others walk down the distinct
scores, so that frames of equal score are taken together and no measure depends on the order of the frames.

Deviation from scikit-learn: what is undefined is NaN with a reason (`pagen.eval.metrics.undefined`), without a warning.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, require_name
from pagen.eval.metrics.undefined import Undefined

Array = npt.NDArray[Any]
ByVideo = Mapping[str, Array]
Scores = npt.NDArray[np.float64]

ONE_CLASS = "one class only: AUROC compares abnormal frames with normal ones"


def auroc(scores: Array, labels: Array) -> float:
    """Area under the ROC curve, in [0, 1], ties counted as one half, in O(n log n); NaN with a reason for one class.

    Raises PagenError: shapes that differ, labels other than 0 and 1, or a NaN score.

    Args:
        scores: (N,), higher = more anomalous, any scale; infinities are ranked, NaN is refused.
        labels: (N,), 1 (or True) = abnormal.

    Example:
        >>> auroc(scores=[0.1, 0.7, 0.4], labels=[0, 1, 0])
        1.0
        >>> auroc(scores=[0.1, 0.7], labels=[0, 0]).reason
        'one class only: AUROC compares abnormal frames with normal ones'
    """
    abnormal, normal = classes_of(scores, labels)
    return _share(int(_wins(abnormal, np.sort(normal)).sum()), len(abnormal), len(normal))


def micro_auroc(scores: ByVideo, labels: ByVideo) -> float:
    """AUROC over the frames of all videos together, name -> (T,): scores must be comparable between videos.

    Example:
        >>> scores = {"a": [0.1, 0.9, 0.4], "b": [0.3, 0.2]}
        >>> labels = {"a": [0, 1, 0], "b": [1, 0]}
        >>> round(micro_auroc(scores, labels), 4)
        0.8333
    """
    return auroc(*concatenate(scores, labels))


def average_precision(scores: Array, labels: Array) -> float:
    """Average precision: the sum over the distinct scores, highest first, of precision times the rise of recall.

    In (0, 1]; NaN with a reason where no frame is abnormal. As scikit-learn's `average_precision_score`: no
    interpolation, ties grouped. Several videos go together as `*concatenate(scores, labels)`. Errors as `auroc`.

    Example:
        >>> average_precision(scores=[0.9, 0.4, 0.1, 0.2], labels=[1, 0, 1, 0])
        0.75
    """
    _, true, false = roc_counts(scores, labels)
    if len(true) == 0 or true[-1] == 0:
        return Undefined("no abnormal frame")
    precision = true / (true + false)
    return float(np.sum(np.diff(true, prepend=0) * precision) / true[-1])


def equal_error_rate(scores: Array, labels: Array) -> float:
    """The error rate at which normal frames taken for abnormal and abnormal frames missed are equal shares.

    In [0, 1]; NaN with a reason where one class is missing. The ROC curve through the distinct scores crosses that line
    once; linear between its two neighbours. Errors as `auroc`.

    Example:
        >>> equal_error_rate(scores=[0.9, 0.4, 0.1, 0.2], labels=[1, 0, 1, 0])
        0.5
    """
    _, true, false = roc_counts(scores, labels)
    if len(true) == 0 or true[-1] == 0 or false[-1] == 0:
        return Undefined("one class only: the equal error rate is one of both")
    alarm = np.concatenate([[0.0], false / false[-1]])
    balance = alarm - np.concatenate([[1.0], 1 - true / true[-1]])
    after = int(np.argmax(balance >= 0))
    low, high = balance[after - 1], balance[after]
    return float(alarm[after - 1] - low / (high - low) * (alarm[after] - alarm[after - 1]))


def roc_counts(scores: Array, labels: Array) -> tuple[Scores, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(K,) distinct scores, falling, and how many abnormal and normal frames reach each. Errors as `auroc`.

    Example:
        >>> [array.tolist() for array in roc_counts(scores=[0.9, 0.4, 0.4, 0.2], labels=[1, 0, 1, 0])]
        [[0.9, 0.4, 0.2], [1, 2, 2], [0, 1, 2]]
    """
    classes = classes_of(scores, labels)
    rising, ranks = np.unique(np.concatenate(classes), return_inverse=True)
    parts = np.split(ranks, [len(classes[0])])
    true, false = (np.bincount(part, minlength=len(rising))[::-1].cumsum() for part in parts)
    return rising[::-1], true, false


@dataclass(frozen=True)
class Macro:
    """The mean of the videos' AUROCs under a rule for videos of one class.

    Example:
        >>> Macro(value=0.9, videos_used=11, skipped=("test_05",)).rule
        'skip'
    """

    value: float
    """In [0, 1]; NaN with a reason where every video was left out."""
    videos_used: int
    skipped: tuple[str, ...]
    """Names of the videos left out."""
    rule: str = "skip"


def macro_auroc(scores: ByVideo, labels: ByVideo, rule: str = "skip") -> Macro:
    """AUROC of each video, averaged over videos. Raises PagenError: an unknown rule, or as `auroc`.

    Args:
        rule: what is done about videos of one class, which have no AUROC. Results of different rules do not compare:
            `skip` leaves them out.
            `append` adds to every video a normal frame below its lowest score and an abnormal one above its highest,
            which lifts every video and gives those of one class 1.
            `accivad` is what AccI-VAD's released code does: a normal frame of score 0 and an abnormal one of the
            highest float, which depends on where 0 lies among the scores.

    Example:
        >>> scores, labels = {"a": [0.1, 0.9], "b": [0.3, 0.2]}, {"a": [0, 1], "b": [0, 0]}
        >>> macro_auroc(scores, labels)
        Macro(value=1.0, videos_used=1, skipped=('b',), rule='skip')
    """
    require_name("macro rule", rule, MACRO_RULES)
    check_videos(scores, labels)
    areas = {name: auroc(*MACRO_RULES[rule](scores[name], labels[name])) for name in scores}
    used = [area for area in areas.values() if not np.isnan(area)]
    skipped = tuple(name for name, area in areas.items() if np.isnan(area))
    value = float(np.mean(used)) if used else Undefined("every video holds one class only")
    return Macro(value, len(used), skipped, rule)


def _between_extremes(scores: Array, labels: Array) -> tuple[Array, Array]:
    """Ranks in place of scores: below the lowest and above the highest there is always room."""
    ranks = np.unique(scores, return_inverse=True)[1]
    return np.r_[-1, ranks, len(ranks)], np.r_[0, labels, 1]


MACRO_RULES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "skip": lambda scores, labels: (scores, labels),
    "append": _between_extremes,
    "accivad": lambda scores, labels: (np.r_[[0], scores, [sys.float_info.max]], np.r_[[0], labels, [1]]),
}


def resampled_auroc(scores: ByVideo, labels: ByVideo, multiplicities: npt.NDArray[np.int64]) -> Scores:
    """Micro AUROC (draws,) of sets in which video v stands multiplicities[d, v] times; NaN where a draw lacks a class.

    Example:
        >>> scores = {"a": [0.1, 0.9, 0.4], "b": [0.3, 0.2]}
        >>> labels = {"a": [0, 1, 0], "b": [1, 0]}
        >>> resampled_auroc(scores, labels, np.array([[1, 1], [0, 2]])).round(4).tolist()
        [0.8333, 1.0]
    """
    same_videos(scores, labels)
    classes = [classes_of(scores[name], labels[name]) for name in scores]
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
    """Scores (N,) and labels (N,) of all videos, in the order of `scores`.

    Example:
        >>> scores = {"a": [0.1, 0.9, 0.4], "b": [0.3, 0.2]}
        >>> labels = {"a": [0, 1, 0], "b": [1, 0]}
        >>> [array.tolist() for array in concatenate(scores, labels)]
        [[0.1, 0.9, 0.4, 0.3, 0.2], [0, 1, 0, 1, 0]]
    """
    same_videos(scores, labels)
    return np.concatenate([scores[name] for name in scores]), np.concatenate([labels[name] for name in scores])


def _wins(abnormal: Scores, normal: Scores) -> npt.NDArray[np.int64]:
    """For each abnormal score, twice the number of the (sorted) normal ones below it, plus that of its equals."""
    order = np.argsort(abnormal)  # searching in ascending order walks through memory once
    counts, ascending = np.empty(len(abnormal), np.int64), abnormal[order]
    counts[order] = np.searchsorted(normal, ascending, "left") + np.searchsorted(normal, ascending, "right")
    return counts


def _share(twice: int, abnormal: int, normal: int) -> float:
    return twice / (2 * abnormal * normal) if abnormal and normal else Undefined(ONE_CLASS)


def classes_of(scores: Array, labels: Array) -> tuple[Scores, Scores]:
    """The scores of the abnormal frames, and those of the normal ones. Raises PagenError as `auroc`.

    Example:
        >>> [part.tolist() for part in classes_of([0.1, 0.9, 0.4], [0, 1, 0])]
        [[0.9], [0.1, 0.4]]
    """
    values, marks = np.asarray(scores, np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != marks.shape:
        raise PagenError(f"expected scores (N,) and labels (N,), found {values.shape} and {marks.shape}; give both")
    if not np.isin(marks, (0, 1)).all():
        raise PagenError(f"expected labels 0 and 1, found {np.setdiff1d(marks, (0, 1))[0]}; 1 marks abnormal frames")
    if np.isnan(values).any():
        index = int(np.isnan(values).argmax())
        raise PagenError(f"expected scores that can be ranked, found NaN first at frame {index}; mend or leave it out")
    return values[marks == 1], values[marks == 0]


def same_videos(scores: ByVideo, labels: ByVideo) -> None:
    """Raise PagenError where one of the two lacks a video, or both have none.

    Example:
        >>> same_videos({"a": [0.1]}, {"b": [1]})
        Traceback (most recent call last):
        pagen.errors.PagenError: expected scores and labels of the same videos, found one of the two only for ['a', 'b']
    """
    if scores.keys() != labels.keys() or not scores:
        odd = sorted(scores.keys() ^ labels.keys()) or "none at all"
        raise PagenError(f"expected scores and labels of the same videos, found one of the two only for {odd}")


def check_videos(scores: ByVideo, labels: ByVideo) -> None:
    """Raise PagenError for scores and labels of other videos than each other's, or that `auroc` refuses.

    Example:
        >>> check_videos({"a": [0.1, 0.9]}, {"a": [0, 1]})
    """
    same_videos(scores, labels)
    for name in scores:
        classes_of(scores[name], labels[name])
