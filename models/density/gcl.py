"""GCL (Zaheer et al., "Generative Cooperative Learning for Unsupervised Video Anomaly Detection", CVPR 2022).

Trains on footage that nobody has looked at, rare anomalies and all. An autoencoder of features, the generator, labels
those of a batch that it rebuilds badly; a classifier, the discriminator, learns these labels and labels the batch
anew; the generator then learns to rebuild what is normal by those, and to answer the rest with something else.

Where the paper is silent: ReLU between the layers, nothing else; population statistics of the batch at hand, and no
label at all where its values do not vary; errors against the feature itself, never its pseudo-target; in a batch first
the generator's labels, a step of the discriminator, the labels of its new state, a step of the generator; pre-training
takes as many epochs as training, and the discriminator is pre-trained by the labels of the finished generator over all
features. GCL_WS is our reading altogether: videos that are known to be normal pre-train the generator and never get a
label. Features are standardised, which puts the all-ones target one deviation above the mean in every feature; their
unit decides what a threshold of temporal differences means (the paper's is 0.70, of features with a unit that it does
not tell), so that by default a share of the features is kept instead.

Deviations: an epoch is cut into batches of one size (at most `batch`); the paper's "fixed percentage" of section 3.2.2
is not offered, the thresholds are those of its section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Self, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pagen.console import progress
from pagen.device import device_named
from pagen.errors import PagenError, require_name
from pagen.models.density.detector import Array, Detector, Features, Rows, Scores, State, rows_of
from pagen.models.density.gcl_labels import Target, distances, pseudo_labels, pseudo_targets, temporal_differences
from pagen.models.density.standard import Standard
from pagen.seeds import entropy, torch_generator

Variant = Literal["B", "PT", "OCC", "WS"]
Measured = dict[str, float]
Step = Callable[[Tensor, Tensor, torch.Generator], Measured]


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers between those widths, ReLU between the layers: (N, first) -> (N, last).

    Example:
        >>> perceptron([4, 8, 1])(torch.zeros(5, 4)).shape
        torch.Size([5, 1])
    """
    layers = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


