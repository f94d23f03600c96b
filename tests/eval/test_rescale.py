from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from pagen.errors import PagenError
from pagen.eval.rescale import causal_smooth, gaussian_smooth, min_max

lengths = st.integers(1, 40)
sigmas = st.sampled_from([0.3, 1.0, 2.0, 3.5])


def plain_causal(scores: np.ndarray, sigma: float) -> np.ndarray:
    smooth = []
    for t in range(len(scores)):
        past = [(math.exp(-(k**2) / (2 * sigma**2)), scores[t - k]) for k in range(math.ceil(4 * sigma) + 1) if k <= t]
        smooth.append(sum(w * s for w, s in past) / sum(w for w, _ in past))
    return np.array(smooth)


@settings(max_examples=40, deadline=None)
@given(lengths, sigmas, st.integers(0, 2**32 - 1))
def test_causal_smoothing_is_the_plain_loop(length: int, sigma: float, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=length)
    np.testing.assert_allclose(causal_smooth(scores, sigma), plain_causal(scores, sigma), rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(lengths, st.integers(0, 30), sigmas)
def test_causal_smoothing_of_a_prefix_is_a_prefix_to_the_bit(length: int, more: int, sigma: float) -> None:
    scores = np.random.default_rng(length).normal(size=length + more)
    np.testing.assert_array_equal(causal_smooth(scores[:length], sigma), causal_smooth(scores, sigma)[:length])


def test_causal_smoothing_lets_nothing_back_and_keeps_a_constant() -> None:
    impulse = np.zeros(30)
    impulse[12] = 1
    smooth = causal_smooth(impulse, 2.0)
    assert not smooth[:12].any()
    assert smooth[12] == smooth.max()
    assert smooth[12 + 8] > 0 == smooth[12 + 9]
    np.testing.assert_allclose(causal_smooth(np.full(20, 3.5), 2.0), 3.5, rtol=1e-15)


def test_gaussian_smoothing_is_a_sampled_gaussian_with_ends_repeated() -> None:
    scores, sigma = np.random.default_rng(0).normal(size=25), 1.5
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    padded = np.pad(scores, reach, mode="edge")
    expected = [padded[t : t + 2 * reach + 1] @ weights / weights.sum() for t in range(25)]
    np.testing.assert_allclose(gaussian_smooth(scores, sigma), expected, rtol=1e-12)
    np.testing.assert_array_equal(gaussian_smooth(scores, sigma), gaussian_filter1d(scores, sigma, mode="nearest"))


def test_min_max_stretches_to_the_unit_interval() -> None:
    np.testing.assert_array_equal(min_max(np.array([-30.0, -20.0, -25.0])), [0.0, 1.0, 0.5])
    assert min_max(np.array([1, 3], np.uint8)).dtype == np.float64


def test_min_max_of_a_constant_is_zero() -> None:
    np.testing.assert_array_equal(min_max(np.full(4, 7.0)), np.zeros(4))


@pytest.mark.parametrize("change", [min_max, lambda x: causal_smooth(x, 2.0), lambda x: gaussian_smooth(x, 2.0)])
def test_no_frames_stay_no_frames(change) -> None:
    assert change(np.empty(0)).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_min_max_refuses_what_is_not_finite(value: float) -> None:
    with pytest.raises(PagenError, match="first at frame 1"):
        min_max(np.array([0.0, value, 2.0]))


@pytest.mark.parametrize("smooth", [causal_smooth, gaussian_smooth])
@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_smoothing_needs_a_width(smooth, sigma: float) -> None:
    with pytest.raises(PagenError, match="above 0"):
        smooth(np.arange(3.0), sigma)
