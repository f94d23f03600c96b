from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from pagen.errors import PagenError
from pagen.models.density.detector import rows_of
from pagen.models.density.mixture import Mixture
from pagen.models.density.msma import MSMA, score_loss
from pagen.models.density.noise_perceptron import NoisePerceptron, fit
from pagen.models.density.standard import Standard

SMALL: dict[str, Any] = {"widths": (8, 8), "scales": 5, "steps": 3, "batch": 16, "components": 1}


def features(count: int = 100, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(3, 2, (count, 4))


def test_the_loss_is_the_published_one() -> None:
    torch.manual_seed(0)
    made = NoisePerceptron(4, 4, (8,)).double()
    x, noise = torch.randn(2, 9, 4, dtype=torch.float64)
    sigma = 0.1 + torch.rand(9, 1, dtype=torch.float64)
    noisy = x + sigma * noise
    residual = made(noisy, sigma) + (noisy - x) / sigma**2
    expected = 0.5 * (sigma[:, 0] ** 2 * residual.square().sum(1)).mean()
    torch.testing.assert_close(score_loss(made, x, sigma, noise), expected)


@pytest.mark.slow
def test_the_score_of_a_gaussian_is_learnt() -> None:
    rows = rows_of(np.random.default_rng(0).standard_normal((20_000, 2)))
    torch.manual_seed(0)
    made = NoisePerceptron(2, 2, (64, 64))
    for seed, lr in enumerate((5e-3, 5e-4)):
        fit(made, rows, Standard(np.zeros(2), np.ones(2)), score_loss, 250, 512, lr, (0.1, 1.0), seed=seed)
    x = torch.randn(1000, 2, generator=torch.Generator().manual_seed(1))
    for sigma in (0.2, 0.5, 1.0):
        with torch.no_grad():
            error = made(x, torch.full((1000, 1), sigma)) + x / (1 + sigma**2)
        assert error.norm(dim=1).square().mean().sqrt() < 0.15


@pytest.mark.parametrize("norm", ["weighted", "squared"])
@pytest.mark.parametrize("kind", ["score", "density"])
def test_vectors_are_lengths_at_every_scale(kind: Any, norm: Any) -> None:
    detector = MSMA(**SMALL, network_kind=kind, norm=norm).fit(features())
    x = torch.from_numpy(detector.standard(features(7, 1))).double()
    network = detector.network.double()

    def f(at: Tensor, sigma: float) -> Tensor:
        return network(at, torch.full_like(at[:, :1], sigma))

    def slope(at: Tensor, sigma: float) -> Tensor:
        steps = torch.eye(4, dtype=torch.float64) * 1e-5
        return torch.cat([(f(at + step, sigma) - f(at - step, sigma)) / 2e-5 for step in steps], 1)

    columns = []
    with torch.no_grad():
        for sigma in np.linspace(1e-3, 1, 5):
            length = (f(x, sigma) if kind == "score" else slope(x, sigma)).norm(dim=1)
            columns.append(length**2 if norm == "squared" else sigma * length)
    network.float()
    np.testing.assert_allclose(detector.vectors(features(7, 1)), torch.stack(columns, 1), rtol=1e-4)


def test_the_mixture_judges_the_lengths() -> None:
    detector, new = MSMA(**SMALL).fit(features()), features(9, 1)
    mixture = Mixture(components=1).fit(detector.vectors(features()))
    np.testing.assert_allclose(detector.score_samples(new), mixture.score_samples(detector.vectors(new)))


def test_what_lies_beside_a_cloud_is_abnormal() -> None:
    detector = MSMA(widths=(32, 32), scales=8, steps=300, batch=256, lr=3e-3).fit(features(2000))
    labels = np.repeat([0, 1], 200)
    scores = detector.anomaly_score(np.concatenate([features(200, 1), features(200, 2) + 9]))
    assert roc_auc_score(labels, scores) > 0.99


def test_errors() -> None:
    with pytest.raises(PagenError, match="no network named 'density_'; did you mean 'density'"):
        MSMA(network_kind="density_")  # type: ignore[arg-type]
    with pytest.raises(PagenError, match="no norm named 'square'; did you mean 'squared'"):
        MSMA(norm="square")  # type: ignore[arg-type]
    with pytest.raises(PagenError, match="no reduce named"):
        MSMA(reduce="sum")  # type: ignore[arg-type]
