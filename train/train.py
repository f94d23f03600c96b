"""The verb `train`: a recipe at a scale, on a data set, into a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_args

import tyro

from pagen import console
from pagen.errors import PagenError, unknown_name
from pagen.footage.catalogue import DATASETS, folder_name
from pagen.train.recipes import RECIPES, Recipe, Scale

R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True)
class Train(Generic[R]):
    """Train a recipe; the defaults of the recipe's own flags depend on --scale."""

    recipe: Annotated[R, tyro.conf.arg(name="")]
    dataset: str
    """Name of the data set."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    pseudo: Path | None = None
    """PA set to train with; `skip` makes its own where none is given."""
    scale: Scale = "cpu"
    """Size of the undertaking: paper, cpu (20 minutes on two cores) or tiny (seconds)."""
    seed: int = 0
    """Seed of the weights, the order of the clips, and what is drawn for each."""
    out: Path | None = None
    """Run folder; by default runs/RECIPE-DATASET-SCALE-SEED."""
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
        if self.recipe.crop == 0 and any(side % 16 for side in self.recipe.size):
            raise PagenError(
                f"expected --size in multiples of 16 to train on whole frames, found {self.recipe.size}; give a --crop"
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
    return tyro.cli(Train[recipe], default=default, prog=f"pagen train {name}", args=rest, config=flags)  # type: ignore[valid-type]


def run(config: Train[Any]) -> None:
    """The verb `train`."""
    DATASETS[config.dataset]
    if config.recipe.kind is None and config.pseudo is not None:
        raise PagenError(f"recipe {config.recipe.name} trains on normal clips alone; leave --pseudo out")
    if config.recipe.kind in ("spatial", "temporal") and config.pseudo is None and config.recipe.probability > 0:
        kind, (height, width) = config.recipe.kind, config.recipe.size
        raise PagenError(
            f"recipe {config.recipe.name} needs pseudo-anomalies on disk: give --pseudo DIR, made by `pagen generate "
            f"--dataset {config.dataset} --kinds {kind} --size {height} {width} --out DIR`"
        )
    from pagen.train.session import train

    result = train(config)
    console.result(result, config.json, f"{result['run']}: curves.png, sheet.png, model card")


def run_folder(config: Train[Any]) -> Path:
    """Where the run lies."""
    return (
        config.out or Path("runs") / f"{config.recipe.name}-{folder_name(config.dataset)}-{config.scale}-{config.seed}"
    )


def recipe_of(config: Train[Any]) -> dict[str, Any]:
    """All that the weights depend on but the footage and the PA set; what evaluation reads of a run."""
    recipe = config.recipe
    own = asdict(recipe)
    fixed = {"recipe": recipe.name, "source": recipe.source, "channels": recipe.channels}
    return {**own, **fixed, "dataset": config.dataset, "scale": config.scale, "seed": config.seed}


def _scale(argv: Sequence[str]) -> Scale:
    """The value of --scale, read ahead because other defaults depend on it."""
    words = [word for argument in argv for word in argument.split("=", 1)]
    values = [value for flag, value in pairwise(words) if flag == "--scale"]
    asked = values[-1] if values else "cpu"
    if asked not in get_args(Scale):
        raise unknown_name("scale", asked, get_args(Scale))
    return asked  # type: ignore[return-value]


def _usage() -> str:
    recipes = "\n".join(f"  {name:<9} {(recipe.__doc__ or '').splitlines()[0]}" for name, recipe in RECIPES.items())
    return (
        "usage: pagen train RECIPE --dataset NAME [--root DIR] [--pseudo DIR] [--scale cpu] [--seed 0] [--out RUN] "
        f"[...]\n\n{recipes}\n\npagen train RECIPE --help shows all flags."
    )
