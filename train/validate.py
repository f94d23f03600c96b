"""Validation without test labels: held-out normal clips against pseudo-anomalies made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from pagen.train.inputs import Inputs
from pagen.train.loop import Validate


def validator(inputs: Inputs) -> Validate:
    """AUROC (in [0, 1]) of the recipe's chief indicator on pairs that are always the same."""
    chief = inputs.batches.recipe.chief

    def validate(network: Any) -> float:
        areas = pseudo_aurocs(network, inputs.judged)
        return areas[chief] if chief else next(iter(areas.values()))

    return validate


def pseudo_aurocs(network: Any, batches: Any) -> dict[str, float]:
    """Indicator -> AUROC (in [0, 1]) of pseudo-anomalies against the normal clips they are made of.

    Empty where no pseudo-anomalies can be drawn.
    """
    normal, pseudo = batches.pair_scores(network) or ({}, {})
    areas = {}
    for name in normal:
        labels = np.repeat([0, 1], [len(normal[name]), len(pseudo[name])])
        areas[name] = float(roc_auc_score(labels, np.concatenate([normal[name], pseudo[name]])))
    return areas
