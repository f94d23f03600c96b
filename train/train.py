"""The verb `train`: a recipe at a scale, on a data set, into a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import tyro

from pagen import console
from pagen.footage.catalogue import DATASETS
from pagen.options import scale_in
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES, recipe_named, recipe_names


def parse(argv: Sequence[str]) -> Train[Any]:
    """Read `RECIPE [flags]`; the recipe and its scale decide the defaults of the rest."""
    if not argv or argv[0] in ("-h", "--help"):
        console.result(None, False, _usage())
        raise SystemExit(0)
    name, rest = argv[0], list(argv[1:])
    recipe = recipe_named(name)
    default, flags = Train(recipe.at(scale_in(rest)), dataset=tyro.MISSING), (tyro.conf.FlagCreatePairsOff,)
    form: type[Train[Any]] = Train[recipe]  # type: ignore[valid-type]  # the recipe is chosen by name
    return tyro.cli(form, default=default, prog=f"pagen train {name}", args=rest, config=flags)


def run(config: Train[Any]) -> None:
    """The verb `train`."""
    DATASETS[config.dataset]
    for recipe in config.recipe.parts.values():
        recipe.check_named()  # before anything heavy is imported
    from pagen.train.session import train

    result = train(config)
    if int(os.environ.get("RANK", 0)) == 0:  # of several processes one speaks
        made = "curves.png, sheet.png, model card" if config.recipe.judged else "model card"
        console.result(result, config.json, f"{result['run']}: {made}")


def _usage() -> str:
    about = {name: (RECIPES[name].__doc__ or "").partition("\n")[0] for name in recipe_names()}
    recipes = "\n".join(f"  {name:<13} {line}" for name, line in about.items())
    flags = "--dataset NAME [--root DIR] [--pseudo DIR] [--scale cpu] [--seed 0] [--out RUN] [...]"
    return f"usage: pagen train RECIPE {flags}\n\n{recipes}\n\npagen train RECIPE --help shows all flags."
