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

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pagen.console import progress
from pagen.device import device_named
from pagen.errors import PagenError, unknown_name
from pagen.models.detectors import Array, Detector, Features, Rows, Scores, State, rows_of
from pagen.models.mixture import Mixture, Standard
from pagen.seeds import entropy, generator, torch_generator

Reduce = Literal["mixture", "max", "mean", "median", "single"]
_JOIN: dict[str, Callable[..., Any]] = {"max": np.max, "mean": np.mean, "median": np.median, "single": np.mean}
Objective = Callable[["NoisePerceptron", Tensor, Tensor, Tensor], Tensor]


class NoisePerceptron(nn.Module):
    """A perceptron of features and the scale of their noise; GELU between its layers.

    Args:
        features: D.
        outputs: O, 1 for a log-density, D for its gradient.
        widths: of the hidden layers.

    Shape:
        x (N, D), sigma (N, 1) -> (N, O)
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
        output: Tensor = self.last(functional.gelu(values))
        return output


def log_density_loss(network: NoisePerceptron, x: Tensor, sigma: Tensor, noise: Tensor, beta: float = 0.1) -> Tensor:
    """Equation 6, halved: mean of |sigma grad f(x + sigma noise) - noise|^2 + beta f(x)^2.

    Args:
        x, noise: (N, D), features and standard normal noise.
        sigma: (N, 1).
        beta: weight of the regulariser, which keeps f's constant alike at all scales; 0: none.
    """
    noisy = torch.addcmul(x, sigma, noise).requires_grad_()
    (gradient,) = torch.autograd.grad(network(noisy, sigma).sum(), noisy, create_graph=True)
    matching = (sigma * gradient - noise).square().sum(1).mean()
    return (matching + beta * network(x, sigma).square().mean()) / 2 if beta else matching / 2


def fit(
    network: NoisePerceptron,
    rows: Rows,
    standard: Standard,
    objective: Objective = log_density_loss,
    steps: int = 5000,
    batch: int = 2048,
    lr: float = 5e-4,
    sigmas: Sequence[float] = (1e-3, 1.0),
    device: str = "cpu",
    seed: int = 0,
) -> Scores:
    """Train a network where it lies, with Adam (0.5, 0.9) as MULDE; every step is a function of seed and number.

    Args:
        rows: the training features, of which a step draws `batch`.
        objective: loss of (network, x, sigma, noise), as `log_density_loss`.
        sigmas: lowest and highest scale of the noise, drawn log-uniformly.

    Returns:
        The loss of every step, (steps,).

    Raises:
        PagenError: no such device, or a loss that is not finite in the end.
    """
    place = device_named(device)
    network.to(place).train()
    parameters = list(network.parameters())
    optimiser = torch.optim.Adam(parameters, lr, betas=(0.5, 0.9), fused=True)
    losses = []
    for step in progress(range(steps), "density", steps, "steps"):
        draw = _drawn(rows, standard, batch, sigmas, torch_generator(seed, "noise", step))
        loss = objective(network, *(tensor.to(place) for tensor in draw))
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


def _drawn(
    rows: Rows, standard: Standard, batch: int, sigmas: Sequence[float], rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Standardised features (batch, D), scales (batch, 1), standard normal noise (batch, D)."""
    indices = torch.randint(len(rows), (batch,), generator=rng).sort().values
    x = torch.from_numpy(standard(rows.take(indices.numpy()))).float()
    low, high = np.log(sigmas)
    sigma = torch.exp(low + (high - low) * torch.rand((batch, 1), generator=rng))
    return x, sigma, torch.randn(x.shape, generator=rng)


