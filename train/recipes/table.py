"""The recipes by name; others register theirs."""

from __future__ import annotations

from pagen.methods import METHODS
from pagen.models.density.detectors import DETECTORS
from pagen.registry import Registry
from pagen.train.recipes.base import BaseRecipe
from pagen.train.recipes.density import recipe_of_detector

RECIPES: Registry[type[BaseRecipe]] = Registry(
    "recipe",
    "pagen.recipes",
    {name: method.recipe for name, method in METHODS.items()},
    lambda kind: isinstance(kind, type) and issubclass(kind, BaseRecipe),
)
"""Name -> class of `pagen.train.recipes`."""


def recipe_names() -> list[str]:
    """All names: pagen's own in the order of `METHODS`, then those of others."""
    return [*METHODS, *(name for name in RECIPES.names() if name not in METHODS)]


def recipe_named(name: str) -> type[BaseRecipe]:
    """The recipe of that name, or of a registered detector without one. Raises PagenError with the nearest recipe."""
    if name not in RECIPES and name in DETECTORS:
        return RECIPES.register(name, recipe_of_detector(name))
    return RECIPES[name]
