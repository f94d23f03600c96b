"""MULDE (Micorek et al., "MULDE: Multiscale Log-Density Estimation via Denoising Score Matching", CVPR 2024).

A perceptron f(x, sigma) learns the negative log-density, up to a constant, of the training features with Gaussian
noise of deviation sigma: its gradient is to point along the noise (equation 6, lambda = sigma^2). The vector of f at
L scales is then judged by a mixture of Gaussians. As in the released code: GELU, sigma goes in as it is, and both
terms of the loss are halved; unlike it, the regulariser is on, as in the paper.

Deviations: each step draws its batch anew from the seed and its number, where the paper goes through epochs; the
mixture is fitted in float64, from several beginnings, on standardised vectors, of a sample where features are many.
The gradient of the loss goes to the parameters alone: the same products of matrices as its closed form has, and
fewer than plain double backward.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pagen.models.density.multiscale import MultiScale
from pagen.models.density.noise_perceptron import NoisePerceptron, Objective


def log_density_loss(network: NoisePerceptron, x: Tensor, sigma: Tensor, noise: Tensor, beta: float = 0.1) -> Tensor:
    """Equation 6, halved: mean of |sigma grad f(x + sigma noise) - noise|^2 + beta f(x)^2.

    Args:
        x, noise: (N, D), features and standard normal noise.
        sigma: (N, 1).
        beta: weight of the regulariser, which keeps f's constant alike at all scales; 0: none.

    Example:
        >>> network, x = NoisePerceptron(features=2, widths=(8,)), torch.zeros(5, 2)
        >>> log_density_loss(network, x, torch.full((5, 1), 0.1), torch.randn(5, 2)).shape
        torch.Size([])
    """
    noisy = torch.addcmul(x, sigma, noise).requires_grad_()
    (gradient,) = torch.autograd.grad(network(noisy, sigma).sum(), noisy, create_graph=True)
    matching = (sigma * gradient - noise).square().sum(1).mean()
    return (matching + beta * network(x, sigma).square().mean()) / 2 if beta else matching / 2


@dataclass(eq=False)
class MULDE(MultiScale):
    """Negative log-densities at several scales of noise, under a mixture of Gaussians.

    Args:
        beta: weight of the regulariser.

    Example:
        >>> features = torch.randn(40, 2)
        >>> detector = MULDE(widths=(8,), scales=4, reduce="max", steps=2, batch=8).fit(features)
        >>> detector.anomaly_score(features).shape, detector.vectors(features).shape
        ((40,), (40, 4))
    """

    beta: float = 0.1

    def objective(self) -> Objective:
        return partial(log_density_loss, beta=self.beta)

    @torch.inference_mode()
    def _answers(self, x: Tensor) -> Tensor:
        return torch.cat(self.network.at_scales(x, self.levels), 1)
