from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.stats import percentileofscore
from sklearn.preprocessing import RobustScaler

from pagen.errors import PagenError
from pagen.scoring.rescale import calibrated, min_max, robust, robust_causal, to_quantile
from pagen.scoring.smooth import causal_smooth, gaussian_smooth

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


@pytest.mark.parametrize(
    "change", [min_max, robust, robust_causal, lambda x: causal_smooth(x, 2.0), lambda x: gaussian_smooth(x, 2.0)]
)
def test_no_frames_stay_no_frames(change) -> None:
    assert change(np.empty(0)).shape == (0,)


@pytest.mark.parametrize("change", [min_max, robust, robust_causal])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_stretching_refuses_what_is_not_finite(change, value: float) -> None:
    with pytest.raises(PagenError, match="first at frame 1"):
        change(np.array([0.0, value, 2.0]))


@pytest.mark.parametrize("smooth", [causal_smooth, gaussian_smooth])
@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_smoothing_needs_a_width(smooth, sigma: float) -> None:
    with pytest.raises(PagenError, match="above 0"):
        smooth(np.arange(3.0), sigma)


def test_robust_is_equation_16() -> None:
    scores = np.arange(101.0)[::-1] ** 2
    np.testing.assert_allclose(robust(scores), (scores - 50**2) / (99**2 - 1), rtol=1e-15)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_robust_is_scikit_learns(length: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=length)
    expected = RobustScaler(quantile_range=(1, 99)).fit_transform(scores[:, None])[:, 0]
    np.testing.assert_allclose(robust(scores), expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 50), st.sampled_from([1e-3, 1.0, 1e3]), st.sampled_from([0.0, -7.0, 40.0]), st.integers(0, 99))
def test_robust_knows_neither_unit_nor_zero_and_keeps_the_order(
    length: int, scale: float, offset: float, seed: int
) -> None:
    scores = np.random.default_rng(seed).normal(size=length)
    np.testing.assert_allclose(robust(scores * scale + offset), robust(scores), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(robust(-scores), -robust(scores), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(np.argsort(robust(scores)), np.argsort(scores))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_robust_causal_is_robust_of_what_has_come_so_far(length: int, seed: int) -> None:
    """Frame by frame, with numpy's percentiles of the frames up to there."""
    scores = np.random.default_rng(seed).integers(-4, 5, length).astype(float)
    expected = []
    for frame in range(length):
        low, middle, high = np.percentile(scores[: frame + 1], [1, 50, 99])
        expected.append((scores[frame] - middle) / (high - low if high > low else 1))
    np.testing.assert_allclose(robust_causal(scores), np.array(expected), rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_robust_causal_of_a_prefix_is_a_prefix_to_the_bit(length: int, more: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=length + more)
    np.testing.assert_array_equal(robust_causal(scores[:length]), robust_causal(scores)[:length])
    assert robust_causal(scores)[-1] == pytest.approx(robust(scores)[-1])


def test_robust_causal_begins_at_nothing_and_stays_finite() -> None:
    np.testing.assert_array_equal(robust_causal(np.array([7.0])), [0])
    np.testing.assert_array_equal(robust_causal(np.full(5, -3.0)), np.zeros(5))
    begun = robust_causal(np.array([0.0, 1e-300, 1e300]))
    assert np.isfinite(begun).all()
    assert np.abs(begun).max() < 2


def test_robust_of_scores_without_a_range_only_shifts() -> None:
    np.testing.assert_array_equal(robust(np.full(4, 7.0)), np.zeros(4))
    scores = np.full(300, 7.0)
    scores[100] = 10
    np.testing.assert_array_equal(robust(scores), scores - 7)


def test_one_outlier_moves_min_max_but_hardly_robust() -> None:
    scores = np.random.default_rng(0).normal(size=400)
    struck = np.append(scores, 1e6)
    assert np.abs(min_max(struck)[:-1]).max() < 1e-5
    assert np.abs(robust(struck)[:-1] - robust(scores)).max() < 0.05


def test_calibrated_is_closed_form_for_each_score_by_itself() -> None:
    quantiles = {"p1": 1.0, "median": 2.0, "p99": 5.0}
    scores = np.array([[2.0, 6.0], [0.0, np.nan]])
    np.testing.assert_array_equal(calibrated(scores, quantiles), [[0, 1], [-0.5, np.nan]])
    np.testing.assert_array_equal(calibrated(scores, {"p1": 2.0, "median": 2.0, "p99": 2.0}), scores - 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_robust_is_calibrated_on_the_video_itself(length: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=length)
    quantiles = dict(zip(("p1", "median", "p99"), np.percentile(scores, [1, 50, 99]).tolist(), strict=True))
    np.testing.assert_array_equal(calibrated(scores, quantiles), robust(scores))
    np.testing.assert_array_equal(calibrated(scores[:7], quantiles), robust(scores)[:7])


@pytest.mark.parametrize(
    "quantiles",
    [
        {"p1": 0.0, "p99": 1.0},
        {"p1": 0.0, "median": 2.0, "p99": 1.0},
        {"p1": np.nan, "median": 0.0, "p99": 1.0},
        {"p1": 0.0, "median": 0.0, "p99": np.inf},
    ],
)
def test_calibration_needs_ascending_quantiles(quantiles: dict) -> None:
    with pytest.raises(PagenError, match="ascending quantiles p1, median, p99"):
        calibrated(np.zeros(3), quantiles)


def test_to_quantile_is_linear_between_and_alike_beyond() -> None:
    grid, values = np.array([0.0, 0.5, 0.9, 1.0]), np.array([1.0, 3.0, 3.0, 7.0])
    scores = np.array([[-np.inf, 1.0, 2.0, 3.0], [5.0, 7.0, 99.0, np.nan]])
    np.testing.assert_allclose(to_quantile(scores, grid, values), [[0, 0, 0.25, 0.9], [0.95, 1, 1, np.nan]])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_to_quantile_is_the_share_of_training_scores_below(length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    training, scores = rng.normal(size=length), rng.normal(size=50)
    grid = np.linspace(0, 1, length)
    shares = to_quantile(scores, grid, np.quantile(training, grid))
    below = percentileofscore(training, scores, kind="weak") / 100
    np.testing.assert_allclose(shares, below, atol=1 / (length - 1))
    np.testing.assert_allclose(to_quantile(np.sort(training), grid, np.quantile(training, grid)), grid, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_to_quantile_keeps_the_order_and_knows_no_unit(length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, scores = np.sort(rng.normal(size=length)), np.sort(rng.normal(size=50))
    grid = np.linspace(0, 1, length)
    shares = to_quantile(scores, grid, values)
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert (np.diff(shares) >= -1e-15).all()
    np.testing.assert_allclose(to_quantile(8 * scores, grid, 8 * values), shares, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("grid", "values"),
    [([0, 1], [0, 1, 2]), ([0], [1]), ([0, 1], [2, 1]), ([1, 0], [1, 2]), ([0, 1], [0, np.nan]), ([0, 1], [0, np.inf])],
)
def test_a_table_of_quantiles_ascends(grid: list, values: list) -> None:
    with pytest.raises(PagenError, match="ascend"):
        to_quantile(np.zeros(3), np.array(grid, float), np.array(values, float))
