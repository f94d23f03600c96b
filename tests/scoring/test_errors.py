from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kornia.filters import gaussian_blur2d
from skimage.metrics import peak_signal_noise_ratio

from pagen.errors import PagenError
from pagen.scoring.errors import (
    Pool,
    flow_error_map,
    frame_bpe,
    frame_means,
    frame_mse,
    frame_pse,
    local_max,
    pooled_error_map,
    psnr,
)

pools = st.builds(
    Pool,
    st.sampled_from([1 / 3, 0.7, 1.0, 2.0]),
    st.integers(1, 3),
    st.sampled_from(["zero", "replicate"]),
    st.sampled_from(["pooled", "full"]),
)
sizes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2), st.integers(1, 9), st.integers(1, 9))


def pair(channels: int = 2, height: int = 5, width: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand((2, 3, channels, 4, height, width), generator=generator).unbind()
    return 2 * x - 1, 2 * y - 1


def constant(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A residual of -1 everywhere."""
    return torch.zeros(1, 1, 1, height, width), torch.ones(1, 1, 1, height, width)


def plain_map(residual: np.ndarray, pool: Pool) -> np.ndarray:
    """Pixel by pixel, with the Gaussian in two dimensions: (C, H, W) -> (h, w)."""
    reach = (2 * round(3 * pool.sigma) - 1) // 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.exp(-(rows**2 + columns**2) / (2 * pool.sigma**2))
    mode = {"zero": "constant", "replicate": "edge"}[pool.padding]
    padded = np.pad(residual, ((0, 0), (reach, reach), (reach, reach)), mode=mode)
    height, width = residual.shape[1:]
    side = 2 * reach + 1

    def pixel(i: int, j: int) -> float:
        blurred = (padded[:, i : i + side, j : j + side] * kernel / kernel.sum()).sum(axis=(1, 2))
        return float((blurred**2).mean())

    return np.array([[pixel(i, j) for j in range(0, width, pool.stride)] for i in range(0, height, pool.stride)])


def test_frame_mse_is_the_mean_over_channels_and_pixels() -> None:
    x, y = pair()
    expected = np.square(x.double().numpy() - y.double().numpy()).mean(axis=(1, 3, 4))
    assert frame_mse(x, y).dtype == torch.float64
    np.testing.assert_allclose(frame_mse(x, y), expected, rtol=1e-14)


def test_the_error_of_flow_is_the_end_point_error() -> None:
    x, y = torch.zeros(1, 2, 3, 4, 4), torch.zeros(1, 2, 3, 4, 4)
    y[0, 0, 1], y[0, 1, 1] = 3, 4
    y[0, 0, 2, 0, 0] = 8
    errors = flow_error_map(x, y)
    np.testing.assert_allclose(errors[0, 1:, 0, :2], [[5, 5], [8, 0]], rtol=1e-14)
    np.testing.assert_allclose(frame_means(errors), [[0, 5, 8 / 16]], rtol=1e-14)


@settings(max_examples=40, deadline=None)
@given(sizes, pools)
def test_the_map_is_the_plain_loop_and_bpe_its_normalised_sum(shape: tuple[int, ...], pool: Pool) -> None:
    x, y = torch.rand((2, *shape), generator=torch.Generator().manual_seed(shape[-1])).unbind()
    residual = (x.double() - y.double()).numpy()
    plain = np.array([[plain_map(residual[b, :, t], pool) for t in range(shape[2])] for b in range(shape[0])])
    np.testing.assert_allclose(pooled_error_map(x, y, pool), plain, rtol=1e-10, atol=1e-15)
    counted = plain[0, 0].size if pool.normaliser == "pooled" else shape[3] * shape[4]
    np.testing.assert_allclose(frame_bpe(x, y, pool), plain.sum((2, 3)) / counted, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize(("padding", "border"), [("zero", "constant"), ("replicate", "replicate")])
def test_the_blur_is_kornias_gaussian_at_even_pixels(padding, border: str) -> None:
    x, y = pair(channels=1, height=17, width=24)
    blurred = gaussian_blur2d((x - y)[:, 0].double(), (5, 5), (1.0, 1.0), border_type=border)
    bpe, pse = blurred[..., ::2, ::2].square(), blurred.square()
    np.testing.assert_allclose(pooled_error_map(x, y, Pool(padding=padding)), bpe, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(frame_bpe(x, y, Pool(padding=padding)), bpe.mean((2, 3)), rtol=1e-6)
    np.testing.assert_allclose(frame_pse(x, y, Pool(padding=padding)), pse.mean((2, 3)), rtol=1e-6)


def test_the_kernel_sums_to_1_and_is_6_sigma_minus_1_wide() -> None:
    assert Pool().weights()[2] ** 2 == pytest.approx(0.1621, abs=5e-5)
    for thirds in range(1, 10):
        weights = Pool(thirds / 3).weights()
        assert len(weights) == 2 * thirds - 1
        assert math.fsum(weights) == pytest.approx(1, abs=1e-15)


def test_a_constant_residual_is_less_at_a_zero_border_and_itself_at_a_repeated_one() -> None:
    x, y = constant(20, 24)
    blurred = pooled_error_map(x, y, Pool())[0, 0].sqrt()
    assert blurred.shape == (10, 12)
    assert float(blurred[0, 0]) == pytest.approx(0.49, abs=5e-3)
    assert float(blurred[0, 5]) == float(blurred[5, 0]) == pytest.approx(0.70, abs=5e-3)
    np.testing.assert_allclose(blurred[1:9, 1:11], 1, rtol=1e-14)
    np.testing.assert_allclose(pooled_error_map(x, y, Pool(padding="replicate")), 1, rtol=1e-14)


def test_white_noise_is_reduced_to_the_kernels_energy() -> None:
    noise = torch.randn(4, 1, 16, 64, 64, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros_like(noise)
    energy = math.fsum(weight**2 for weight in Pool().weights()) ** 2
    assert energy == pytest.approx(0.082, abs=1e-3)
    mse = frame_mse(noise, nothing).mean()
    for stride in (1, 2):
        inside = pooled_error_map(noise, nothing, Pool(stride=stride))[..., 2:-2, 2:-2].mean()
        assert float(inside / mse) == pytest.approx(energy, rel=0.03)


def test_the_residual_is_blurred_before_it_is_squared() -> None:
    signs = torch.tensor([1.0, -1.0]).repeat(16)
    board, nothing = torch.outer(signs, signs)[None, None, None], torch.zeros(1, 1, 1, 32, 32)
    assert float(frame_mse(board, nothing)) == 1
    assert float(pooled_error_map(board, nothing)[..., 2:-2, 2:-2].max()) < 1e-6


def test_the_papers_normaliser_gives_a_quarter() -> None:
    x, y = pair(height=8, width=12)
    paper, code = frame_bpe(x, y, Pool(normaliser="full")), frame_bpe(x, y, Pool(normaliser="pooled"))
    np.testing.assert_allclose(code, 4 * paper, rtol=1e-14)
    assert torch.equal(frame_pse(x, y, Pool(normaliser="full")), frame_pse(x, y))


def test_without_blur_and_stride_bpe_is_mse() -> None:
    x, y = pair()
    assert torch.equal(frame_bpe(x, y, Pool(sigma=1 / 3, stride=1)), frame_pse(x, y, Pool(sigma=1 / 3)))
    np.testing.assert_allclose(frame_bpe(x, y, Pool(sigma=1 / 3, stride=1)), frame_mse(x, y), rtol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 14))
def test_local_max_is_the_highest_of_all_windows(height: int, width: int, size: int) -> None:
    errors = np.random.default_rng(size).random((2, 3, height, width))
    rows, columns = min(size, height), min(size, width)
    windows = np.lib.stride_tricks.sliding_window_view(errors, (rows, columns), axis=(2, 3))
    expected = windows.mean(axis=(4, 5)).max(axis=(2, 3))
    np.testing.assert_allclose(local_max(torch.from_numpy(errors), size), expected, rtol=1e-13)


def test_local_max_does_not_follow_the_crowd() -> None:
    errors = torch.zeros(1, 2, 60, 60, dtype=torch.float64)
    errors[0, :, 20:26, 30:36] = 1
    errors[0, 1, 50:] = 0.2
    one, many = local_max(errors)[0]
    assert float(one) == float(many) == pytest.approx(36 / 144)
    assert float(local_max(errors, 1)[0, 0]) == 1
    assert float(local_max(errors, 99)[0, 0]) == pytest.approx(float(errors[0, 0].mean()))


ERRORS = {
    "mse": frame_mse,
    "pse": frame_pse,
    "bpe": frame_bpe,
    "local": lambda x, y: local_max(pooled_error_map(x, y), 4),
    "flow": lambda x, y: frame_means(flow_error_map(x, y)),
}
GRID = [(b, t) for b in range(2) for t in range(2)]


@pytest.mark.parametrize("size", [(2, 5, 6), (3, 161, 243)])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_a_frame_do_not_depend_on_its_company(name: str, size: tuple[int, int, int]) -> None:
    x, y = (clips[:2, :, :2] for clips in pair(*size))
    y = y.contiguous(memory_format=torch.channels_last_3d)
    error = ERRORS[name]
    alone = torch.stack([error(x[b : b + 1, :, t : t + 1], y[b : b + 1, :, t : t + 1])[0, 0] for b, t in GRID])
    assert torch.equal(error(x, y).flatten(), alone)


def test_psnr_is_scikit_images() -> None:
    x, y = pair(1)
    ours = psnr(frame_mse(x, y), peak=2.0)
    for b, t in GRID:
        unit = [(clip[b, 0, t].double().numpy() + 1) / 2 for clip in (x, y)]
        assert float(ours[b, t]) == pytest.approx(peak_signal_noise_ratio(*unit, data_range=1.0), abs=1e-10)


def test_psnr_of_lntra_lies_6_db_lower() -> None:
    mse = torch.tensor([0.01, 0.5], dtype=torch.float64)
    np.testing.assert_allclose(psnr(mse, 2.0) - psnr(mse, 1.0), 6.0206, atol=1e-4)


def test_psnr_of_a_perfect_frame_is_finite() -> None:
    assert float(psnr(torch.zeros(()), 2.0)) == pytest.approx(120)


@pytest.mark.parametrize("error", [frame_mse, frame_pse, frame_bpe, pooled_error_map, flow_error_map])
def test_shapes_must_agree(error) -> None:
    with pytest.raises(PagenError, match=r"\(1, 1, 2, 4, 4\) and \(1, 1, 2, 4, 5\)"):
        error(torch.zeros(1, 1, 2, 4, 4), torch.zeros(1, 1, 2, 4, 5))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sigma": 0.3}, "found 0.3 and 2"),
        ({"sigma": math.nan}, "found nan and 2"),
        ({"sigma": math.inf}, "found inf and 2"),
        ({"stride": 0}, "found 1.0 and 0"),
        ({"padding": "reflect"}, "no padding named 'reflect'.*replicate zero"),
        ({"normaliser": "pool"}, "no normaliser named 'pool'; did you mean 'pooled'"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(options: dict, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        Pool(**options)


def test_a_window_has_a_pixel() -> None:
    with pytest.raises(PagenError, match="found 0"):
        local_max(torch.zeros(1, 1, 4, 4), 0)
