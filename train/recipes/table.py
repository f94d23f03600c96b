"""The recipes by name."""

from __future__ import annotations

from pagen.train.recipes.base import FootageForm
from pagen.train.recipes.clips import (
    Baseline,
    Discriminator,
    Luss,
    MemAE,
    Patch,
    Skip,
    Spatial,
    Steal,
    Temporal,
    Unified,
)
from pagen.train.recipes.density import AcciVad, Gcl, Gmm, Knn, Msma, Mulde

RECIPES: dict[str, type[FootageForm] | type[Unified]] = {
    recipe.name: recipe
    for recipe in (
        *(Baseline, MemAE, Patch, Skip, Steal, Spatial, Temporal, Discriminator, Unified, Luss),
        *(Mulde, Msma, Knn, Gmm, AcciVad, Gcl),
    )
}
