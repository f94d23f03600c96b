"""Features of normal frames, and of the same frames with a part painted over: batches, scores, and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import feature_folder, pa_feature_folder
from pagen.figures import save_figure
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet
from pagen.options import POOLED
from pagen.scoring.window_scores import log_odds
from pagen.train.batches import Indicated, Sample
from pagen.train.normal_clips import Place, Shuffled

Vectors = npt.NDArray[np.float32]
SHOWN = 4000
"""Vectors that the picture is of at most, normal and painted together."""


@dataclass(frozen=True)
class FeatureBatches:
    """Pairs of a frame's features: sample 2i is normal, 2i + 1 painted, so that the classes are balanced.

    Attributes:
        recipe: batch, and whether windows of 16 frames are pooled.
        normal, pseudo: clip -> (T, D).
        windows: clip and first frame of every frame or window that one pseudo-anomaly is seen in, of all clips.
        size: D.
    """

    recipe: Any
    normal: Callable[[str], Vectors]
    pseudo: Callable[[str], Vectors]
    windows: tuple[Place, ...]
    seed: int
    names: tuple[str, ...]
    size: int

    @property
    def steps(self) -> int:
        """Steps in an epoch: every pair once."""
        return int(self.recipe.steps) or max(2 * len(self.places) // self.recipe.batch, 1)

    @property
    def about(self) -> str:
        """How many frames there are."""
        return f"{len(self.places):,} frames"

    def sample(self, index: int) -> Sample:
        """`features` (D,), or (16, D) of a window, and `labels`: 1 of a painted frame."""
        pair, painted = divmod(index, 2)
        name, start = self._pairs.at(pair)
        window = slice(start, start + POOLED) if self._length > 1 else start
        vectors = (self.pseudo if painted else self.normal)(name)[window]
        return {"features": np.array(vectors), "labels": np.asarray(painted, np.float32)}

    def describe(self, index: int) -> str:
        """Kind, clip and frame of a sample."""
        name, start = self._pairs.at(index // 2)
        return f"{'spatial' if index % 2 else 'normal'} {name}@{start}"

    def check_pairs(self, wanted: bool) -> None:
        """There are pairs always: `feature_batches` raises where there are none."""

    def within(self, names: tuple[str, ...]) -> FeatureBatches:
        """The same of these clips alone."""
        return replace(self, names=names)

    def normal_scores(self, network: Any) -> Indicated:
        """`semantic` of all normal frames."""
        return {"semantic": np.concatenate([log_odds(network, self.normal(name)) for name in self.names])}

    def pair_scores(self, network: Any) -> tuple[Indicated, Indicated]:
        """`semantic` of all frames or windows that are trained on, normal and painted."""
        return self._scores(network, self.normal), self._scores(network, self.pseudo)

    def _scores(self, network: Any, vectors: Callable[[str], Vectors]) -> Indicated:
        """Of each the score of its last frame, which a network that pools gives to the window before it."""
        odds = {name: log_odds(network, vectors(name)) for name in self.names}
        return {"semantic": np.array([odds[name][start + self._length - 1] for name, start in self.places])}

    @cached_property
    def places(self) -> list[Place]:
        """Clip and first frame of every sample."""
        names = set(self.names)
        return [place for place in self.windows if place[0] in names]

    @property
    def _length(self) -> int:
        """Frames that are judged at once."""
        return POOLED if self.recipe.pool == "mean" else 1

    @cached_property
    def _pairs(self) -> Shuffled[Place]:
        return Shuffled(self.places, self.seed)


def feature_batches(config: Any, prepared: Prepared, stored: PASet, held_out: tuple[str, ...]) -> FeatureBatches:
    """Encode what has not been, held-out clips too. Raises PagenError for an encoder or matched normals not there."""
    recipe, compute = config.recipe, Compute.of(config)
    usable = tuple(name for name in prepared.stretches("train") if name in stored.clips("spatial"))
    if not set(usable) - set(held_out) or set(held_out) - set(usable):
        wanted = "painted frames of the training clips, held-out ones too, in the PA set"
        found = f"those of {' '.join(usable) or 'none'}"
        advice = f"generate them of all training clips: `{stored.again(limit_clips=None)}`"
        raise PagenError(f"expected {wanted}, found {found}; {advice}")
    painted: Any = pa_feature_folder(stored, recipe.encoder, compute, recipe.view)

    def under(kind: str) -> Callable[[str], Vectors]:
        return lambda name: painted.features(f"{kind}/{name}")

    if recipe.matched:
        stored.matched(usable[0])  # raises where the set was made without them
        normal = under("spatial_matched")
    else:
        normal = feature_folder(prepared, usable, recipe.encoder, compute, recipe.view).features
    kept = tuple(name for name in usable if name not in held_out)
    windows = tuple((item.clip, item.start) for item in stored.items("spatial", POOLED if recipe.pool == "mean" else 1))
    return FeatureBatches(recipe, normal, under("spatial"), windows, config.seed, kept, painted.size)


def histogram(network: Any, batches: FeatureBatches, path: Path) -> None:
    """What the network says of normal and of painted frames, as a picture."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    pairs = range(0, 2 * len(batches.places), max(1, 2 * len(batches.places) // SHOWN))
    device = next(network.eval().parameters()).device
    for label, odd in (("normal frames", 0), ("painted frames", 1)):
        features = np.stack([batches.sample(2 * (index // 2) + odd)["features"] for index in pairs])
        with torch.no_grad():
            odds = network(torch.from_numpy(features).to(device)).cpu().double().numpy()  # bins may be narrow
        axis.hist(odds, bins=60, alpha=0.6, label=label)
    axis.set(xlabel="log-odds of being painted", ylabel="training frames", title=f"what the {batches.recipe.name} says")
    axis.legend()
    save_figure(figure, path)
