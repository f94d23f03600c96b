"""Fusion: one score out of a run's indicators, each calibrated on training clips first; nothing is fitted to tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.eval.rescale import calibrated

FUSED: dict[str, tuple[str, ...]] = {
    "luss": ("vcr_local", "ffp_local", "prp"),
    "unified": ("psnr_local", "flow", "semantic"),
}
"""Recipe -> the indicators that are added up."""


def fused(
    indicators: Sequence[Mapping[str, npt.NDArray[Any]]], calibrations: Sequence[Mapping[str, float]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Video -> (T,): the mean of the indicators, each less its training median over its training range (P1 to P99).

    Args:
        indicators: for each of them, video -> (T,).
        calibrations: for each of them, `p1`, `median` and `p99` of its raw training scores.
    """
    return {
        name: np.mean([calibrated(of[name], known) for of, known in zip(indicators, calibrations, strict=True)], axis=0)
        for name in indicators[0]
    }
