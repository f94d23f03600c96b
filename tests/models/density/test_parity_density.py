"""Our density network, velocities and smoothing against numbers of the official code of MULDE and AccI-VAD.

`data/parity_density.npz` holds what that code gave in double precision (velocities: float32) on inputs and weights made
by `pattern` of the other parity tests. Of commits f821b96 (MULDE) and 88ebc02 (AccI-VAD), whose histogram wanted one
`.item()` more to run on numpy of today.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.eval.metrics.roc import macro_auroc, micro_auroc
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.features.velocity import histograms
from pagen.models.density.msma import score_loss
from pagen.models.density.mulde import log_density_loss
from pagen.models.density.noise_perceptron import NoisePerceptron

HERE = Path(__file__).parent
OFFICIAL = dict(np.load(HERE / "data/parity_density.npz", allow_pickle=False))
FEATURES, WIDTH, ROWS = 6, 16, 5
SIGMAS = (0.001, 0.334, 1.0)


def pattern(shape: tuple[int, ...], place: int) -> Any:
    spec: Any = importlib.util.spec_from_file_location("parity", HERE.parent / "test_parity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pattern(shape, place)


def rows(place: int, width: int = FEATURES) -> Tensor:
    return torch.from_numpy(pattern((ROWS, width), place))


def network(outputs: int) -> NoisePerceptron:
    """With the official network's weights, whose first layer takes the scale as its last column."""
    made = NoisePerceptron(FEATURES, outputs, (WIDTH, WIDTH)).double()
    shapes = [(WIDTH, FEATURES + 1), (WIDTH,), (WIDTH, WIDTH), (WIDTH,), (outputs, WIDTH), (outputs,)]
    values = [
        torch.from_numpy(pattern(shape, place) * (2 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.3))
        for place, shape in enumerate(shapes)
    ]
    first, bias, hidden, hidden_bias, last, last_bias = values
    state = {"first": first[:, :-1], "noise": first[:, -1], "bias": bias, "hidden.0.weight": hidden}
    made.load_state_dict({**state, "hidden.0.bias": hidden_bias, "last.weight": last, "last.bias": last_bias})
    return made


@pytest.mark.parametrize(("name", "outputs"), [("density", 1), ("score", FEATURES)])
def test_the_network_at_every_scale(name: str, outputs: int) -> None:
    made, x = network(outputs), rows(90)
    for sigma, found in zip(SIGMAS, made.at_scales(x, SIGMAS), strict=True):
        expected = OFFICIAL[f"{name}_f_{sigma}"]
        np.testing.assert_allclose(found.detach(), expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            made(x, torch.full((ROWS, 1), sigma, dtype=torch.float64)).detach(), expected, rtol=1e-9
        )


def test_lengths_of_the_gradient() -> None:
    made, x = network(1), rows(90).requires_grad_()
    for sigma in SIGMAS:
        (gradient,) = torch.autograd.grad(made(x, torch.full((ROWS, 1), sigma, dtype=torch.float64)).sum(), x)
        np.testing.assert_allclose(gradient.square().sum(1), OFFICIAL[f"norm_{sigma}"], rtol=1e-9)


def test_the_loss_and_its_gradient() -> None:
    made, sigma = network(1), 0.5 + 0.45 * rows(92, 1)
    loss = log_density_loss(made, rows(90), sigma, rows(91), beta=0.1)
    loss.backward()
    assert loss.item() == pytest.approx(float(OFFICIAL["loss"]), rel=1e-9)
    first: Any = torch.cat([made.first.grad, made.noise.grad[:, None]], 1)  # type: ignore[list-item, index]
    others: list[Any] = [made.bias, *made.hidden.parameters(), *made.last.parameters()]
    gradient = torch.cat([first.ravel(), *(each.grad.ravel() for each in others)])
    np.testing.assert_allclose(gradient, OFFICIAL["grad"], rtol=1e-8, atol=1e-12)


def test_the_score_network_has_the_sign_of_the_score() -> None:
    """The release trains it by the same line: its output plus noise over the variance."""
    made, x, noise, sigma = network(FEATURES), rows(90), rows(91), 0.5 + 0.45 * rows(92, 1)
    output = made(x + noise * sigma, sigma)
    released = ((output + noise * sigma / sigma**2).norm(dim=1) ** 2 * sigma.ravel() ** 2).mean() / 2
    assert score_loss(made, x, sigma, noise).item() == pytest.approx(released.item(), rel=1e-9)


@pytest.mark.parametrize("bins", [1, 8])
def test_velocities(bins: int) -> None:
    flow = 4 * pattern((2, 30, 40), 93).astype(np.float32)
    (found,) = histograms(flow, np.array([[0, 0, 40, 30]], np.float32), bins)
    np.testing.assert_allclose(found, OFFICIAL[f"velocity_{bins}"], rtol=1e-5)


def test_smoothing_and_both_areas_of_accivad() -> None:
    ends = [(0, 60), (60, 110), (110, 150)]
    scores, labels = pattern((150,), 94) + 1, (pattern((150,), 95) > 0).astype(int)
    by_video, marks = ({str(a): each[a:b] for a, b in ends} for each in (scores, labels))
    final, kept = apply(PROTOCOLS["accivad"], {"deep": by_video}, marks, "ped2")
    np.testing.assert_allclose(np.concatenate([final[str(a)] for a, _ in ends]), OFFICIAL["smooth"], rtol=1e-12)
    assert micro_auroc(final, kept) == pytest.approx(float(OFFICIAL["micro"]), abs=1e-12)
    assert macro_auroc(final, kept, "accivad").value == pytest.approx(float(OFFICIAL["macro"]), abs=1e-12)
