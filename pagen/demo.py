"""The verb `demo`: the whole way on the procedural street, which needs no download."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from pagen import console
from pagen.errors import asked_by
from pagen.flags import Overwrite, Processes


@dataclass(frozen=True)
class Demo:
    """Prepare, generate, train and evaluate on procedural footage, in minutes on two cores."""

    out: Path = Path("demo")
    """Folder for the PA set, the run and the table."""
    seed: int = 0
    """Seed of everything but the street."""
    workers: Processes = None
    overwrite: Overwrite = False


def run(config: Demo) -> None:
    """The verb `demo`."""
    from pagen.eval import evaluate
    from pagen.footage import prepare_dataset
    from pagen.generate import generate
    from pagen.generate.config import Generate
    from pagen.train import train
    from pagen.train.config import Train
    from pagen.train.recipes.lntra import SkipRecipe

    begin = time.monotonic()
    # tiny is made for seconds; after a minute the sheet shows a street
    recipe = replace(SkipRecipe.at("tiny"), batch=8, steps=50, epochs=40)
    pseudo, run_path, table = config.out / "pa", config.out / "run", config.out / "results.md"
    workers, overwrite = config.workers, config.overwrite
    console.say("1/4 prepare: a procedural street, walkers, and what should not happen there")
    with asked_by("pagen prepare"):
        prepare_dataset.run(prepare_dataset.Prepare("street", size=recipe.size, workers=workers))
    console.say("2/4 generate: pseudo-anomalies of all kinds")
    making = Generate("street", inference_steps=10, size=recipe.size, seed=config.seed, out=pseudo)
    with asked_by("pagen generate"):
        generate.run(replace(making, workers=workers, overwrite=overwrite))
    console.say("3/4 train: `skip` at tiny scale")
    session = Train(recipe, "street", pseudo=pseudo, scale="tiny", seed=config.seed, out=run_path)
    with asked_by("pagen train skip"):
        train.run(replace(session, workers=workers, overwrite=overwrite))
    console.say("4/4 evaluate")
    with asked_by("pagen evaluate"):
        evaluate.run(evaluate.Evaluate((run_path,), "street", write=table, workers=workers, overwrite=overwrite))
    minutes = (time.monotonic() - begin) / 60
    console.say(f"done in {minutes:.1f} minutes; a tiny network after a minute of training proves the way, no method")
    for what, path in (("gallery", pseudo / "gallery.html"), ("table", table), ("curves", run_path / "curves.png")):
        console.say(f"  {what:<8} {path.resolve()}")
