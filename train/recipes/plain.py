"""The baseline: the autoencoder of clips, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pagen.train.recipes.clips import FrameRecipe


@dataclass(frozen=True)
class BaselineRecipe(FrameRecipe):
    """The autoencoder on normal clips alone: what every pseudo-anomaly has to beat.

    `pagen train baseline --dataset ped2`
    """

    name: ClassVar[str] = "baseline"
