"""Calibration: what a run's indicators are on normal footage, so that scores mean something without test labels."""

from __future__ import annotations

from typing import Any

from pagen.scoring.rescale import summary
from pagen.train.inputs import Inputs
from pagen.train.validate import pseudo_aurocs


def calibrate(network: Any, inputs: Inputs) -> dict[str, dict[str, float]]:
    """Indicator -> mean, std, count and the percentiles p0 to p100 of its raw training scores.

    And `pseudo_auroc`: how well it alone tells pseudo-anomalies of the recipe's kinds (skipped frames, where it has
    none) from normal clips; left out where these would come from a PA set, and none was given.

    Clips held out for validation are taken if there are any: training has not fitted those.
    """
    scores = inputs.judged.normal_scores(network.eval())
    areas = pseudo_aurocs(network, inputs.judged)
    judged = {name: {"pseudo_auroc": area} for name, area in areas.items()}
    return {name: summary(values) | judged.get(name, {}) for name, values in scores.items()}
