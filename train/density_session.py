"""A density run: features of the training clips in, a detector out; several kinds of objects are runs inside of one.

What is trained step by step goes through the same loop as every network and resumes alike; what is fitted at once
(nearest neighbours, a mixture) is fitted again. `calibration.json` is of frames, as for every run: of each the highest
score of what it shows. Scores of the training features themselves, save for nearest neighbours, which leave one video
out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import FeatureFolder, extract
from pagen.features.open import open_source
from pagen.features.source import FeatureSource
from pagen.folders import Folder, digests, write_json, write_text
from pagen.footage.prepare import Prepared
from pagen.models.density.detector import Detector, detector_card
from pagen.models.density.multiscale import MultiScale
from pagen.models.pretrained import CONFIG, WEIGHTS
from pagen.models.runs import CALIBRATION, MODEL, RECIPE
from pagen.scoring.density import highest, indicator_of
from pagen.scoring.rescale import summary
from pagen.train.accelerator import accelerator_on
from pagen.train.config import Train, recipe_of, run_folder
from pagen.train.density_batches import DensityBatches
from pagen.train.gcl_session import Clips, fit_gcl
from pagen.train.loop import Training, fit
from pagen.train.pictures import curves
from pagen.train.recipes.density import DetectorRecipe, Gcl, MultiScaleRecipe
from pagen.train.run_card import environment, fitted_on, title
from pagen.train.state import METRICS, STATE, Row, as_csv, newest_state


def train_detector(config: Train[Any]) -> dict[str, Any]:
    """Train on one kind of features, or go on, or find that all is done. Returns the run's path and its features."""
    recipe, path = config.recipe, run_folder(config)
    precision = recipe.precision if isinstance(recipe, MultiScaleRecipe) else "no"
    accelerator = accelerator_on(config.device, precision, config.log, path)
    if config.resume and newest_state(path / STATE) is None:
        raise PagenError(f"expected a run to go on with at {path}, found none; leave --resume out, or check --out")
    compute = Compute(config.root, str(accelerator.device), config.workers)
    with accelerator.main_process_first():
        source = open_source(recipe.spec, config.dataset, compute)
        names = source.prepared.clips("train")
        features = extract(source, names, compute)
        folder = _begin(path, config, source, accelerator.is_main_process)
    if folder.complete and not folder.pending(["run"]):
        console.say(f"{path} is finished; --overwrite trains it again")
    else:
        _train(folder, config, features, source.prepared, accelerator)
    accelerator.end_training()
    return {"run": str(path), "features": recipe.features}


def _begin(path: Path, config: Train[Any], source: FeatureSource, main: bool) -> Folder:
    inputs = {"prepared": source.prepared.fingerprint(), **source.inputs()}
    where = {"prepared": str(source.prepared.path)}
    return Folder.begin(path, "run", recipe_of(config), inputs, where, config.overwrite and main)


def _train(
    folder: Folder, config: Train[Any], features: FeatureFolder, prepared: Prepared, accelerator: Accelerator
) -> None:
    recipe, clips = config.recipe, Clips(features, prepared, tuple(prepared.clips("train")))
    detector = recipe.detector(config.seed, str(accelerator.device))
    if accelerator.is_main_process:
        count = sum(map(len, clips.videos))
        console.say(
            f"{recipe.name} ({config.scale} scale): {count:,} {recipe.features} features of {features.size} numbers"
        )
    rows = list[Row]()
    if isinstance(recipe, MultiScaleRecipe):
        rows = _step_by_step(detector, recipe, clips, folder.path, config.seed, accelerator)
    elif isinstance(recipe, Gcl):
        fit_gcl(detector, clips, recipe.pool, folder.path)
    else:
        detector.fit(clips.videos)
    if accelerator.is_main_process:
        _leave(folder, config, detector, rows, _calibrated(detector, clips, recipe))
        folder.finish()
    accelerator.wait_for_everyone()


def _step_by_step(
    detector: MultiScale, recipe: MultiScaleRecipe, clips: Clips, path: Path, seed: int, accelerator: Accelerator
) -> list[Row]:
    """The rows of the training's table."""
    batches = DensityBatches(recipe, detector.begin(clips.videos), detector.standard, seed)
    detector.steps = batches.steps * recipe.epochs
    rows = fit(Training(detector.network, batches, path, accelerator, seed))
    detector.finish(batches.rows)
    return rows


def _calibrated(detector: Detector, clips: Clips, recipe: DetectorRecipe) -> dict[str, dict[str, float]]:
    videos = [video for video in clips.videos if len(video)]
    scores = detector.training_score(videos)
    parts = iter(np.split(scores, np.cumsum(list(map(len, videos)))[:-1]))
    frames = [
        highest(next(parts) if len(video) else scores[:0], clips.frames(name), clips.length(name), scores.min())
        for name, video in zip(clips.names, clips.videos, strict=True)
    ]
    return {indicator_of(recipe.features): summary(np.concatenate(frames))}


def _leave(
    folder: Folder, config: Train[Any], detector: Detector, rows: list[Row], known: dict[str, dict[str, float]]
) -> None:
    """Everything but the state: recipe, environment, detector, card, calibration; metrics where there were steps."""
    path, recipe = folder.path, recipe_of(config)
    detector.save(path / MODEL)
    write_text(path / f"{MODEL}/README.md", detector_card(detector, title(recipe), fitted_on(config, rows), recipe))
    write_json(path / RECIPE, recipe)
    write_json(path / "environment.json", environment())
    write_json(path / CALIBRATION, known)
    names = [RECIPE, CALIBRATION, f"{MODEL}/{CONFIG}", f"{MODEL}/{WEIGHTS}", f"{MODEL}/README.md"]
    if rows:
        write_text(path / METRICS, as_csv(rows))
        curves(rows, title(recipe), path / "curves.png")
        names.append(METRICS)
    folder.record("run", digests(path, [path / name for name in names]))
