"""Validation without test labels: held-out normal clips against pseudo-anomalies made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from pagen.device import exact
from pagen.models.luss import LUSSAE
from pagen.models.pretrained import Pretrained
from pagen.scoring.indicators import indicator_of, log_odds
from pagen.scoring.sliding import WINDOWS_AT_ONCE
from pagen.train.batches import ClipBatches, draw
from pagen.train.features import FeatureBatches
from pagen.train.inputs import Inputs
from pagen.train.loop import Validate
from pagen.train.recipes import Skip

PAIRS = 32
"""Normal clips, and as many pseudo-anomalous ones."""


def validator(inputs: Inputs, device: torch.device) -> Validate:
    """AUROC (in [0, 1]) of a network's indicator on so many pairs, always the same."""
    batches = inputs.batches
    if isinstance(batches, FeatureBatches):
        held = replace(batches, names=inputs.held_out)
        return lambda network: _auroc(*_judged(network, held))
    normal, pseudo = _whole(batches, inputs, 0.0), _whole(batches, inputs, 1.0)
    return lambda network: _auroc(*(_indicated(network, each, device) for each in (normal, pseudo)))


def _whole(batches: ClipBatches, inputs: Inputs, probability: float) -> ClipBatches:
    """Whole frames of the held-out clips, none or all of them pseudo-anomalous; by skipping where there is no kind."""
    recipe = batches.recipe
    if not recipe.kinds:
        recipe = replace(Skip(), size=recipe.size, colour=recipe.colour, window=recipe.window)
    recipe = replace(recipe, probability=probability, crop=0)
    return replace(batches, recipe=recipe, names=inputs.held_out)


def _indicated(network: Pretrained, batches: ClipBatches, device: torch.device) -> npt.NDArray[np.float64]:
    values = [
        _of_clips(network, batches, range(i, i + WINDOWS_AT_ONCE), device) for i in range(0, PAIRS, WINDOWS_AT_ONCE)
    ]
    return np.concatenate(values)


def _of_clips(
    network: Pretrained, batches: ClipBatches, indices: range, device: torch.device
) -> npt.NDArray[np.float64]:
    """A number for each clip: log-odds of acceleration (LUSS-AE), else the mean over its frames of the first error."""
    clips = draw(batches, indices)["clips"].to(device)
    with torch.inference_mode(), exact():
        if isinstance(network, LUSSAE):
            logits = network.classify(clips).double().cpu()
            return (logits[:, 1] - logits[:, 0]).numpy()
        indicate, _ = indicator_of(network, batches.recipe.source)
        found = indicate(network, clips, range(clips.shape[2]))
    errors: npt.NDArray[np.float64] = next(iter(found.frames.values())).mean(dim=1).numpy()
    return errors


def _judged(network: Pretrained, batches: FeatureBatches) -> list[npt.NDArray[np.float64]]:
    """What is said of every frame of the clips, normal and painted."""
    return [
        np.concatenate([log_odds(network, vectors(name)) for name in batches.names])
        for vectors in (batches.normal, batches.pseudo)
    ]


def _auroc(normal: npt.NDArray[np.float64], pseudo: npt.NDArray[np.float64]) -> float:
    labels = np.repeat([0, 1], [len(normal), len(pseudo)])
    return float(roc_auc_score(labels, np.concatenate([normal, pseudo])))
