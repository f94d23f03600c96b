from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from pagen.errors import PagenError
from pagen.eval.errors import flow_l2, frame_mse, psnr


def pair(channels: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand((2, 3, channels, 4, 5, 6), generator=generator).unbind()
    return 2 * x - 1, 2 * y - 1


def test_frame_mse_is_the_mean_over_channels_and_pixels() -> None:
    x, y = pair()
    expected = np.square(x.double().numpy() - y.double().numpy()).mean(axis=(1, 3, 4))
    assert frame_mse(x, y).dtype == torch.float64
    np.testing.assert_allclose(frame_mse(x, y), expected, rtol=1e-14)


def test_flow_l2_is_the_end_point_error() -> None:
    x, y = torch.zeros(1, 2, 3, 4, 4), torch.zeros(1, 2, 3, 4, 4)
    y[0, 0, 1], y[0, 1, 1] = 3, 4
    y[0, 0, 2, 0, 0] = 8
    np.testing.assert_allclose(flow_l2(x, y), [[0, 5, 8 / 16]], rtol=1e-14)


def test_errors_of_a_frame_do_not_depend_on_its_company() -> None:
    x, y = pair()
    for error in (frame_mse, flow_l2):
        alone = torch.stack([error(x[b : b + 1, :, t : t + 1], y[b : b + 1, :, t : t + 1])[0, 0] for b, t in GRID])
        assert torch.equal(error(x, y).flatten(), alone)


GRID = [(b, t) for b in range(3) for t in range(4)]


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


def test_shapes_must_agree() -> None:
    with pytest.raises(PagenError, match=r"\(1, 1, 2, 4, 4\) and \(1, 1, 2, 4, 5\)"):
        frame_mse(torch.zeros(1, 1, 2, 4, 4), torch.zeros(1, 1, 2, 4, 5))
