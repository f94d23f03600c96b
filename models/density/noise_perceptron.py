"""A perceptron that sees features with noise of any scale, trained to give a log-density (MULDE) or its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pagen.console import progress
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.models.density.detector import Rows, Scores
from pagen.models.density.standard import Standard, Whitening
from pagen.seeds import torch_generator

Objective = Callable[["NoisePerceptron", Tensor, Tensor, Tensor], Tensor]
BETAS = (0.5, 0.9)  # of Adam, as in MULDE


class NoisePerceptron(nn.Module):
    """A perceptron of features and the scale of their noise; GELU between its layers.

    Args:
        features: D.
        outputs: O, 1 for a log-density, D for its gradient.
        widths: of the hidden layers.

    Shape:
        x (N, D), sigma (N, 1) -> (N, O)

    Example:
        >>> network = NoisePerceptron(features=2, widths=(8, 8))
        >>> network(torch.zeros(5, 2), torch.full((5, 1), 0.1)).shape
        torch.Size([5, 1])
    """

    def __init__(self, features: int, outputs: int = 1, widths: Sequence[int] = (4096, 4096)) -> None:
        super().__init__()
        first = nn.Linear(features + 1, widths[0])
        self.first = nn.Parameter(first.weight.detach()[:, :-1].contiguous())
        self.noise = nn.Parameter(first.weight.detach()[:, -1].contiguous())
        self.bias = first.bias
        self.hidden = nn.ModuleList(map(nn.Linear, widths[:-1], widths[1:]))
        self.last = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        """(N, O) of features (N, D) at the scales (N, 1)."""
        return self._above(torch.addcmul(functional.linear(x, self.first, self.bias), sigma, self.noise))

    def at_scales(self, x: Tensor, sigmas: Sequence[float]) -> list[Tensor]:
        """(N, O) for each of the scales; what of the first layer does not depend on them is computed once."""
        below = functional.linear(x, self.first, self.bias)
        return [self._above(torch.add(below, self.noise, alpha=sigma)) for sigma in sigmas]

    def _above(self, values: Tensor) -> Tensor:
        for layer in self.hidden:
            values = layer(functional.gelu(values))
        return cast(Tensor, self.last(functional.gelu(values)))


def fit(
    network: NoisePerceptron,
    rows: Rows,
    standard: Standard | Whitening,
    objective: Objective,
    steps: int = 5000,
    batch: int = 2048,
    lr: float = 5e-4,
    sigmas: Sequence[float] = (1e-3, 1.0),
    device: str = "cpu",
    seed: int = 0,
) -> Scores:
    """Train a network in place, with Adam, each step a function of seed and number; gives each step's loss, (steps,).

    Raises PagenError: no such device, or a loss that is not finite in the end.

    Args:
        rows: the training features, of which a step draws `batch`.
        objective: loss of (network, x, sigma, noise).
        sigmas: lowest and highest scale of the noise, drawn log-uniformly.

    Example:
        >>> from pagen.models.density.mulde import log_density_loss
        >>> rows = Rows((np.random.default_rng(0).normal(size=(40, 2)),))
        >>> network = NoisePerceptron(features=2, widths=(8, 8))
        >>> fit(network, rows, Standard.of(rows), log_density_loss, steps=2, batch=8).shape
        (2,)
    """
    device = device_named(device)
    parameters = list(network.to(device).train().parameters())
    optimiser = torch.optim.Adam(parameters, lr, betas=BETAS, fused=True)
    losses = []
    for step in progress(range(steps), "density", steps, "steps"):
        draw = drawn(rows, standard, batch, sigmas, torch_generator(seed, "noise", step))
        loss = objective(network, *(tensor.to(device) for tensor in draw))
        optimiser.zero_grad()
        loss.backward(inputs=parameters)
        optimiser.step()
        losses.append(loss.detach())
    network.eval()
    history: Scores = torch.stack(losses).cpu().double().numpy()
    if not np.isfinite(history[-1]):
        first = (~np.isfinite(history)).argmax()
        raise PagenError(f"expected a finite loss, found {history[-1]}, the first at step {first}; lower lr")
    return history


def drawn(
    rows: Rows, standard: Standard | Whitening, batch: int, sigmas: Sequence[float], rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Standardised features (batch, D), log-uniform scales (batch, 1), standard normal noise (batch, D).

    Example:
        >>> rows = Rows((np.random.default_rng(0).normal(size=(40, 2)),))
        >>> [tensor.shape for tensor in drawn(rows, Standard.of(rows), 8, (1e-3, 1.0), torch.Generator())]
        [torch.Size([8, 2]), torch.Size([8, 1]), torch.Size([8, 2])]
    """
    indices = torch.randint(len(rows), (batch,), generator=rng).sort().values
    x = torch.from_numpy(standard(rows.take(indices.numpy()))).float()
    low, high = np.log(sigmas)
    sigma = torch.exp(low + (high - low) * torch.rand((batch, 1), generator=rng))
    return x, sigma, torch.randn(x.shape, generator=rng)
