"""Features for the discriminator: of a normal frame, and of the same frame with a part painted over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.features.extract import feature_folder, pa_feature_folder
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.pa_set import PASet
from pagen.scoring.window_scores import POOLED
from pagen.train.normal_clips import Place, Shuffled
from pagen.train.recipes.clips import Discriminator

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureBatches:
    """Pairs of a frame's features: sample 2i is normal, 2i + 1 painted, so that the classes are balanced.

    Attributes:
        recipe: batch, and whether windows of 16 frames are pooled.
        normal, pseudo: clip -> (T, D).
        seed: of the order.
        names: the clips.
        size: D.
    """

    recipe: Discriminator
    normal: Callable[[str], Vectors]
    pseudo: Callable[[str], Vectors]
    seed: int
    names: tuple[str, ...]
    size: int

    @property
    def steps(self) -> int:
        """Steps in an epoch: every pair once."""
        return self.recipe.steps or max(2 * len(self.places) // self.recipe.batch, 1)

    def sample(self, index: int) -> dict[str, npt.NDArray[np.float32]]:
        """`features` (D,), or (16, D) of a window, and `labels`: 1 of a painted frame."""
        pair, painted = divmod(index, 2)
        name, start = self._pairs.at(pair)
        vectors = (self.pseudo if painted else self.normal)(name)
        if self.recipe.pool == "mean":
            return {
                "features": np.array(vectors[start : start + self.length]),
                "labels": np.asarray(painted, np.float32),
            }
        return {"features": np.array(vectors[start]), "labels": np.asarray(painted, np.float32)}

    def describe(self, index: int) -> str:
        """Kind, clip and frame of a sample."""
        name, start = self._pairs.at(index // 2)
        return f"{'spatial' if index % 2 else 'normal'} {name}@{start}"

    @property
    def length(self) -> int:
        """Frames that a sample is made of."""
        return POOLED if self.recipe.pool == "mean" else 1

    @cached_property
    def places(self) -> list[Place]:
        """Clip and first frame of every sample."""
        windows = Windows(self.length)
        return [(name, start) for name in self.names for start in windows.inside(len(self.normal(name)))]

    @cached_property
    def _pairs(self) -> Shuffled[Place]:
        return Shuffled(self.places, self.seed)


def feature_batches(
    recipe: Discriminator,
    prepared: Prepared,
    stored: PASet,
    seed: int,
    held_out: tuple[str, ...],
    workers: int | None,
    device: str,
) -> FeatureBatches:
    """Encode what has not been, held-out clips too, and open it.

    Raises:
        PagenError: an encoder or matched normals that are not there.
    """
    compute = Compute(device=device, workers=workers)
    painted: Any = pa_feature_folder(stored, recipe.encoder, compute)
    usable = tuple(name for name in prepared.clips("train") if name in stored.clips("spatial"))
    if recipe.matched:
        stored.matched(usable[0])  # raises where the set was made without them
        normal = _under(painted, "spatial_matched")
    else:
        normal = feature_folder(prepared, usable, recipe.encoder, compute).features
    kept = tuple(name for name in usable if name not in held_out)
    return FeatureBatches(recipe, normal, _under(painted, "spatial"), seed, kept, painted.size)


def _under(folder: Any, kind: str) -> Callable[[str], Vectors]:
    return lambda name: folder.features(f"{kind}/{name}")
