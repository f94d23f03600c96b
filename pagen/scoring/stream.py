"""How a run scores frames as they come."""

from __future__ import annotations

from typing import Any

import numpy as np

from pagen.footage.flow import dis
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.zones import inside

MAPPED = ("psnr_local", "vcr_local", "ffp_local", "flow_local", "flow_speed", "frame_difference")
"""Indicators that have a map of errors."""


def looks_of(name: str, shown: Any, found: Any, measure: str = "bpe") -> dict[str, FrameScore]:
    """What an indicator says of one frame, (1, C, 1, H, W) twice: over the whole of it, and at its worst place."""
    from pagen.scoring.window_scores import errors

    values, maps = errors(name, shown, found, measure)
    heat = maps[0, 0].numpy()
    return {key: FrameScore(float(value), heat if key in MAPPED else None) for key, value in values.items()}


def baseline_look(name: str, before: Frame, now: Frame) -> FrameScore:
    """What a baseline says of two grey frames (H, W)."""
    difference = now / 255 - before / 255
    heat = np.square(difference) if name == "frame_difference" else np.hypot(*next(dis(iter((before, now)))))
    return FrameScore(inside(name, heat, heat >= 0), heat.astype(np.float64))
