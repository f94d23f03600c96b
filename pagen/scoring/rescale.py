"""Rescaling of scores, each kind a function of its own; nothing here is applied unasked.

What is taken from the video itself needs all of it (`min_max`, `robust`) or its past (`robust_causal`); what is taken
from the scores of the training clips is known before the video begins (`calibrated`, `to_quantile`), and maps each
score by itself.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

Scores = npt.NDArray[np.float64]


def min_max(scores: npt.NDArray[Any]) -> Scores:
    """Scores (T,) of one video stretched to [0, 1]; it needs the whole video and so looks ahead.

    Where all scores are equal there is nothing to stretch: all become 0. Raises PagenError: a score that is not finite.

    Example:
        >>> min_max(np.array([2.0, 4.0, 3.0]))
        array([0. , 1. , 0.5])
    """
    values = _finite(scores)
    if len(values) == 0 or values.min() == values.max():
        return np.zeros_like(values)
    stretched: Scores = (values - values.min()) / (values.max() - values.min())
    return stretched


def robust(scores: npt.NDArray[Any]) -> Scores:
    """Scores (T,) of one video less their median, over the range of their percentiles 1 to 99; it looks ahead.

    LUSS-AE, equation 16. Percentiles are linear between neighbours, as the paper does not say. Where the range is 0
    (all scores equal, but for an outlier in a hundred) there is nothing to divide by: the scores are only shifted.
    Raises PagenError: a score that is not finite.

    Example:
        >>> robust(np.arange(101.0))[[1, 50, 99]]
        array([-0.5,  0. ,  0.5])
    """
    values = _finite(scores)
    if len(values) == 0:
        return values
    low, middle, high = np.percentile(values, [1, 50, 99])
    return calibrated(values, {"p1": float(low), "median": float(middle), "p99": float(high)})


def robust_causal(scores: npt.NDArray[Any]) -> Scores:
    """`robust` without looking ahead: each score (T,) by the median and the range of itself and those before it.

    Not in the papers. At frame t the median and the percentiles 1 and 99 are those of frames 0 to t, linear between
    neighbours; where that range is 0, as at frame 0, the score is only shifted. Raises PagenError: a score that is not
    finite.

    Example:
        >>> robust_causal(np.array([5.0, 5.0, 8.0, 5.0])).round(2)
        array([0.  , 0.  , 1.02, 0.  ])
    """
    values, past = _finite(scores), list[float]()
    rescaled = np.empty_like(values)
    for frame, score in enumerate(values.tolist()):
        insort(past, score)
        low, middle, high = (_between(past, share) for share in (0.01, 0.5, 0.99))
        rescaled[frame] = (score - middle) / (high - low or 1.0)
    return rescaled


def calibrated(scores: npt.NDArray[Any], quantiles: Mapping[str, float]) -> Scores:
    """Scores of any shape less the training scores' `median`, over the range of their percentiles `p1` to `p99`.

    Like `robust`, without looking ahead, and comparable between videos. Where the range is 0, only shifted. Raises
    PagenError: quantiles that are missing, not finite, or do not ascend.

    Example:
        >>> calibrated(np.array([1.0, 5.0]), {"p1": 0.0, "median": 1.0, "p99": 4.0})
        array([0., 1.])
    """
    low, middle, high = (quantiles.get(name, math.nan) for name in ("p1", "median", "p99"))
    if not -math.inf < low <= middle <= high < math.inf:
        raise PagenError(
            f"expected ascending quantiles p1, median, p99 of training scores, found {dict(quantiles)}; calibrate again"
        )
    return (np.asarray(scores, np.float64) - middle) / (high - low or 1.0)


def z_positive(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """Scores less the training scores' `mean`, over their `std`, not below 0: how MULDE merges (supplement).

    A deviation of 0 divides by nothing.

    Example:
        >>> z_positive(np.array([0.0, 5.0]), {"mean": 1.0, "std": 2.0})
        array([0., 2.])
    """
    middle, spread = _known(known, "mean", "std")
    return np.maximum((np.asarray(scores, np.float64) - middle) / (spread or 1.0), 0.0)


def trained_min_max(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """Scores less the training minimum `p0`, over the range up to `p100`, not cut off.

    AccI-VAD's calibration (`object_min_max`) with training frames in place of training objects.

    Example:
        >>> trained_min_max(np.array([1.0, 6.0]), {"p0": 1.0, "p100": 3.0})
        array([0. , 2.5])
    """
    return _over_range(scores, known, "p0", "p100")


def object_min_max(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """`trained_min_max` by the scores of all training objects, not of each training frame's highest.

    How AccI-VAD's released code calibrates deep features.

    Example:
        >>> object_min_max(np.array([1.0, 6.0]), {"object_p0": 1.0, "object_p100": 3.0})
        array([0. , 2.5])
    """
    return _object_range(scores, known, "p100")


def object_min_most(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """`object_min_max` with percentile 99.9 as the highest: how AccI-VAD's released code calibrates pose and velocity.

    Example:
        >>> object_min_most(np.array([1.0, 6.0]), {"object_p0": 1.0, "object_p99.9": 3.0})
        array([0. , 2.5])
    """
    return _object_range(scores, known, "p99.9")


def by_quantile(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """`to_quantile` with `p0` to `p100` of training scores.

    Example:
        >>> by_quantile(np.array([25.0, 200.0]), summary(np.arange(101.0)))
        array([0.25, 1.  ])
    """
    return to_quantile(scores, np.arange(101) / 100, np.array(_known(known, *(f"p{share}" for share in range(101)))))


def plain_error(decibels: npt.NDArray[Any]) -> Scores:
    """Errors of values in [-1, 1] out of what indicators give: -PSNR in dB with peak 2.

    Example:
        >>> plain_error(np.array([0.0, -20.0]))
        array([4.  , 0.04])
    """
    return 4 * 10 ** (np.asarray(decibels, np.float64) / 10)


def probability(log_odds: npt.NDArray[Any]) -> Scores:
    """Probabilities out of log-odds.

    Example:
        >>> probability(np.array([0.0, np.log(3)]))
        array([0.5 , 0.75])
    """
    from scipy.special import expit

    chances: Scores = expit(np.asarray(log_odds, np.float64))
    return chances


def to_quantile(scores: npt.NDArray[Any], grid: npt.NDArray[Any], values: npt.NDArray[Any]) -> Scores:
    """The share of the training scores that lie below, by linear interpolation; does not look ahead; NaN stays NaN.

    What lies beyond the training scores is all alike: grid[0] below them and grid[-1] above, so that the order of the
    most anomalous frames is lost. At a value that many training scores share it is the highest of their shares.
    `values` (K,) are the quantiles of the training scores at the shares `grid` (K,) in [0, 1]. Raises PagenError: a
    table of one value or none, or one that is not finite or does not ascend.

    Example:
        >>> to_quantile(np.array([1.0, 9.0]), np.array([0.0, 0.5, 1.0]), np.array([0.0, 2.0, 3.0]))
        array([0.25, 1.  ])
    """
    shares, marks = np.asarray(grid, np.float64), np.asarray(values, np.float64)
    if shares.ndim != 1 or shares.shape != marks.shape or len(shares) < 2 or not (_ascends(shares) and _ascends(marks)):
        raise PagenError(
            f"expected ascending shares (K,) and quantiles (K,), K of 2 and more, found shapes "
            f"{shares.shape} and {marks.shape} or a value that falls; calibrate again"
        )
    return np.interp(np.asarray(scores, np.float64), marks, shares)


NONE = "none"
"""The name of leaving scores as they are."""

PER_VIDEO: dict[str, Callable[[npt.NDArray[Any]], Scores]] = {"min_max": min_max, "robust": robust}
"""Rescaling by what the video itself holds: it looks ahead."""

UNTRAINED: dict[str, Callable[[npt.NDArray[Any]], Scores]] = {
    NONE: lambda scores: np.asarray(scores, np.float64),
    **PER_VIDEO,
    "robust_causal": robust_causal,
}
"""Rescaling that no training scores are needed for: none, by the video itself, or by what it has held so far."""

TRAINED: dict[str, Callable[[npt.NDArray[Any], Mapping[str, float]], Scores]] = {
    "calibrated": calibrated,
    "z_positive": z_positive,
    "trained_min_max": trained_min_max,
    "object_min_max": object_min_max,
    "object_min_most": object_min_most,
    "quantile": by_quantile,
}
"""Rescaling by what is known of the scores of training clips."""


def _object_range(scores: npt.NDArray[Any], known: Mapping[str, float], highest: str) -> Scores:
    names = OBJECT + "p0", OBJECT + highest
    if not known.keys() >= set(names):
        raise PagenError(
            f"expected {' and '.join(names)} of training objects, found figures of training frames alone; train the "
            "run again with --overwrite, or take --protocol accivad_frames"
        )
    return _over_range(scores, known, *names)


def _over_range(scores: npt.NDArray[Any], known: Mapping[str, float], lowest: str, highest: str) -> Scores:
    low, high = _known(known, lowest, highest)
    return (np.asarray(scores, np.float64) - low) / (high - low or 1.0)


def _known(known: Mapping[str, float], *names: str) -> list[float]:
    missing = [name for name in names if not math.isfinite(known.get(name, math.nan))]
    if missing:
        given = f"{known[missing[0]]}" if missing[0] in known else " ".join(known) or "nothing"
        raise PagenError(f"expected {missing[0]} of training scores, found {given:.80}; train the run again")
    return [known[name] for name in names]


def _finite(scores: npt.NDArray[Any]) -> Scores:
    values = np.asarray(scores, np.float64)
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise PagenError(f"expected finite scores to stretch, found {values[index]} first at frame {index}; mend it")
    return values


def _between(ordered: Sequence[float], share: float) -> float:
    """The quantile of ascending values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (place - math.floor(place)) * (above - below)


def _ascends(values: Scores) -> bool:
    return bool(np.isfinite(values).all() and (np.diff(values) >= 0).all())


def summary(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Mean, deviation, count, median and the percentiles p0 to p100 of scores (N,), linear between neighbours.

    Example:
        >>> known = summary(np.array([1.0, 3.0]))
        >>> known["count"], known["median"], known["p25"]
        (2.0, 2.0, 1.5)
    """
    grid = np.percentile(values, range(101))
    about = {"mean": values.mean(), "std": values.std(), "count": len(values), "median": grid[50]}
    about |= {f"p{percent}": value for percent, value in enumerate(grid)}
    return {name: float(value) for name, value in about.items()}


OBJECT = "object_"
"""What the names of figures of training objects begin with, beside those of training frames."""


def of_objects(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """The `summary` of the scores (N,) of all training objects, and percentile 99.9, by names of their own.

    Example:
        >>> round(of_objects(np.arange(1001.0))["object_p99.9"], 9)
        999.0
    """
    figures = {**summary(values), "p99.9": float(np.percentile(values, 99.9))}
    return {OBJECT + name: value for name, value in figures.items()}
