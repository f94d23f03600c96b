"""How a run, or a trivial baseline, scores frames as they come.

A `Streamer` holds the last frames that it needs and nothing else: memory does not grow, and no score looks ahead. What
compares two frames has no score (NaN) for a first one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pagen.compute import Compute
from pagen.errors import PagenError, require_name
from pagen.footage.flow import grey
from pagen.footage.resize import resized_frame
from pagen.models.runs import open_run
from pagen.options import Precision
from pagen.scoring.baselines import BASELINES
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.indicator_table import fused_of, indicator_named, order_of
from pagen.scoring.rescale import calibrated
from pagen.scoring.sources import FrameScorer, source_of
from pagen.scoring.zones import Zones

Known = Mapping[str, Mapping[str, float]]
"""Indicator -> what is known of its training scores."""


class Streamer:
    """Scores frames that come one by one, by what `scorers` make with nothing held.

    `parts` are the indicators that are added up, with what is known of their training scores; one alone stays raw. In
    zones the error outside is 0, and the score that of the worst place inside.

    Example:
        >>> brightness = lambda frame: {"mean": FrameScore(float(frame.mean()))}
        >>> Streamer("mean", [lambda: brightness], {"mean": {}}, None)(np.ones((2, 2), np.uint8)).value
        1.0
    """

    def __init__(
        self, indicator: str, scorers: Sequence[Callable[[], FrameScorer]], parts: Known, zones: Zones | None
    ) -> None:
        self.indicator = indicator
        self._new, self._parts, self._zones = scorers, parts, zones
        self.reset()

    def reset(self) -> None:
        """Hold nothing, as at the start."""
        self._scorers = [new() for new in self._new]

    def __call__(self, frame: Frame) -> FrameScore:
        """The score of the newest frame, uint8 (H, W) or (H, W, 3) RGB, and where it errs; NaN if there is none yet."""
        scores: dict[str, FrameScore] = {}
        for scorer in self._scorers:
            scores |= scorer(frame)
        if any(name not in scores for name in self._parts):
            return FrameScore(math.nan)
        parts = {name: scores[name] for name in self._parts}
        if self._zones is not None:
            parts = {name: self._zones.within(name, score, frame.shape[:2]) for name, score in parts.items()}
        if len(parts) == 1:
            return next(iter(parts.values()))
        values = {name: float(calibrated(np.array(score.value), self._parts[name])) for name, score in parts.items()}
        mapped = [name for name, score in parts.items() if score.heat is not None]
        heat = parts[max(mapped, key=values.__getitem__)].heat if mapped else None
        return FrameScore(sum(values.values()) / len(values), heat)


def open_streamer(
    run: str,
    indicator: str | None = None,
    zones: Zones | None = None,
    device: str = "auto",
    precision: Precision = "fp32",
) -> Streamer:
    """What scores frames for a run, or a baseline by its name: by default what the run fuses, else its first indicator.

    Networks over clips multiply numbers of `precision`. In zones, `fused` is of those that have a map. Raises
    PagenError: no such run, indicator or device, flow that is read from files, or zones without a map.

    Example:
        >>> open_streamer("flow_speed").indicator
        'flow_speed'
    """
    known, fused, scorers = _opened(run, Compute(device=device, rounding=precision))
    names = [*(["fused"] if fused else []), *sorted(known, key=order_of)]
    chosen = indicator or names[0]
    require_name("indicator", chosen, names)
    together = fused if chosen == "fused" else (chosen,)
    parts = [name for name in together if zones is None or indicator_named(name).mapped]
    if not parts:
        raise PagenError(f"expected an indicator with a map of errors for --zones, found {chosen}; take another")
    return Streamer(chosen, scorers, {name: known[name] for name in parts}, zones)


def _opened(run: str, compute: Compute) -> tuple[Known, tuple[str, ...], Sequence[Callable[[], FrameScorer]]]:
    """The indicators of a run with their calibration, those that are fused, and what makes its scorers."""
    if run in BASELINES:
        return {run: {}}, (), [partial(BaselineStream, run)]
    opened, compute = open_run(Path(run)), replace(compute, device=compute.place)
    singles = list(opened.single())
    known = {name: summary for single in singles for name, summary in single.calibration.items()}
    return known, fused_of(opened.recipe), [source_of(single).stream(single, compute) for single in singles]


class BaselineStream:
    """Scores frames that come one by one by a baseline of `BASELINES`.

    Example:
        >>> stream = BaselineStream("frame_difference")
        >>> stream(np.zeros((8, 8), np.uint8)), stream(np.full((8, 8), 255, np.uint8))["frame_difference"].value
        ({}, 1.0)
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._held: deque[Frame] = deque(maxlen=2)

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """The score of the newest frame, and its map; none of a first one."""
        self._held.append(grey(resized_frame(frame, None, False)))
        if len(self._held) < 2:
            return {}
        baseline = BASELINES[self._name]
        heat = next(baseline.maps(iter(self._held)))
        return {self._name: FrameScore(baseline.score(heat.ravel()), heat.astype(np.float64))}
