"""Features of training clips, and batches of them with noise, which depend on the seed and a step's number alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from pagen.features.extract import FeatureFolder
from pagen.footage.prepare import Prepared
from pagen.models.density.detector import Rows
from pagen.models.density.noise_perceptron import drawn
from pagen.models.density.standard import Standard, Whitening
from pagen.seeds import torch_generator
from pagen.train.batches import Sample
from pagen.train.recipes.density import MultiScaleRecipe


@dataclass(frozen=True)
class FeatureClips:
    """What a detector is trained on: features of clips, and the clips."""

    features: FeatureFolder
    prepared: Prepared
    names: tuple[str, ...]

    @property
    def videos(self) -> list[npt.NDArray[np.float32]]:
        """The vectors (n, D) of each clip, read-only memmaps."""
        return [self.features.features(name) for name in self.names]


@dataclass(frozen=True, eq=False)
class DensityBatches:
    """Features of normal footage (`rows`), of which a step draws some anew, standardised and with noise."""

    recipe: MultiScaleRecipe
    rows: Rows
    standard: Standard | Whitening
    seed: int

    @property
    def steps(self) -> int:
        """Steps in an epoch: by default as many as there are features for."""
        return self.recipe.steps or max(len(self.rows) // self.recipe.batch, 1)

    def sample(self, index: int) -> Sample:
        """`x` (D,) standardised, `sigma` (1,), `noise` (D,)."""
        step, place = divmod(index, self.recipe.batch)
        return {name: values[place] for name, values in self._of_step(step).items()}

    def describe(self, index: int) -> str:
        """The step that a sample is drawn for."""
        return f"features of step {index // self.recipe.batch}"

    @cached_property
    def _of_step(self) -> Callable[[int], Sample]:
        return lru_cache(maxsize=2)(self._drawn)

    def _drawn(self, step: int) -> Sample:
        rng = torch_generator(self.seed, "noise", step)
        tensors = drawn(self.rows, self.standard, self.recipe.batch, self.recipe.sigmas, rng)
        return {name: tensor.numpy() for name, tensor in zip(("x", "sigma", "noise"), tensors, strict=True)}
