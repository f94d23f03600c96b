"""Rescaling and smoothing of a video's scores, each a function of its own; nothing here is applied unasked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

Scores = npt.NDArray[np.float64]


def min_max(scores: npt.NDArray[Any]) -> Scores:
    """Scores (T,) of one video stretched to [0, 1]; it needs the whole video and so looks ahead.

    Where all scores are equal there is nothing to stretch: all become 0.

    Raises:
        PagenError: a score that is not finite.
    """
    values = np.asarray(scores, np.float64)
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise PagenError(f"expected finite scores to stretch, found {values[index]} first at frame {index}; mend it")
    if len(values) == 0 or values.min() == values.max():
        return np.zeros_like(values)
    stretched: Scores = (values - values.min()) / (values.max() - values.min())
    return stretched


def causal_smooth(scores: npt.NDArray[Any], sigma: float) -> Scores:
    """Mean of the present and past scores under half a Gaussian: no look-ahead.

    Frame t gets sum_k w_k s_(t-k) / sum_k w_k with w_k = exp(-k^2 / (2 sigma^2)), k from 0 to
    ceil(4 sigma), both sums over the frames that exist: at the start there are fewer.

    Args:
        scores: (T,) of one video.
        sigma: width in frames, above 0.
    """
    values = np.asarray(scores, np.float64)
    total, weight = np.zeros_like(values), np.zeros_like(values)
    for back in range(min(math.ceil(4 * _positive(sigma)) + 1, len(values))):
        share = math.exp(-(back**2) / (2 * sigma**2))
        total[back:] += share * values[: len(values) - back]
        weight[back:] += share
    smooth: Scores = total / weight
    return smooth


def gaussian_smooth(scores: npt.NDArray[Any], sigma: float) -> Scores:
    """Scores (T,) of one video under a Gaussian of `sigma` frames, ends repeated; looks 4 sigma ahead."""
    from scipy.ndimage import gaussian_filter1d

    values = np.asarray(scores, np.float64)
    if len(values) == 0:
        return values
    smooth: Scores = gaussian_filter1d(values, _positive(sigma), mode="nearest")
    return smooth


def _positive(sigma: float) -> float:
    if not sigma > 0:
        raise PagenError(f"expected a smoothing width above 0 frames, found {sigma}; leave smoothing out instead")
    return sigma
