"""The verb `train`: a recipe at a scale, on a data set, into a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast, get_args

import tyro

from pagen import console
from pagen.errors import PagenError, unknown_name
from pagen.footage.catalogue import DATASETS
from pagen.train.config import Train, members_of
from pagen.train.recipes.base import FootageForm, Scale
from pagen.train.recipes.clips import Discriminator, OnTheFly, Temporal, Unified
from pagen.train.recipes.density import DensityRecipe
from pagen.train.recipes.table import RECIPES


def parse(argv: Sequence[str]) -> Train[Any]:
    """Read `RECIPE [flags]`; the recipe and its scale decide the defaults of the rest."""
    if not argv or argv[0] in ("-h", "--help"):
        console.result(None, False, _usage())
        raise SystemExit(0)
    name, rest = argv[0], list(argv[1:])
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    recipe = RECIPES[name]
    default = Train(recipe.at(_scale(rest)), dataset=tyro.MISSING)
    flags = (tyro.conf.FlagCreatePairsOff,)
    form: type[Train[Any]] = Train[recipe]  # type: ignore[valid-type]  # the recipe is chosen by name
    return tyro.cli(form, default=default, prog=f"pagen train {name}", args=rest, config=flags)


def run(config: Train[Any]) -> None:
    """The verb `train`."""
    DATASETS[config.dataset]
    kinds = [kind for recipe in members_of(config.recipe).values() for kind in stored_kinds(recipe)]
    if config.pseudo is not None and not kinds and not _makes_its_own(config.recipe):
        raise PagenError(f"recipe {config.recipe.name} trains on normal clips alone; leave --pseudo out")
    if kinds and config.pseudo is None:
        height, width = next(iter(members_of(config.recipe).values())).size
        raise PagenError(
            f"recipe {config.recipe.name} needs pseudo-anomalies on disk: give --pseudo DIR, made by `pagen generate "
            f"--dataset {config.dataset} --kinds {' '.join(dict.fromkeys(kinds))} --size {height} {width} --out DIR`"
        )
    from pagen.train.session import train

    result = train(config)
    if int(os.environ.get("RANK", 0)) == 0:  # of several processes one speaks
        made = "model card" if isinstance(config.recipe, DensityRecipe) else "curves.png, sheet.png, model card"
        console.result(result, config.json, f"{result['run']}: {made}")


def stored_kinds(recipe: FootageForm) -> tuple[str, ...]:
    """The kinds of pseudo-anomalies that it can only take from disk."""
    if isinstance(recipe, Discriminator):
        return ("spatial",)
    kinds = recipe.kinds if isinstance(recipe, (OnTheFly, Temporal)) and recipe.probability > 0 else ()
    return tuple(kind for kind in kinds if kind in ("spatial", "temporal"))


def _makes_its_own(recipe: FootageForm | Unified) -> bool:
    return isinstance(recipe, OnTheFly) and bool(recipe.kinds)


def _scale(argv: Sequence[str]) -> Scale:
    """The value of --scale, read ahead because other defaults depend on it."""
    words = [word for argument in argv for word in argument.split("=", 1)]
    values = [value for flag, value in pairwise(words) if flag == "--scale"]
    asked = values[-1] if values else "cpu"
    if asked not in get_args(Scale):
        raise unknown_name("scale", asked, get_args(Scale))
    return cast("Scale", asked)


def _usage() -> str:
    recipes = "\n".join(f"  {name:<13} {(recipe.__doc__ or '').splitlines()[0]}" for name, recipe in RECIPES.items())
    return (
        "usage: pagen train RECIPE --dataset NAME [--root DIR] [--pseudo DIR] [--scale cpu] [--seed 0] [--out RUN] "
        f"[...]\n\n{recipes}\n\npagen train RECIPE --help shows all flags."
    )
