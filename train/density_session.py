"""A density run: features of the training clips in, a detector out.

What is trained step by step resumes like every network; what is fitted at once is fitted again. `calibration.json` is
of frames, of each the highest score of what it shows, and of all objects or places by names of their own; nearest
neighbours leave the frame's own video out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.open import open_source
from pagen.features.spec import is_of_objects
from pagen.folders import write_text
from pagen.footage.prepare import Prepared
from pagen.hub import CARD
from pagen.models.density.detector import Detector, detector_card
from pagen.models.density.multiscale import MultiScale
from pagen.models.runs import MODEL
from pagen.registry import resolve
from pagen.scoring.density import highest, indicator_of
from pagen.scoring.rescale import of_objects, summary
from pagen.train.config import Train, recipe_of
from pagen.train.density_batches import DensityBatches, FeatureClips
from pagen.train.loop import Training, fit
from pagen.train.run_card import fitted_on, title
from pagen.train.session import Calibration, Opened, Worked, train_in_folder
from pagen.train.state import Row

Choosing = Callable[[Train[Any], Prepared], Sequence[str]]
"""Configuration and prepared clips -> the training clips that are learnt from."""
Fitting = Callable[[Any, FeatureClips, Train[Any], Path, Accelerator], list[Row]]
"""Detector, clips, configuration, run folder and accelerator -> the rows of the table of steps, if there are steps."""


def train_detector(config: Train[Any]) -> dict[str, Any]:
    """Train on one kind of features, or go on, or find that all is done. Returns the run's path and its features."""
    path = train_in_folder(config, lambda accelerator: _opened(config, str(accelerator.device)), _work)
    return {"run": str(path), "features": config.recipe.features}


def _opened(config: Train[Any], device: str) -> Opened:
    compute = Compute(config.root, device, config.workers, partial=config.partial)
    source = open_source(config.recipe.spec, config.dataset, compute)
    names = resolve(config.recipe.choosing)(config, source.prepared)
    features = extract(source, names, compute)
    prints = {"prepared": source.prepared.fingerprint(), **source.inputs()}
    clips = FeatureClips(features, source.prepared, tuple(names))
    if not any(map(len, clips.videos)):
        asked = config.recipe.spec
        how = f" in boxes by {asked.boxes}; take other --boxes, or larger footage" if is_of_objects(asked.of) else ""
        raise PagenError(f"expected {asked.of} features of the training clips of {config.dataset}, found none{how}")
    return clips, prints, {"prepared": str(source.prepared.path)}


def _work(config: Train[Any], clips: FeatureClips, path: Path, accelerator: Accelerator) -> Worked:
    recipe = config.recipe
    detector = recipe.detector(config.seed, str(accelerator.device))
    if accelerator.is_main_process:
        count, size = sum(map(len, clips.videos)), clips.features.size
        console.say(f"{recipe.name} ({config.scale} scale): {count:,} {recipe.features} features of {size} numbers")
    rows = resolve(recipe.fitting)(detector, clips, config, path, accelerator)
    return rows, lambda: _save(config, detector, clips, path, rows)


def every_clip(config: Train[Any], prepared: Prepared) -> Sequence[str]:
    """All training clips."""
    return prepared.clips("train")


def fit_at_once(
    detector: Detector, clips: FeatureClips, config: Train[Any], path: Path, accelerator: Accelerator
) -> list[Row]:
    """Fit a detector that has no steps."""
    detector.fit(clips.videos)
    return []


def fit_step_by_step(
    detector: MultiScale, clips: FeatureClips, config: Train[Any], path: Path, accelerator: Accelerator
) -> list[Row]:
    """Train the network of a detector in the loop of all networks."""
    batches = DensityBatches(config.recipe, detector.begin(clips.videos), detector.standard, config.seed)
    detector.steps = batches.steps * config.recipe.epochs
    rows = fit(Training(detector.network, batches, path, accelerator, config.seed))
    detector.finish(batches.rows)
    return rows


def _save(config: Train[Any], detector: Detector, clips: FeatureClips, path: Path, rows: list[Row]) -> Calibration:
    """Leave the detector and its card; returns its calibration."""
    recipe = recipe_of(config)
    detector.save(path / MODEL)
    write_text(path / MODEL / CARD, detector_card(detector, title(recipe), fitted_on(config, rows), recipe))
    return {indicator_of(config.recipe.features): calibration_of(detector, clips)}


def calibration_of(detector: Detector, clips: FeatureClips) -> dict[str, float]:
    """What is known of the training scores: figures of frames, and of all that they show, objects or places."""
    features, prepared = clips.features, clips.prepared
    videos = [video for video in clips.videos if len(video)]
    scores = detector.training_score(videos)
    parts = iter(np.split(scores, np.cumsum(list(map(len, videos)))[:-1]))
    lowest, span = scores.min(), features.span
    frames = [
        highest(next(parts) if len(video) else scores[:0], features.frames(name), prepared.length(name), lowest, span)
        for name, video in zip(clips.names, clips.videos, strict=True)
    ]
    return summary(np.concatenate(frames)) | of_objects(scores)
