"""What `pagen train` is told, and what of it a run remembers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import tyro

from pagen.device import mixed_precision
from pagen.errors import PagenError
from pagen.flags import Called, Dataset, Device, Json, Overwrite, Partial, Processes, Root
from pagen.folders import folder_name
from pagen.options import Scale
from pagen.train.recipes.base import BaseRecipe

R = TypeVar("R", bound=BaseRecipe)


@dataclass(frozen=True)
class Train(Generic[R]):
    """Train a recipe; the defaults of the recipe's own flags depend on --scale."""

    recipe: Annotated[R, tyro.conf.arg(name="")]
    dataset: Dataset
    root: Root = None
    pseudo: Path | None = None
    """PA set to train with; skipped frames and patches are made on the fly where none is given. Of recipes of frames
    and flow alone: densities learn from normal features, and take no set."""
    scale: Scale = "cpu"
    """Size of the undertaking: paper, cpu (minutes on two cores) or tiny (seconds)."""
    seed: int = 0
    """Seed of the weights, the order of the clips, and what is drawn for each."""
    out: Path | None = None
    """Run folder; by default runs/RECIPE-DATASET-SCALE-SEED."""
    validate: Literal["none", "pseudo"] = "none"
    """After each epoch, tell pseudo-anomalies of held-out normal clips (one in eight) from those clips; densities
    take none."""
    keep: Literal["last", "best"] = "last"
    """The last epoch's weights, or those of the best validation; test labels play no part in either."""
    log: tuple[Literal["tensorboard", "wandb"], ...] = ()
    """Trackers, beside metrics.csv."""
    resume: bool = False
    """Insist that there is something to go on with (the same command resumes by itself)."""
    overwrite: Overwrite = False
    partial: Partial = False
    called: Called = None
    device: Device = "auto"
    workers: Processes = None
    json: Json = False

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise PagenError("expected --resume or --overwrite, found both: one goes on, the other starts again")
        if self.keep == "best" and self.validate == "none":
            raise PagenError("expected --validate pseudo with --keep best, found none: nothing would say which is best")
        if self.validate == "pseudo" and not self.recipe.judged:
            raise PagenError(f"expected --validate none for {self.recipe.name}, whose features are of normal footage")
        for recipe in self.recipe.parts.values():
            recipe.check_training()


def run_folder(config: Train[Any]) -> Path:
    """Where the run lies."""
    name = f"{config.recipe.name}-{folder_name(config.dataset)}-{config.scale}-{config.seed}"
    return config.out or Path("runs") / name


def precision_of(config: Train[Any]) -> str:
    """The mixed precision that its networks are trained with."""
    asked = getattr(config.recipe, "precision", "no")
    return mixed_precision(config.device) if asked == "auto" else asked


def recipe_of(config: Train[Any]) -> dict[str, Any]:
    """What evaluation reads of a run: all that the weights depend on, and which indicators are added up."""
    fused = config.recipe.fused
    return {**identity_of(config), **({"fused": list(fused)} if fused else {})}


def identity_of(config: Train[Any]) -> dict[str, Any]:
    """All that the weights depend on but the footage and the PA set: by that a command takes up a run again."""
    recipe = config.recipe
    about = {"recipe": recipe.name, "dataset": config.dataset, "scale": config.scale, "seed": config.seed}
    if recipe.members:
        size = next(iter(recipe.members.values())).size
        fused = {} if recipe.judged else {"fused": list(recipe.fused)}  # runs of 0.1.0 over objects know it
        return {**about, "members": list(recipe.members), "size": list(size), **fused}
    chosen = {"validate": config.validate, "keep": config.keep}
    settings = dict(recipe.settings)
    if "precision" in settings:
        settings["precision"] = precision_of(config)  # what it was, wherever it is read
    return {**settings, **about, **chosen, "source": recipe.source, "channels": recipe.channels}
