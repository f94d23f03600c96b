"""Smoothing of the scores of one video over time; nothing here is applied unasked."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

Scores = npt.NDArray[np.float64]


def causal_smooth(scores: npt.NDArray[Any], sigma: float) -> Scores:
    """Mean of the present and past scores (T,) of one video under half a Gaussian of `sigma` frames: no look-ahead.

    Frame t gets sum_k w_k s_(t-k) / sum_k w_k with w_k = exp(-k^2 / (2 sigma^2)), k from 0 to ceil(4 sigma), both sums
    over the frames that exist: at the start there are fewer.

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
    return total / weight


def gaussian_smooth(scores: npt.NDArray[Any], sigma: float, ends: str = "nearest") -> Scores:
    """Scores (T,) of one video under a Gaussian of `sigma` frames; looks 4 sigma ahead.

    `ends` is what lies beyond them, as scipy calls it: `nearest` repeats the last ones, `reflect` mirrors them.

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


SMOOTHING: dict[str, Callable[[npt.NDArray[Any], float], Scores]] = {
    "none": lambda scores, sigma: np.asarray(scores, np.float64),
    "causal": causal_smooth,
    "gaussian": gaussian_smooth,
    "reflected": partial(gaussian_smooth, ends="reflect"),
}
"""`reflected` is the Gaussian with the video's ends reflected, as scipy has it by default."""


def _positive(sigma: float) -> float:
    if not sigma > 0:
        raise PagenError(f"expected a smoothing width above 0 frames, found {sigma}; leave smoothing out instead")
    return sigma
