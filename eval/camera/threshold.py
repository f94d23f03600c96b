"""The threshold of a camera: what is kept of a calibration, and how many alerts a threshold gives."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from json import loads
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.metrics.events import closed, slid
from pagen.folders import write_json

Values = npt.NDArray[np.float64]


class Smooth:
    """`rescale.causal_smooth` for scores that come one by one; NaN gives NaN and is passed over.

    Args:
        sigma: in frames; 0 smooths nothing.
    """

    def __init__(self, sigma: float) -> None:
        reach = math.ceil(4 * sigma)
        self._weights = [math.exp(-(back**2) / (2 * sigma**2)) if back else 1.0 for back in range(reach + 1)]
        self._scores: deque[float] = deque(maxlen=reach + 1)

    def __call__(self, score: float) -> float:
        if math.isnan(score):
            return score
        self._scores.appendleft(score)
        total = weight = 0.0
        for share, past in zip(self._weights, self._scores, strict=False):
            total, weight = total + share * past, weight + share
        return total / weight

    def reset(self) -> None:
        """What comes next does not go on from what came."""
        self._scores.clear()


def heights(scores: npt.NDArray[Any], gap: int, least: int) -> Values:
    """Scores (T,) such that above any threshold lie the alerts, and nothing else; -inf where there can be none.

    Args:
        gap: frames between two alarms that still merge, 0 and more.
        least: frames of the shortest alert, 1 and more.
    """
    values = np.asarray(scores, np.float64)
    values = np.where(np.isnan(values), -np.inf, values)
    if len(values) < least:
        return np.full(len(values), -np.inf)
    opened = np.pad(slid(closed(values, gap), least, "min"), least - 1, constant_values=-np.inf)
    return slid(opened, least, "max")


def event_counts(clips: Sequence[npt.NDArray[Any]], gap: int, least: int) -> tuple[Values, npt.NDArray[np.int64]]:
    """(K,) the thresholds at which something changes, falling, and (K,) the alerts above each, in all clips.

    `clips` are the scores (T,) of each; `gap` and `least` as `heights` takes them.
    """
    tops = [heights(clip, gap, least) for clip in clips]
    every = np.concatenate([*tops, np.empty(0)])
    links = np.concatenate([*(np.minimum(top[1:], top[:-1]) for top in tops), np.empty(0)])
    thresholds = np.unique(every[np.isfinite(every)])[::-1]
    return thresholds, _above(every, thresholds) - _above(links, thresholds)


def lowest_threshold(thresholds: Values, counts: npt.NDArray[np.int64], allowed: int) -> tuple[float, int]:
    """The lowest threshold with which, and above which, there are at most so many alerts, and how many there are.

    Where there never are so many, the highest with the most: below it alerts only grow together.
    """
    over = np.flatnonzero(counts > allowed)
    chosen = int(over[0]) - 1 if len(over) else int(np.argmax(counts))
    return float(thresholds[chosen]), int(counts[chosen])


def _above(values: Values, thresholds: Values) -> npt.NDArray[np.int64]:
    """How many of the values lie above each threshold."""
    return len(values) - np.searchsorted(np.sort(values), thresholds, "right")


FILE = "alarms.json"


@dataclass(frozen=True)
class Threshold:
    """When a run's scores are alerts, and what that was found on.

    Attributes:
        run: its folder, seen from where this lies, or a baseline; `fingerprint` tells whether it is still the same.
        smooth: sigma of the causal smoothing in frames; 0 for none.
        merge, least: in seconds; see the module.
        fps: frames a second that are looked at.
        wanted: alerts an hour, at most.
        hours, events: of normal footage, and the alerts in it.
        bound: upper end of the one-sided 95 % interval of alerts an hour.
        margin: what was added to the highest score.
        median: of the smoothed scores.
        heat: quantile 0.99 of the frames' highest errors, by which the heat map is drawn.
    """

    run: str
    fingerprint: str
    indicator: str
    threshold: float
    smooth: float
    merge: float
    least: float
    fps: float
    wanted: float
    hours: float
    events: int
    bound: float
    margin: float
    median: float
    heat: float | None
    zones: dict[str, Any] | None

    def write(self, folder: Path) -> None:
        """Keep it in a folder."""
        write_json(folder / FILE, asdict(self))


def read_alarms(folder: Path) -> Threshold:
    """What was kept in a folder. Raises PagenError when there is nothing, or it is damaged."""
    path = Path(folder) / FILE
    if not path.exists():
        raise PagenError(f"expected {FILE} in {folder}, found none; run 'pagen calibrate {folder} --normal ...' first")
    try:
        return Threshold(**loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise PagenError(f"{path} is damaged ({error}); calibrate again") from error