@dataclass(eq=False)
class GCL(Detector):
    """A generator and a discriminator that teach each other; the discriminator's log-odds are the score.

    Features come in the order of time, one array a video. The defaults are the paper's and need some 1500 steps; on few
    features take lr 1e-4, a batch of 512 and more epochs. Raises PagenError: no such variant or targets; numbers that
    are not positive; negative factors.

    Args:
        variant: `B`: from scratch; `PT`: the generator is pre-trained on features that differ little from those
            before them; `OCC`: on videos known to be normal; `WS`: the same, and these videos never get a label. With
            each of the last three the discriminator is pre-trained, too.
        targets, noise: as `pseudo_targets` takes them.
        widths, discriminator_widths: of the hidden layers of either.
        epochs, batch, lr, momentum: of training by RMSprop.
        pretraining: epochs of pre-training, each of both networks.
        factor, discriminator_factor: deviations above the mean from which on the generator's errors and the
            discriminator's probabilities mean an anomaly.
        difference: threshold of `PT`, a distance between features as the networks see them; the paper has 0.70.
        calm: where there is no such threshold, the share of the features, those with the smallest differences.
        standardise: to mean 0 and deviation 1 before.
        drop_constant: leave features out that do not vary, instead of refusing them.
        device: a name of torch's, or `auto`; it is not saved.

    Attributes:
        generator: (N, D') -> (N, D').
        discriminator: (N, D') -> (N, 1), logits.
        history: one row an epoch, of each `phase` (`generator` and `discriminator` are pre-training, `both` is
            training): `epoch`, `rows` that it looked at, `loss_G`, `loss_D`, `share_G` and `share_D` of the features
            that got a label from either, and, where `fit` was told the truth, `precision_G` and `precision_D` of
            these labels (NaN where there were none). Not saved.

    Example:
        >>> videos = [np.random.default_rng(seed).normal(size=(20, 2)) for seed in (0, 1)]
        >>> detector = GCL(widths=(4, 2, 4), discriminator_widths=(4,), epochs=1).fit(videos)
        >>> detector.anomaly_score(videos[0]).shape, [row["phase"] for row in detector.history]
        ((20,), ['both'])
    """

    variant: Variant = "B"
    targets: Target = "ones"
    noise: float = 1.5
    widths: Sequence[int] = (1024, 512, 256, 512, 1024)
    discriminator_widths: Sequence[int] = (512, 32)
    epochs: int = 15
    pretraining: int = 15
    batch: int = 8192
    lr: float = 2e-5
    momentum: float = 0.6
    factor: float = 1.0
    discriminator_factor: float = 0.1
    difference: float | None = None
    calm: float = 0.8
    standardise: bool = True
    drop_constant: bool = False
    seed: int = 0
    device: str = "cpu"
    generator: nn.Sequential = field(init=False, repr=False)
    discriminator: nn.Sequential = field(init=False, repr=False)
    standard: Standard = field(init=False, repr=False)
    history: list[dict[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_name("variant", self.variant, get_args(Variant))
        require_name("targets", self.targets, get_args(Target))
        counts = *self.widths, *self.discriminator_widths, self.epochs, self.pretraining, self.batch
        if not (self.widths and self.discriminator_widths) or min(counts) < 1:
            raise PagenError(f"expected widths, epochs, pretraining and batch of 1 and more, found {self}")
        if min(self.factor, self.discriminator_factor, self.noise) < 0 or self.lr <= 0 or not 0 < self.calm <= 1:
            raise PagenError(f"expected factors and noise of 0 and more, lr above 0, calm in (0, 1], found {self}")

    def fit(self, features: Features, normal: Array | None = None, labels: Features | Array | None = None) -> Self:
        """Train on unlabelled features, one array (n, D) a video.

        Raises PagenError: as `Detector.fit`; `normal` or `labels` of another length, or `normal` missing; no such
        device; a loss that is not finite.

        Args:
            normal: for every video whether it is known to be normal, (V,); `OCC` and `WS` need it, the others do not
                look at it.
            labels: for every feature whether it is abnormal, (N,) or one array a video; nothing is trained by them,
                they go into `history` alone.
        """
        normal_rows = _normal_rows(features, normal, self.variant)
        rows = rows_of(features, least=2, what="GCL")
        truth = None if labels is None else _truth(labels, len(rows))
        self.standard = Standard.of(rows, self.drop_constant)
        if not self.standardise:
            self.standard = Standard(np.zeros(rows.width), np.where(self.standard.kept, 1.0, np.inf))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(entropy(self.seed, "weights") % 2**63)
            self._build(int(self.standard.kept.sum()))
        self.history = list(_Cooperation(self, rows, normal_rows, truth).epochs())
        self.width = rows.width
        return self

    def errors(self, features: Features) -> Scores:
        """Distance of the generator's answer to each feature, (N, D) -> (N,). Errors as `score_samples`."""
        rows = rows_of(features, self.fitted())
        pieces = (self._inputs(piece) for piece in rows.pieces(checked=True))
        with torch.inference_mode():
            return np.concatenate([distances(x, self.generator(x)).cpu().double().numpy() for x in pieces])

    def _build(self, features: int) -> None:
        self.generator = perceptron((features, *self.widths, features))
        self.discriminator = perceptron((features, *self.discriminator_widths, 1))

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict({"generator": self.generator, "discriminator": self.discriminator})

    def _inputs(self, piece: Array) -> Tensor:
        device = device_named(self.device)
        self._networks().to(device)
        return torch.from_numpy(self.standard(piece)).float().to(device)

    @torch.inference_mode()
    def _scores(self, piece: Array) -> Scores:
        return cast(Scores, -self.discriminator(self._inputs(piece))[:, 0].cpu().double().numpy())

    def _state(self) -> State:
        return self._networks().state_dict() | self.standard.state("standard")

    def _restore(self, state: State) -> None:
        self.standard = Standard.restored(state, "standard")
        self._build(int(self.standard.kept.sum()))
        networks = self._networks()
        networks.load_state_dict({name: state[name] for name in networks.state_dict()})


class _Cooperation:
    """The training of one GCL.

    Args:
        normal_rows: (N,) bool, features of videos known to be normal; of no length where none is needed.
        truth: (N,) bool, abnormal features, for the history alone.
    """

    def __init__(self, gcl: GCL, rows: Rows, normal_rows: Tensor, truth: Tensor | None) -> None:
        self.gcl, self.rows, self.normal_rows, self.truth = gcl, rows, normal_rows, truth
        device = device_named(gcl.device)
        self.optimisers = {
            name: torch.optim.RMSprop(network.to(device).parameters(), gcl.lr, momentum=gcl.momentum)
            for name, network in gcl._networks().items()
        }

    def epochs(self) -> Iterator[dict[str, Any]]:
        everything = torch.arange(len(self.rows))
        if self.gcl.variant != "B":
            clean = self._calm() if self.gcl.variant == "PT" else self.normal_rows
            yield from self._phase("generator", clean.nonzero()[:, 0], self.gcl.pretraining, self._generator_alone)
            yield from self._phase("discriminator", everything, self.gcl.pretraining, self._discriminator_alone)
        yield from self._phase("both", everything, self.gcl.epochs, self._both)

    def _calm(self) -> Tensor:
        differences = temporal_differences(self.rows, self.gcl.standard)
        most = np.quantile(differences, self.gcl.calm) if self.gcl.difference is None else self.gcl.difference
        return torch.from_numpy(differences <= most)

    def _phase(self, phase: str, rows: Tensor, epochs: int, step: Step) -> Iterator[dict[str, Any]]:
        for epoch in progress(range(epochs), f"GCL, {phase}", epochs, "epochs"):
            rng = torch_generator(self.gcl.seed, phase, epoch)
            order = rows[torch.randperm(len(rows), generator=rng)]
            batches = (part.sort().values for part in order.tensor_split(-(-len(rows) // self.gcl.batch)))
            steps = [step(self.gcl._inputs(self.rows.take(which.numpy())), which, rng) for which in batches]
            summed = {name: sum(measured[name] for measured in steps) for name in steps[0]}
            row = _row(summed, len(rows), len(steps))
            if not np.isfinite([row.get("loss_G", 0.0), row.get("loss_D", 0.0)]).all():
                raise PagenError(f"expected finite losses, found others in epoch {epoch} ({phase}); lower lr")
            yield {"phase": phase, "epoch": epoch, "rows": len(rows), **row}

    def _generator_alone(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        return {"loss_G": self._descend("generator", distances(x, self.gcl.generator(x)).mean())}

    def _discriminator_alone(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        with torch.no_grad():
            errors = distances(x, self.gcl.generator(x))
        labels = self._labels(errors, self.gcl.factor, which)
        loss = functional.binary_cross_entropy_with_logits(self.gcl.discriminator(x)[:, 0], labels.to(x))
        return {"loss_D": self._descend("discriminator", loss), **self._counted("G", labels, which)}

    def _both(self, x: Tensor, which: Tensor, rng: torch.Generator) -> Measured:
        taught = self._discriminator_alone(x, which, rng)
        with torch.no_grad():
            probabilities = self.gcl.discriminator(x)[:, 0].cpu().double().sigmoid()
        labels = self._labels(probabilities, self.gcl.discriminator_factor, which)
        inputs, targets = pseudo_targets(x, labels, self.gcl.targets, rng, self.gcl.noise)
        loss = self._descend("generator", distances(targets, self.gcl.generator(inputs)).mean())
        return {"loss_G": loss, **taught, **self._counted("D", labels, which)}

    def _labels(self, values: Tensor, factor: float, which: Tensor) -> Tensor:
        labels = pseudo_labels(values, factor)
        return labels & ~self.normal_rows[which] if self.gcl.variant == "WS" else labels

    def _descend(self, name: str, loss: Tensor) -> float:
        self.optimisers[name].zero_grad()
        loss.backward()
        self.optimisers[name].step()
        return loss.item()

    def _counted(self, network: str, labels: Tensor, which: Tensor) -> Measured:
        right = {} if self.truth is None else {f"right_{network}": int((labels & self.truth[which]).sum())}
        return {f"share_{network}": int(labels.sum()), **right}


def _row(summed: Measured, rows: int, steps: int) -> dict[str, float]:
    """Means of an epoch: losses over its batches, shares over its rows, precisions over the labels."""
    row = {name: value / (rows if "share" in name else steps) for name, value in summed.items() if "right" not in name}
    for network in "GD":
        if f"right_{network}" in summed:
            labelled = summed[f"share_{network}"]
            row[f"precision_{network}"] = summed[f"right_{network}"] / labelled if labelled else float("nan")
    return row


def _normal_rows(features: Features, normal: Array | None, variant: Variant) -> Tensor:
    """For every feature whether its video is known to be normal, (N,) bool."""
    if normal is None:
        if variant in ("OCC", "WS"):
            raise PagenError(f"expected to be told which videos are normal for variant {variant}; give `normal`")
        return torch.zeros(0, dtype=torch.bool)
    videos = [features] if isinstance(features, np.ndarray | Tensor) else features
    marks = np.asarray(normal)
    if not isinstance(videos, Sequence) or marks.shape != (len(videos),):
        shown = f"{len(videos)} videos" if isinstance(videos, Sequence) else type(videos).__name__
        raise PagenError(f"expected a list of videos and one mark for each in `normal`, found {shown}, {marks.shape}")
    normal_rows = np.repeat(marks.astype(bool), [len(video) for video in videos])
    if not normal_rows.any():
        raise PagenError("expected a video that is known to be normal, found none with features; use variant PT")
    return torch.from_numpy(normal_rows)


def _truth(labels: Features | Array, count: int) -> Tensor:
    parts = [labels] if isinstance(labels, np.ndarray | Tensor) else list(labels)
    whole = np.concatenate([np.asarray(part) for part in parts]) if parts else np.zeros(0)
    if whole.shape != (count,) or not np.isin(whole, (0, 1)).all():
        raise PagenError(f"expected labels 0 and 1 for {count} features, found {whole.dtype} {whole.shape}")
    return torch.from_numpy(whole.astype(bool))
