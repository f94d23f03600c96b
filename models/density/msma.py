"""MSMA (Mahmood et al., "Multiscale Score Matching for Out-of-Distribution Detection", ICLR 2021) for features.

The length of the log-density's gradient at several scales of noise, judged by a mixture of Gaussians. As MULDE's
authors did for video, the network is MULDE's perceptron with D outputs, trained and scored at MULDE's scales; the
original has ten discrete levels from 0.01 to 1 and a convolutional network. Lengths are weighted by sigma and not
squared, as in the original; MULDE's release squares them, does not weigh them, and takes the gradient of its
log-density network: `MSMA(network_kind="density", norm="squared")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from pagen.errors import require_name
from pagen.models.density.mulde import log_density_loss
from pagen.models.density.multiscale import MultiScale
from pagen.models.density.noise_perceptron import NoisePerceptron, Objective

Kind = Literal["score", "density"]
Norm = Literal["weighted", "squared"]


def score_loss(network: NoisePerceptron, x: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """Denoising score matching, halved: mean of |sigma s(x + sigma noise) + noise|^2; s is the log-density's gradient.

    Args:
        x, noise: (N, D), features and standard normal noise.
        sigma: (N, 1).

    Example:
        >>> network, x = NoisePerceptron(features=2, outputs=2, widths=(8,)), torch.zeros(5, 2)
        >>> score_loss(network, x, torch.full((5, 1), 0.1), torch.randn(5, 2)).shape
        torch.Size([])
    """
    score: Tensor = network(torch.addcmul(x, sigma, noise), sigma)
    return (sigma * score + noise).square().sum(1).mean() / 2


@dataclass(eq=False)
class MSMA(MultiScale):
    """Lengths of the log-density's gradient at several scales of noise, under a mixture of Gaussians.

    Raises PagenError: no such network or norm.

    Args:
        network_kind: `score`: a network of D outputs; `density`: the gradient of MULDE's, which has no curl.
        norm: `weighted`: sigma |s|; `squared`: |s|^2.
        beta: weight of the regulariser of `density`.

    Example:
        >>> features = torch.randn(40, 2)
        >>> detector = MSMA(widths=(8,), scales=4, reduce="max", steps=2, batch=8).fit(features)
        >>> detector.anomaly_score(features).shape, detector.vectors(features).shape
        ((40,), (40, 4))
    """

    network_kind: Kind = "score"
    norm: Norm = "weighted"
    beta: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_name("network", self.network_kind, get_args(Kind))
        require_name("norm", self.norm, get_args(Norm))

    def _new_network(self, features: int) -> NoisePerceptron:
        return NoisePerceptron(features, features if self.network_kind == "score" else 1, self.widths)

    def objective(self) -> Objective:
        return score_loss if self.network_kind == "score" else partial(log_density_loss, beta=self.beta)

    def _answers(self, x: Tensor) -> Tensor:
        if self.network_kind == "score":
            with torch.inference_mode():
                gradients = self.network.at_scales(x, self.levels)
        else:  # the sign is lost in the length
            x = x.requires_grad_()
            outputs = (self.network(x, torch.full_like(x[:, :1], sigma)) for sigma in self.levels)
            gradients = [torch.autograd.grad(output.sum(), x)[0] for output in outputs]
        lengths = torch.stack([gradient.norm(dim=1) for gradient in gradients], 1)
        return lengths.square() if self.norm == "squared" else lengths * lengths.new_tensor(self.levels)
