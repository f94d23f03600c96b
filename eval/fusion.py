"""Fusion: one score out of a run's indicators, each rescaled first, added up with weights.

No weight comes from a test label, but for `oracle`, which says so. `pseudo` weighs each indicator by how well it
alone told held-out pseudo-anomalies from normal clips at the end of training: 2 AUROC - 1, Somers' D, 0 below chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.metrics.roc import ByVideo, micro_auroc

STEPS = 10
"""Of the grid that `oracle` searches: weights are multiples of a tenth that sum to 1."""


def fused(indicators: Mapping[str, ByVideo], weights: Mapping[str, float]) -> dict[str, npt.NDArray[np.float64]]:
    """Video -> (T,): the weighted mean of rescaled indicators, indicator -> video -> (T,).

    Raises PagenError for weights, indicator -> weight, none of which is above 0.
    """
    total = sum(weights[name] for name in indicators)
    if not total > 0:
        raise PagenError(f"expected a weight above 0 for one of {' '.join(indicators)}, found {dict(weights)}")
    videos = next(iter(indicators.values()))
    return {
        video: np.sum([weights[name] / total * scores[video] for name, scores in indicators.items()], axis=0)
        for video in videos
    }


def pseudo_weights(names: Sequence[str], calibration: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Weights by what `calibration.json` says of held-out pseudo-anomalies.

    Raises PagenError: a run that was calibrated without them, or none of whose indicators tells them apart.
    """
    areas = {name: calibration.get(name, {}).get("pseudo_auroc") for name in names}
    missing = [name for name, area in areas.items() if area is None]
    if missing:
        wanted = f"pseudo_auroc of {' '.join(missing)} in calibration.json for --weights pseudo"
        raise PagenError(f"expected {wanted}, found none; train the run again, or take --weights uniform")
    weights = {name: max(2 * float(area or 0) - 1, 0.0) for name, area in areas.items()}
    if not any(weights.values()):
        raise PagenError(f"expected an indicator that tells pseudo-anomalies apart, found {areas}; train longer")
    return weights


def oracle_weights(final: Any, names: Sequence[str], labels: ByVideo) -> dict[str, float]:
    """The weights of the highest micro AUROC on the test labels: an upper bound, and no result.

    `final` maps weights to video -> (T,), the scores as the protocol leaves them.
    """
    return max(grid_of_weights(names, STEPS), key=lambda weights: micro_auroc(final(weights), labels))


def grid_of_weights(names: Sequence[str], steps: int) -> list[dict[str, float]]:
    """All weights that are multiples of 1 / steps and sum to 1."""
    shares = [row for row in product(range(steps + 1), repeat=len(names)) if sum(row) == steps]
    return [dict(zip(names, (share / steps for share in row), strict=True)) for row in shares]
