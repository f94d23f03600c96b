"""GCL (Zaheer et al., "Generative Cooperative Learning for Unsupervised Video Anomaly Detection", CVPR 2022).

Trains on footage that nobody has looked at, rare anomalies and all. An autoencoder of features, the generator, labels
those of a batch that it rebuilds badly; a classifier, the discriminator, learns these labels and labels the batch
anew; the generator then learns to rebuild what is normal by those, and to answer the rest with something else.

Where the paper is silent: ReLU between the layers, nothing else; population statistics of the batch at hand, and no
label at all where its values do not vary; errors against the feature itself, never its pseudo-target; in a batch first
the generator's labels, a step of the discriminator, the labels of its new state, a step of the generator; pre-training
takes as many epochs as training, and the discriminator is pre-trained by the labels of the finished generator over all
features. GCL_WS is our reading altogether: videos that are known to be normal pre-train the generator and never get a
label. Soft labels are the generator's errors, from 0 to 1 over the batch. Features are standardised, which puts the
all-ones target one deviation above the mean in every feature; their unit decides what a threshold of temporal
differences means (the paper's is 0.70, of features with a unit that it does not tell), so that by default a share of
the features is kept instead.

Deviations: an epoch is cut into batches of one size (at most `batch`); the paper's "fixed percentage" of section 3.2.2
is not offered, the thresholds are those of its section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from pagen.device import device_named
from pagen.errors import PagenError
from pagen.models.density.detector import Array, Detector, Features, Scores, State, rows_of
from pagen.models.density.gcl_labels import distances, temporal_differences
from pagen.models.density.gcl_settings import KNOWING, GCLSettings, Variant
from pagen.models.density.gcl_training import Cooperation, Watch
from pagen.models.density.standard import Standard
from pagen.seeds import entropy


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers between those widths, ReLU between the layers: (N, first) -> (N, last).

    Example:
        >>> perceptron([4, 8, 1])(torch.zeros(5, 4)).shape
        torch.Size([5, 1])
    """
    layers = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


@dataclass(eq=False)
class GCL(GCLSettings, Detector):
    """A generator and a discriminator that teach each other; the discriminator's log-odds are the score.

    Features come in the order of time, one array a video. The defaults are the paper's and need some 1500 steps; on few
    features take lr 1e-4, a batch of 512 and more epochs. Raises PagenError: no such variant, targets or teaching;
    numbers that are not positive; negative factors; the score of a discriminator that is not trained.

    Args:
        variant: `B`: from scratch; `PT`: the generator is pre-trained on features that differ little from those
            before them; `OCC`: on videos known to be normal; `WS`: the same, and these videos never get a label. With
            each of the last three the discriminator is pre-trained, too. The generator alone, an autoencoder, learns
            from everything (`AE_AllData`), from videos known to be normal (`AE_OCC`), or as in `PT` (`AE_TD`).
        targets, noise: as `pseudo_targets` takes them.
        teaching: `mutual`: either network by the other's labels; `own`: the generator by its own labels, without a
            discriminator; `soft`: the discriminator by `soft_labels` of the generator's errors.
        score: whose the score is: `D`, the log-odds; or `G`, its error. By default D's where it is trained.
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
        history: one row an epoch, of each `phase` (see `gcl_training`): `epoch`, `rows` that it looked at, `loss_G`,
            `loss_D`, `share_G` and `share_D` of the features that got a label from either, and, where `fit` was told
            the truth, `precision_G` and `precision_D` of these labels (NaN where there were none), and, of epochs that
            looked at all features, `auroc_G` of its errors and `auroc_D` of its probabilities. Not saved.

    Example:
        >>> videos = [np.random.default_rng(seed).normal(size=(20, 2)) for seed in (0, 1)]
        >>> detector = GCL(widths=(4, 2, 4), discriminator_widths=(4,), epochs=1).fit(videos)
        >>> detector.anomaly_score(videos[0]).shape, [row["phase"] for row in detector.history]
        ((20,), ['both'])
    """

    generator: nn.Sequential = field(init=False, repr=False)
    discriminator: nn.Sequential = field(init=False, repr=False)
    standard: Standard = field(init=False, repr=False)
    history: list[dict[str, Any]] = field(init=False, repr=False)

    def fit(
        self,
        features: Features,
        normal: Array | None = None,
        labels: Features | Array | None = None,
        watch: Watch | None = None,
    ) -> Self:
        """Train on unlabelled features, one array (n, D) a video.

        Raises PagenError: as `Detector.fit`; `normal` or `labels` of another length, or `normal` missing; no such
        device; a loss that is not finite.

        Args:
            normal: for every video whether it is known to be normal, (V,); `OCC`, `WS` and `AE_OCC` need it, the others
                do not look at it.
            labels: for every feature whether it is abnormal, (N,) or one array a video; nothing is trained by them,
                they go into `history` alone.
            watch: called after each epoch with its row of the history and what the networks said of each feature.
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

        def differences() -> Scores:
            return temporal_differences(rows, self.standard)

        about = rows, differences, normal_rows, truth, watch
        self.history = list(Cooperation(self, self._networks(), self._inputs, *about).epochs())
        self.width = rows.width
        return self

    def errors(self, features: Features) -> Scores:
        """Distance of the generator's answer to each feature, (N, D) -> (N,). Errors as `score_samples`."""
        rows = rows_of(features, self.fitted())
        pieces = (self._inputs(piece) for piece in rows.pieces(checked=True))
        with torch.inference_mode():
            return np.concatenate([distances(x, self.generator(x)).cpu().double().numpy() for x in pieces])

    def rebuilt(self, features: Features) -> Scores:
        """What the generator makes of each feature as the networks see it, (N, D) -> (N, D'). Errors as `errors`."""
        rows = rows_of(features, self.fitted())
        with torch.inference_mode():
            answers = [self.generator(self._inputs(piece)).cpu() for piece in rows.pieces(checked=True)]
        return cast(Scores, torch.cat(answers).double().numpy())

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
        x = self._inputs(piece)
        abnormal = distances(x, self.generator(x)) if self.scored_by == "G" else self.discriminator(x)[:, 0]
        return cast(Scores, -abnormal.cpu().double().numpy())

    def _state(self) -> State:
        return self._networks().state_dict() | self.standard.state("standard")

    def _restore(self, state: State) -> None:
        self.standard = Standard.restored(state, "standard")
        self._build(int(self.standard.kept.sum()))
        networks = self._networks()
        networks.load_state_dict({name: state[name] for name in networks.state_dict()})


def _normal_rows(features: Features, normal: Array | None, variant: Variant) -> Tensor:
    """For every feature whether its video is known to be normal, (N,) bool."""
    if normal is None:
        if variant in KNOWING:
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
