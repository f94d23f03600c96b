"""Rescaling and smoothing of scores, each a function of its own; nothing here is applied unasked.

What is taken from the video itself needs all of it (`min_max`, `robust`); what is taken from the scores of the
training clips is known before the video begins (`calibrated`, `to_quantile`), and maps each score by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
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

    LUSS-AE, equation 16. Percentiles are linear between neighbours, as the paper does not say. Where the range is
    0 (all scores equal, but for an outlier in a hundred) there is nothing to divide by: the scores are only shifted.
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


def calibrated(scores: npt.NDArray[Any], quantiles: Mapping[str, float]) -> Scores:
    """Scores of any shape less the training scores' median, over the range of their percentiles 1 to 99.

    Like `robust`, without looking ahead, and comparable between videos. Where the range is 0, only shifted.

    Args:
        quantiles: `p1`, `median`, and `p99` of the scores of normal training clips.

    Raises:
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
    values: Scores = (np.asarray(scores, np.float64) - middle) / (high - low or 1.0)
    return values


def z_positive(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """Scores less the training scores' `mean`, over their `std`, not below 0: how MULDE merges (supplement).

    A deviation of 0 divides by nothing.

    Example:
        >>> z_positive(np.array([0.0, 5.0]), {"mean": 1.0, "std": 2.0})
        array([0., 2.])
    """
    middle, spread = _known(known, "mean", "std")
    standard: Scores = np.maximum((np.asarray(scores, np.float64) - middle) / (spread or 1.0), 0.0)
    return standard


def trained_min_max(scores: npt.NDArray[Any], known: Mapping[str, float]) -> Scores:
    """Scores less the training minimum `p0`, over the range up to `p100`, not cut off: how AccI-VAD calibrates.

    Deviation: the maximum is the largest training score for all; AccI-VAD takes their 99.9th percentile for pose
    and velocity.

    Example:
        >>> trained_min_max(np.array([1.0, 6.0]), {"p0": 1.0, "p100": 3.0})
        array([0. , 2.5])
    """
    low, high = _known(known, "p0", "p100")
    values: Scores = (np.asarray(scores, np.float64) - low) / (high - low or 1.0)
    return values


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
    errors: Scores = 4 * 10 ** (np.asarray(decibels, np.float64) / 10)
    return errors


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
    """The share of the training scores that lie below, by linear interpolation; does not look ahead.

    What lies beyond the training scores is all alike: grid[0] below them and grid[-1] above, so that the order of
    the most anomalous frames is lost. At a value that many training scores share it is the highest of their shares.

    Args:
        scores: of any shape; NaN stays NaN.
        grid: (K,) ascending shares in [0, 1].
        values: (K,) ascending: the quantiles of the training scores at those shares.

    Raises:
        PagenError: a table of one value or none, or one that is not finite or does not ascend.

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
    below: Scores = np.interp(np.asarray(scores, np.float64), marks, shares)
    return below


def causal_smooth(scores: npt.NDArray[Any], sigma: float) -> Scores:
    """Mean of the present and past scores (T,) of one video under half a Gaussian: no look-ahead.

    Frame t gets sum_k w_k s_(t-k) / sum_k w_k with w_k = exp(-k^2 / (2 sigma^2)), k from 0 to
    ceil(4 sigma), both sums over the frames that exist: at the start there are fewer. `sigma` is above 0.

    Example:
        >>> causal_smooth(np.array([0.0, 0.0, 1.0]), sigma=1.0).round(2)
        array([0.  , 0.  , 0.57])
    """
    values = np.asarray(scores, np.float64)
    total, weight = np.zeros_like(values), np.zeros_like(values)
    for back in range(min(math.ceil(4 * _positive(sigma)) + 1, len(values))):
        share = math.exp(-(back**2) / (2 * sigma**2))
        total[back:] += share * values[: len(values) - back]
        weight[back:] += share
    smooth: Scores = total / weight
    return smooth


def gaussian_smooth(scores: npt.NDArray[Any], sigma: float, ends: str = "nearest") -> Scores:
    """Scores (T,) of one video under a Gaussian of `sigma` frames; looks 4 sigma ahead.

    Beyond the ends lies what scipy calls `nearest` (they are repeated) or `reflect`.

    Example:
        >>> gaussian_smooth(np.array([0.0, 1.0, 0.0]), sigma=0.5).round(2)
        array([0.11, 0.79, 0.11])
    """
    from scipy.ndimage import gaussian_filter1d

    values = np.asarray(scores, np.float64)
    if len(values) == 0:
        return values
    smooth: Scores = gaussian_filter1d(values, _positive(sigma), mode=ends)
    return smooth


PER_VIDEO: dict[str, Callable[[npt.NDArray[Any]], Scores]] = {"min_max": min_max, "robust": robust}
"""Rescaling by what the video itself holds."""

TRAINED: dict[str, Callable[[npt.NDArray[Any], Mapping[str, float]], Scores]] = {
    "calibrated": calibrated,
    "z_positive": z_positive,
    "trained_min_max": trained_min_max,
    "quantile": by_quantile,
}
"""Rescaling by what is known of the scores of training clips."""

SMOOTHING: dict[str, Callable[[npt.NDArray[Any], float], Scores]] = {
    "none": lambda scores, sigma: np.asarray(scores, np.float64),
    "causal": causal_smooth,
    "gaussian": gaussian_smooth,
    "reflected": partial(gaussian_smooth, ends="reflect"),
}
"""`reflected` is the Gaussian with the video's ends reflected, as scipy has it by default."""


def _known(known: Mapping[str, float], *names: str) -> list[float]:
    missing = [name for name in names if not math.isfinite(known.get(name, math.nan))]
    if missing:
        raise PagenError(f"expected {missing[0]} of training scores, found {dict(known)}; calibrate again")
    return [known[name] for name in names]


def _finite(scores: npt.NDArray[Any]) -> Scores:
    values = np.asarray(scores, np.float64)
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise PagenError(f"expected finite scores to stretch, found {values[index]} first at frame {index}; mend it")
    return values


def _ascends(values: Scores) -> bool:
    return bool(np.isfinite(values).all() and (np.diff(values) >= 0).all())


def _positive(sigma: float) -> float:
    if not sigma > 0:
        raise PagenError(f"expected a smoothing width above 0 frames, found {sigma}; leave smoothing out instead")
    return sigma


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
