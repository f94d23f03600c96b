"""The verb `train`: a recipe at a scale, on a data set, into a run folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, cast, get_args

import tyro

from pagen import console
from pagen.errors import PagenError, unknown_name
from pagen.footage.catalogue import DATASETS, folder_name
from pagen.train.density_recipes import DensityRecipe
from pagen.train.recipe import ClipRecipe, FootageForm, Scale
from pagen.train.recipes import RECIPES, Discriminator, OnTheFly, Temporal, Unified

R = TypeVar("R", bound=FootageForm | Unified)


@dataclass(frozen=True)
class Train(Generic[R]):
    """Train a recipe; the defaults of the recipe's own flags depend on --scale."""

    recipe: Annotated[R, tyro.conf.arg(name="")]
    dataset: str
    """Name of the data set."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    pseudo: Path | None = None
    """PA set to train with; skipped frames and patches are made on the fly where none is given."""
    scale: Scale = "cpu"
    """Size of the undertaking: paper, cpu (20 minutes on two cores) or tiny (seconds)."""
    seed: int = 0
    """Seed of the weights, the order of the clips, and what is drawn for each."""
    out: Path | None = None
    """Run folder; by default runs/RECIPE-DATASET-SCALE-SEED."""
    validate: Literal["none", "pseudo"] = "none"
    """After each epoch, tell pseudo-anomalies of held-out normal clips (one in eight) from those clips."""
    keep: Literal["last", "best"] = "last"
    """The last epoch's weights, or those of the best validation; test labels play no part in either."""
    log: tuple[Literal["tensorboard", "wandb"], ...] = ()
    """Trackers, beside metrics.csv."""
    resume: bool = False
    """Insist that there is something to go on with (the same command resumes by itself)."""
    overwrite: bool = False
    """Start again instead of resuming or refusing."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or the best there is."""
    workers: int | None = None
    """Processes that prepare footage and flow; by default one for each core."""
    json: bool = False
    """Print the result as JSON."""

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise PagenError("expected --resume or --overwrite, found both: one goes on, the other starts again")
        if self.keep == "best" and self.validate == "none":
            raise PagenError("expected --validate pseudo with --keep best, found none: nothing would say which is best")
        if self.validate == "pseudo" and isinstance(self.recipe, DensityRecipe):
            raise PagenError(f"expected --validate none for {self.recipe.name}, whose features are of normal footage")
        for recipe in members_of(self.recipe).values():
            if isinstance(recipe, ClipRecipe) and recipe.crop == 0 and any(side % 16 for side in recipe.size):
                raise PagenError(
                    f"expected --size in multiples of 16 to train on whole frames, found {recipe.size}; give a --crop"
                )


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


def members_of(recipe: FootageForm | Unified) -> dict[str, FootageForm]:
    """The recipes of one network or detector that it consists of, by name: itself, or its members."""
    alone: dict[str, Any] = {recipe.name: recipe}
    return recipe.members or alone


def stored_kinds(recipe: FootageForm) -> tuple[str, ...]:
    """The kinds of pseudo-anomalies that it can only take from disk."""
    if isinstance(recipe, Discriminator):
        return ("spatial",)
    kinds = recipe.kinds if isinstance(recipe, (OnTheFly, Temporal)) and recipe.probability > 0 else ()
    return tuple(kind for kind in kinds if kind in ("spatial", "temporal"))


def _makes_its_own(recipe: FootageForm | Unified) -> bool:
    return isinstance(recipe, OnTheFly) and bool(recipe.kinds)


def run_folder(config: Train[Any]) -> Path:
    """Where the run lies."""
    return (
        config.out or Path("runs") / f"{config.recipe.name}-{folder_name(config.dataset)}-{config.scale}-{config.seed}"
    )


def recipe_of(config: Train[Any]) -> dict[str, Any]:
    """All that the weights depend on but the footage and the PA set; what evaluation reads of a run."""
    recipe = config.recipe
    about = {"recipe": recipe.name, "dataset": config.dataset, "scale": config.scale, "seed": config.seed}
    if recipe.members:
        size = next(iter(recipe.members.values())).size
        fused = {"fused": list(recipe.members)} if isinstance(recipe, DensityRecipe) else {}
        return {**about, "members": list(recipe.members), "size": list(size), **fused}
    chosen = {"validate": config.validate, "keep": config.keep}
    return {**asdict(recipe), **about, **chosen, "source": recipe.source, "channels": recipe.channels}


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
