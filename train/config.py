"""What `pagen train` is told, and what of it a run remembers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import tyro

from pagen.errors import PagenError
from pagen.folders import folder_name
from pagen.train.recipes.base import ClipRecipe, FootageForm, Scale
from pagen.train.recipes.clips import Unified
from pagen.train.recipes.density import DensityRecipe

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


def members_of(recipe: FootageForm | Unified) -> dict[str, FootageForm]:
    """The recipes of one network or detector that it consists of, by name: itself, or its members."""
    alone: dict[str, Any] = {recipe.name: recipe}
    return recipe.members or alone


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