@dataclass(eq=False)
class MultiScale(Detector):
    """A network's answer at several scales of noise, joined into one score.

    Args:
        widths: of the network's hidden layers.
        sigmas: lowest and highest scale of the noise, in deviations of the features; training draws log-uniformly
            between them, scoring spaces evenly.
        scales: L of scoring.
        reduce: `mixture`: log-likelihood of the L values under a mixture of Gaussians; `max`, `mean`, `median` of
            the L values, each in deviations of training; `single`: one scale alone.
        single: that scale.
        components: numbers of components that the mixture may have.
        sample: how many training features give the L values that mixture, means and deviations are fitted to.
        steps, batch, lr: of training; the paper has a batch of 2048, and 5e-4 for objects, 1e-4 for frames.
        drop_constant: leave features out that do not vary, instead of refusing them.
        device: a name of torch's, or `auto`; it is not saved.

    Raises:
        PagenError: no such `reduce`; numbers that are not positive; scales that do not ascend.
    """

    widths: Sequence[int] = (4096, 4096)
    sigmas: Sequence[float] = (1e-3, 1.0)
    scales: int = 16
    reduce: Reduce = "mixture"
    single: float = 0.334
    components: int | Sequence[int] = (1, 3, 5)
    sample: int = 100_000
    steps: int = 5000
    batch: int = 2048
    lr: float = 5e-4
    drop_constant: bool = False
    seed: int = 0
    device: str = "cpu"
    network: NoisePerceptron = field(init=False, repr=False)
    standard: Standard = field(init=False, repr=False)
    losses: Scores = field(init=False, repr=False)
    _mixture: Mixture = field(init=False, repr=False)
    _usual: Standard | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if self.reduce not in get_args(Reduce):
            raise unknown_name("reduce", self.reduce, get_args(Reduce))
        if not self.widths or min(*self.widths, self.scales, self.sample, self.steps, self.batch) < 1:
            raise PagenError(f"expected widths, scales, sample, steps and batch of 1 and more, found {self}")
        if len(self.sigmas) != 2 or not 0 < self.sigmas[0] < self.sigmas[1] or self.single <= 0:
            raise PagenError(f"expected sigmas 0 < low < high and a single one above 0, found {self.sigmas}")
        self._mixture = Mixture(self.components, sample=self.sample, seed=self.seed)

    @property
    def levels(self) -> list[float]:
        """The scales of scoring."""
        return (
            [self.single]
            if self.reduce == "single"
            else np.linspace(self.sigmas[0], self.sigmas[1], self.scales).tolist()
        )

    def fit(self, features: Features) -> Self:
        """Standardise, train, and learn what is usual at the scales. Errors as `Detector.fit`, and those of `fit`."""
        rows = rows_of(features, least=max(2, *self._mixture.counts), what=f"{type(self).__name__}")
        self.standard = Standard.of(rows, self.drop_constant)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(entropy(self.seed, "weights") % 2**63)
            self.network = self._new_network(int(self.standard.kept.sum()))
        objective, sigmas = self._objective(), self.sigmas
        settings = self.steps, self.batch, self.lr, sigmas, self.device, self.seed
        self.losses = fit(self.network, rows, self.standard, objective, *settings)
        self.width = rows.width
        if self.reduce != "single":
            self._learn_usual(self.vectors(rows.sample(self.sample, generator(self.seed, "vectors"))))
        return self

    def vectors(self, features: Features) -> Scores:
        """The network's answers at `levels`, features (N, D) -> (N, L). Errors as `score_samples`."""
        rows = rows_of(features, self.fitted())
        return np.concatenate([self._vectors(piece) for piece in rows.pieces(checked=True)])

    @abstractmethod
    def _new_network(self, features: int) -> NoisePerceptron:
        """Untrained, of that many features."""

    @abstractmethod
    def _objective(self) -> Objective:
        """What it is trained for."""

    @abstractmethod
    def _answers(self, x: Tensor) -> Tensor:
        """Of standardised features (N, D'), (N, L), higher = more abnormal."""

    def _vectors(self, piece: Array) -> Scores:
        place = device_named(self.device)
        self.network.to(place)
        answers = self._answers(torch.from_numpy(self.standard(piece)).float().to(place))
        return answers.detach().cpu().double().numpy()

    def _learn_usual(self, vectors: Scores) -> None:
        if self.reduce == "mixture":
            self._mixture.fit(vectors)
        else:
            self._usual = Standard.of(rows_of(vectors))

    def _scores(self, piece: Array) -> Scores:
        vectors = self._vectors(piece)
        if self.reduce == "mixture":
            return self._mixture.score_samples(vectors)
        values = self._usual(vectors) if self._usual else vectors
        joined: Scores = _JOIN[self.reduce](values, 1)
        return -joined

    def _state(self) -> State:
        state = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        state |= self.standard.state("standard")
        if self._usual:
            state |= self._usual.state("usual")
        if self.reduce == "mixture":
            state |= {f"mixture.{name}": tensor for name, tensor in self._mixture._state().items()}
        return state

    def _restore(self, state: State) -> None:
        self.standard = Standard.restored(state, "standard")
        self.network = self._new_network(int(self.standard.kept.sum())).eval()
        self.network.load_state_dict(_below(state, "network."))
        self._usual = Standard.restored(state, "usual") if "usual.mean" in state else None
        if self.reduce == "mixture":
            self._mixture._restore(_below(state, "mixture."))
            self._mixture.width = self.scales


@dataclass(eq=False)
class MULDE(MultiScale):
    """Negative log-densities at several scales of noise, under a mixture of Gaussians.

    Args:
        beta: weight of the regulariser.
    """

    beta: float = 0.1

    def _new_network(self, features: int) -> NoisePerceptron:
        return NoisePerceptron(features, 1, self.widths)

    def _objective(self) -> Objective:
        return partial(log_density_loss, beta=self.beta)

    @torch.inference_mode()
    def _answers(self, x: Tensor) -> Tensor:
        return torch.cat(self.network.at_scales(x, self.levels), 1)


def _below(state: State, prefix: str) -> State:
    """What lies under the prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
