"""The threshold of a camera: how many alerts one gives, which one is chosen, and what is kept of the calibration.

At every threshold at once: closing the scores by the gap and opening them by the length (flat grey morphology commutes
with thresholding) leaves as many alerts as there are peaks above it, so that the counts are exact, without a grid.

The threshold is the lowest with which, and above which, normal footage of T hours keeps to X T alerts; k remain.
If these come by chance (Poisson), the rate above the (k + 1)-th highest of all events is Gamma(k + 1, T), however the
threshold was chosen among them: its upper 95 % bound is chi2(0.95; 2 k + 2) / 2 T, or 3 / T with none.

An event that falls due less than once in T hours has not been seen: where X T < 1 the threshold is the highest score
and a margin of b ln(1 / X T), b the mean by which the nine highest events exceed the tenth. That extrapolates an
exponential tail, and the bound stays 3 / T.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Gt
from scipy.stats import chi2

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.eval.metrics.events import closed, slid
from pagen.folders import Folder, write_json
from pagen.options import Precision
from pagen.scoring.baselines import BASELINES
from pagen.scoring.zones import Zones

Values = npt.NDArray[np.float64]
FILE = "alarms.json"
TAIL = 9
"""How many of the highest events the margin rests on."""


class Smooth:
    """`causal_smooth` for scores one by one, `sigma` in frames, 0 for none; NaN gives NaN and is passed over."""

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
        """Forget the scores so far: the next one does not go on from them."""
        self._scores.clear()


def heights(scores: npt.NDArray[Any], gap: int, least: int) -> Values:
    """Scores (T,) such that above any threshold lie the alerts, and nothing else; -inf where there can be none.

    Alarms with up to `gap` frames between them, 0 and more, still merge; the shortest alert has `least`, 1 and more.
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


def tail_margin(thresholds: Values, counts: npt.NDArray[np.int64], expected: float) -> float:
    """The margin between the highest event and one that falls due `expected` times, below 1; see the module."""
    most = min(TAIL, int(counts.max()))
    *highest, last = (lowest_threshold(thresholds, counts, allowed)[0] for allowed in range(most + 1))
    excess = sum(highest) / len(highest) - last if highest else 0.0
    return excess * math.log(1 / expected)


def upper_bound(events: int, hours: float) -> float:
    """The highest rate (an hour) with which so few events in so many hours are no rarer than 5 %.

    With none by the rule of three, else exact for a Poisson process (Garwood 1936).
    """
    return 3 / hours if events == 0 else float(chi2.ppf(0.95, 2 * events + 2)) / 2 / hours


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
        deinterlace: whether interlaced frames are de-interlaced.
        precision: what networks over clips multiply.
        heat: quantile 0.99 of the frames' highest errors, by which the heat map is drawn.
    """

    run: str
    fingerprint: str
    indicator: str
    threshold: float
    smooth: Annotated[float, Ge(0)]
    merge: Annotated[float, Ge(0)]
    least: Annotated[float, Ge(0)]
    fps: Annotated[float, Gt(0)]
    wanted: Annotated[float, Gt(0)]
    hours: Annotated[float, Gt(0)]
    events: Annotated[int, Ge(0)]
    bound: Annotated[float, Ge(0)]
    margin: Annotated[float, Ge(0)]
    median: float
    heat: float | None
    zones: Zones | None
    deinterlace: bool = False
    precision: Precision = "fp32"

    @classmethod
    def chosen(
        cls, clips: Sequence[Values], *, fps: float, merge: float, least: float, wanted: float, **others: Any
    ) -> Threshold:
        """The threshold that keeps normal footage to so many alerts an hour; see the module.

        Raises PagenError: no frame that has a score.

        Args:
            clips: smoothed scores (T,) of each piece of footage, NaN where a frame has none.
            others: the fields that play no part in it.
        """
        hours, shortest = sum(map(len, clips)) / fps / 3600, max(1, math.ceil(least * fps - 0.5))
        thresholds, counts = event_counts(clips, math.floor(merge * fps + 0.5), shortest)
        if len(thresholds) == 0:
            footage = f"{shortest} frames and more of normal footage with a score"
            raise PagenError(f"expected {footage}, found none; give more")
        expected = wanted * hours
        threshold, events = lowest_threshold(thresholds, counts, math.floor(expected + 1e-9))
        margin = tail_margin(thresholds, counts, expected) if expected < 1 else 0.0
        return cls(
            threshold=threshold + margin,
            hours=hours,
            events=events,
            bound=upper_bound(events, hours),
            margin=margin,
            median=float(np.nanmedian(np.concatenate(clips))),
            **{"fps": fps, "merge": merge, "least": least, "wanted": wanted, **others},
        )

    def write(self, folder: Path) -> None:
        """Keep it in a folder."""
        write_json(folder / FILE, asdict(self))

    def text(self) -> str:
        """The threshold as a person reads it."""
        line = (
            f"threshold {self.threshold:.6g} on {self.indicator}: {self.events} alerts in {self.hours:.3g} hours of "
            f"normal footage; at most {self.bound:.3g} an hour with 95 % confidence, {self.wanted:g} wanted"
        )
        if self.wanted * self.hours >= 1:
            return line
        return (
            f"{line}\n{self.hours:.3g} hours are too short for {self.wanted:g} an hour, which takes "
            f"{1 / self.wanted:.3g} (and {3 / self.wanted:.3g} to show it): the threshold is the highest score "
            f"and a margin of {self.margin:.3g}, extrapolated; give more normal footage"
        )


def read_threshold(folder: Path) -> Threshold:
    """The threshold that was kept in a folder. Raises PagenError when there is nothing, or it is damaged."""
    path = Path(folder) / FILE
    if not path.exists():
        raise PagenError(f"expected {FILE} in {folder}, found none; run 'pagen calibrate {folder} --normal ...' first")
    return read_json(path, Threshold, "a threshold", "calibrate again")


def fingerprint_of(run: str) -> str:
    """What tells a run from another; empty for a baseline. Raises PagenError when there is no such run."""
    return "" if run in BASELINES else Folder.open(Path(run), "run", verify=False).fingerprint()
