"""A network's answers at several scales of noise, joined into one score: what MULDE and MSMA have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import torch
from torch import Tensor

from pagen.device import device_named
from pagen.errors import PagenError, require_counts, require_name
from pagen.models.density.detector import Array, Detector, Features, Rows, Scores, State, rows_of
from pagen.models.density.mixture import Mixture
from pagen.models.density.noise_perceptron import NoisePerceptron, Objective, fit
from pagen.models.density.standard import Standard, Whitening
from pagen.seeds import entropy, generator

Reduce = Literal["mixture", "max", "mean", "median", "single"]
_JOIN: dict[str, Callable[..., Any]] = {"max": np.max, "mean": np.mean, "median": np.median, "single": np.mean}


@dataclass(eq=False)
class MultiScale(Detector):
    """A network's answer at several scales of noise, joined into one score.

    Raises PagenError: no such `reduce`; numbers that are not positive; scales that do not ascend.

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
        principal: of features wider than that, so many principal components are taken, each of deviation 1, in place of
            the features; 0 takes the features, as MULDE.
        steps, batch, lr: of training; the paper has a batch of 2048, and 5e-4 for objects, 1e-4 for frames.
        drop_constant: leave features out that do not vary, instead of refusing them.
        device: a name of torch's, or `auto`; it is not saved.

    Example:
        >>> from pagen.models.density.mulde import MULDE
        >>> MULDE(scales=3, sigmas=(0.5, 1.5)).levels
        [0.5, 1.0, 1.5]
    """

    widths: Sequence[int] = (4096, 4096)
    sigmas: Sequence[float] = (1e-3, 1.0)
    scales: int = 16
    reduce: Reduce = "mixture"
    single: float = 0.334
    components: int | Sequence[int] = (1, 3, 5)
    sample: int = 100_000
    principal: int = 0
    steps: int = 5000
    batch: int = 2048
    lr: float = 5e-4
    drop_constant: bool = False
    seed: int = 0
    device: str = "cpu"
    network: NoisePerceptron = field(init=False, repr=False)
    standard: Standard | Whitening = field(init=False, repr=False)
    losses: Scores = field(init=False, repr=False)
    _mixture: Mixture = field(init=False, repr=False)
    _usual: Standard | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        require_name("reduce", self.reduce, get_args(Reduce))
        counted = ("widths", "scales", "sample", "steps", "batch")
        require_counts({name: getattr(self, name) for name in counted})
        require_counts({"principal": self.principal}, least=0)
        if len(self.sigmas) != 2 or not 0 < self.sigmas[0] < self.sigmas[1] or self.single <= 0:
            raise PagenError(f"expected sigmas 0 < low < high and a single one above 0, found {self.sigmas}")
        self._mixture = Mixture(self.components, sample=self.sample, seed=self.seed)

    @property
    def levels(self) -> list[float]:
        """The scales of scoring."""
        evenly = np.linspace(self.sigmas[0], self.sigmas[1], self.scales).tolist()
        return [self.single] if self.reduce == "single" else evenly

    def fit(self, features: Features) -> Self:
        """Standardise, train, and learn what is usual at the scales. Errors as `Detector.fit`, and those of `fit`."""
        rows = self.begin(features)
        settings = self.steps, self.batch, self.lr, self.sigmas, self.device, self.seed
        self.losses = fit(self.network, rows, self.standard, self.objective(), *settings)
        return self.finish(rows)

    def begin(self, features: Features) -> Rows:
        """Prepare training: take the features as rows, their standard, and an untrained network."""
        rows = rows_of(features, least=max(2, *self._mixture.counts), what=f"{type(self).__name__}")
        wide = 0 < self.principal < rows.width
        self.standard = Whitening.of(rows, self.principal) if wide else Standard.of(rows, self.drop_constant)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(entropy(self.seed, "weights") % 2**63)
            self.network = self._new_network(self.standard.size)
        return rows

    def finish(self, rows: Rows) -> Self:
        """End training: learn what is usual at the scales."""
        self.network.eval()
        self.width = rows.width
        if self.reduce != "single":
            vectors = self.vectors(rows.sample(self.sample, generator(self.seed, "vectors")))
            if self.reduce == "mixture":
                self._mixture.fit(vectors)
            else:
                self._usual = Standard.of(rows_of(vectors))
        return self

    def vectors(self, features: Features) -> Scores:
        """The network's answers at `levels`, features (N, D) -> (N, L). Errors as `score_samples`."""
        rows = rows_of(features, self.fitted())
        return np.concatenate([self._vectors(piece) for piece in rows.pieces(checked=True)])

    def _new_network(self, features: int) -> NoisePerceptron:
        """An untrained network of that many features, with one output."""
        return NoisePerceptron(features, 1, self.widths)

    @abstractmethod
    def objective(self) -> Objective:
        """The loss that its network is trained by."""

    @abstractmethod
    def _answers(self, x: Tensor) -> Tensor:
        """The network's answers (N, L) to standardised features (N, D'), higher = more abnormal."""

    def _vectors(self, piece: Array) -> Scores:
        device = device_named(self.device)
        self.network.to(device)
        answers = self._answers(torch.from_numpy(self.standard(piece)).float().to(device))
        return answers.detach().cpu().double().numpy()

    def _scores(self, piece: Array) -> Scores:
        vectors = self._vectors(piece)
        if self.reduce == "mixture":
            return self._mixture.score_samples(vectors)
        values = self._usual(vectors) if self._usual else vectors
        return cast(Scores, -_JOIN[self.reduce](values, 1))

    def _state(self) -> State:
        state = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        state |= self.standard.state("standard")
        if self._usual:
            state |= self._usual.state("usual")
        if self.reduce == "mixture":
            state |= {f"mixture.{name}": tensor for name, tensor in self._mixture._state().items()}
        return state

    def _restore(self, state: State) -> None:
        kind = Whitening if "standard.axes" in state else Standard
        self.standard = kind.restored(state, "standard")
        self.network = self._new_network(self.standard.size).eval()
        self.network.load_state_dict(_below(state, "network."))
        self._usual = Standard.restored(state, "usual") if "usual.mean" in state else None
        if self.reduce == "mixture":
            self._mixture._restore(_below(state, "mixture."))
            self._mixture.width = self.scales


def _below(state: State, prefix: str) -> State:
    """The tensors whose names have the prefix, by names without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
