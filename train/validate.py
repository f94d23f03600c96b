"""Validation without test labels: held-out normal clips against pseudo-anomalies made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from pagen.device import exact
from pagen.models.pretrained import Pretrained
from pagen.scoring.sliding import WINDOWS_AT_ONCE
from pagen.scoring.window_scores import indicator_of, log_odds
from pagen.train.batches import ClipBatches, draw
from pagen.train.inputs import Inputs
from pagen.train.loop import Validate
from pagen.train.painted_features import FeatureBatches
from pagen.train.recipes.clips import Luss, Skip

PAIRS = 32
"""Normal clips, and as many pseudo-anomalous ones."""


def validator(inputs: Inputs, device: torch.device) -> Validate:
    """AUROC (in [0, 1]) of a network's first indicator (LUSS-AE: of acceleration) on pairs that are always the same."""

    def validate(network: Pretrained) -> float:
        areas = pseudo_aurocs(network, inputs, device)
        return areas["prp"] if "prp" in areas else next(iter(areas.values()))

    return validate


def pseudo_aurocs(network: Pretrained, inputs: Inputs, device: torch.device) -> dict[str, float]:
    """Indicator -> AUROC (in [0, 1]) of pseudo-anomalies against the normal clips they are made of.

    Of clips held out for validation, if there are any, else of those that were trained on.
    """
    batches = inputs.batches
    if isinstance(batches, FeatureBatches):
        judged = replace(batches, names=inputs.held_out or batches.names)
        return {"semantic": _auroc(*_judged(network, judged))}
    names = inputs.held_out or batches.normal.names
    normal, pseudo = (_indicated(network, _whole(batches, names, share), device) for share in (0.0, 1.0))
    return {name: _auroc(normal[name], pseudo[name]) for name in normal}


@dataclass(frozen=True)
class _WithNext(Skip):
    """Clips of one frame more than a network takes: the frame after them."""

    def __post_init__(self) -> None:
        """No network sees such a clip whole."""


def _whole(batches: ClipBatches, names: tuple[str, ...], probability: float) -> ClipBatches:
    """Whole frames, none or all of them pseudo-anomalous; by skipping where there is no kind."""
    recipe = batches.recipe
    if isinstance(recipe, Luss):
        recipe = replace(_WithNext(), size=recipe.size, colour=recipe.colour, window=recipe.window + 1)
    elif not recipe.kinds:
        recipe = replace(Skip(), size=recipe.size, colour=recipe.colour, window=recipe.window)
    recipe = replace(recipe, probability=probability, crop=0)
    return replace(batches, recipe=recipe, names=names)


def _indicated(network: Pretrained, batches: ClipBatches, device: torch.device) -> dict[str, npt.NDArray[np.float64]]:
    """Indicator -> (PAIRS,)."""
    rows = [
        _of_clips(network, batches, range(i, i + WINDOWS_AT_ONCE), device) for i in range(0, PAIRS, WINDOWS_AT_ONCE)
    ]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _of_clips(
    network: Pretrained, batches: ClipBatches, indices: range, device: torch.device
) -> dict[str, npt.NDArray[np.float64]]:
    """A number for each clip: what is said of frames is averaged."""
    clips = draw(batches, indices)["clips"].to(device)
    indicate, beyond = indicator_of(network, batches.recipe.source)
    with torch.inference_mode(), exact():
        found = indicate(network, clips, range(clips.shape[2] - beyond))
    frames = {name: each.mean(dim=1) for name, each in found.frames.items()}
    return {name: each.numpy() for name, each in {**frames, **found.window, **found.after}.items()}


def _judged(network: Pretrained, batches: FeatureBatches) -> list[npt.NDArray[np.float64]]:
    """What is said of every frame of the clips, normal and painted."""
    return [
        np.concatenate([log_odds(network, vectors(name)) for name in batches.names])
        for vectors in (batches.normal, batches.pseudo)
    ]


def _auroc(normal: npt.NDArray[np.float64], pseudo: npt.NDArray[np.float64]) -> float:
    labels = np.repeat([0, 1], [len(normal), len(pseudo)])
    return float(roc_auc_score(labels, np.concatenate([normal, pseudo])))
