"""Calibration: what a run's indicators are on normal footage, so that scores mean something without test labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from pagen.models.pretrained import Pretrained
from pagen.scoring.rescale import summary
from pagen.scoring.sliding import Slider, Take, frames_in, maps_in
from pagen.scoring.window_scores import log_odds
from pagen.train.batches import ClipBatches
from pagen.train.inputs import Inputs
from pagen.train.painted_features import FeatureBatches
from pagen.train.recipes.clips import Temporal
from pagen.train.validate import pseudo_aurocs

WINDOWS = 256
"""Windows of the training clips that are scored, evenly spread."""


def calibrate(network: Pretrained, inputs: Inputs) -> dict[str, dict[str, float]]:
    """Indicator -> mean, std, count and the percentiles p0 to p100 of its raw training scores.

    And `pseudo_auroc`: how well it alone tells pseudo-anomalies of the recipe's kinds (skipped frames, where it has
    none) from normal clips.

    Frames are scored as the last of their window, whole frames even where crops were trained on. Clips held
    out for validation are taken if there are any: training has not fitted those.
    """
    batches = inputs.batches
    if isinstance(batches, FeatureBatches):
        scores = {"semantic": np.concatenate([log_odds(network, batches.normal(name)) for name in batches.names])}
    else:
        scores = _of_windows(network, batches, inputs)
    areas = pseudo_aurocs(network.eval(), inputs, next(network.parameters()).device)
    return {name: {**summary(values), "pseudo_auroc": areas[name]} for name, values in scores.items()}


def _of_windows(network: Pretrained, batches: ClipBatches, inputs: Inputs) -> dict[str, npt.NDArray[np.float64]]:
    slider = slider_of(network, batches)
    names = inputs.held_out or batches.normal.names
    places = replace(batches.normal, names=names).windows
    chosen = [places[i] for i in np.linspace(0, len(places) - 1, min(WINDOWS, len(places))).astype(int)]
    rows = []
    for name in names:
        starts = [start for clip, start in chosen if clip == name]
        take, count = taker(batches, name), len(batches.normal.source(name))
        if starts:
            said = slider.said(take, starts, count)
            rows.append({name: each[:, 0] for name, each in said.frames.items()} | {**said.window, **said.after})
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def slider_of(network: Pretrained, batches: ClipBatches) -> Slider:
    """The network over the clips of its recipe, on the device where it lies."""
    device = str(next(network.parameters()).device)
    return Slider(network.eval(), batches.recipe.source, batches.recipe.window, "last", device)


def taker(batches: ClipBatches, name: str) -> Take:
    """Indices -> the network's input, of a clip."""
    source, recipe = batches.normal.source(name), batches.recipe
    if isinstance(recipe, Temporal):
        return partial(maps_in, source, recipe.encoding, recipe.radius)
    return partial(frames_in, source)
