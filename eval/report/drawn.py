"""What the page's script draws: every video's scores and labels, and the ROC.

Scores are sent as 16 bits between an indicator's lowest and highest value over all videos, in base64: what the page
draws is exact to 1/65,535 of that range.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import runs
from pagen.eval.labelled import Labelled
from pagen.eval.metrics import roc as metrics
from pagen.eval.metrics.events import events
from pagen.eval.protocol import Protocol
from pagen.eval.report.highlights import Pick
from pagen.eval.results import Series
from pagen.footage.clips import LEFT_OUT

Values = npt.NDArray[np.float64]
GRID = 400
"""Cells of the ROC's sides: points that fall into the cell of the one before are left out."""


def drawn(
    protocol: Protocol,
    series: Sequence[Series],
    labelled: Labelled,
    threshold: float,
    picks: Mapping[str, Sequence[Pick]],
) -> dict[str, Any]:
    """The data of the page's script, pictures aside; the first of the series is what alarms are raised by."""
    ranges = [_range(one) for one in series]
    return {
        "fps": labelled.prepared.fps,
        "every": protocol.every,
        "threshold": _finite(threshold),
        "series": ranges,
        "videos": [_video(name, series, ranges, labelled, protocol.every) for name in labelled.labels],
        "roc": [_curve(one) for one in series],
        "point": _point(series[0], threshold),
        "picks": {kind: [asdict(pick) for pick in listed] for kind, listed in picks.items()},
    }


def _range(series: Series) -> dict[str, Any]:
    together = np.concatenate([*series.final.values()])
    return {"name": series.indicator, "low": float(together.min()), "high": float(together.max())}


def _video(
    name: str, series: Sequence[Series], ranges: Sequence[Any], labelled: Labelled, every: int
) -> dict[str, Any]:
    final, labels, area = series[0].final, series[0].labels, None
    marks = np.asarray(labelled.labels[name])
    if name in final and 0 < int(labels[name].sum()) < len(labels[name]):
        area = metrics.auroc(final[name], labels[name])
    return {
        "name": name,
        "length": len(marks),
        "spans": events(marks).tolist(),
        "left": runs(marks == LEFT_OUT).tolist(),
        "pieces": pieces(series[0].frames.get(name, np.zeros(0, np.int64)), every),
        "auroc": area,
        "scores": [
            packed(one.final.get(name, np.zeros(0)), about["low"], about["high"])
            for about, one in zip(ranges, series, strict=True)
        ],
    }


def pieces(frames: npt.NDArray[np.int64], every: int) -> list[list[int]]:
    """The first frame and the number of those of each stretch of scored frames (T,) that are `every` apart."""
    stretches = np.split(frames, np.flatnonzero(np.diff(frames) > every) + 1)
    return [[int(stretch[0]), len(stretch)] for stretch in stretches if len(stretch)]


def packed(values: Values, low: float, high: float) -> str:
    """(T,) as little-endian 16 bits between `low` and `high`, in base64."""
    shares = (values - low) / (high - low) if high > low else np.zeros(len(values))
    return b64encode(np.rint(65535 * shares).astype("<u2").tobytes()).decode()


def _curve(series: Series) -> dict[str, Any]:
    area = metrics.micro_auroc(series.final, series.labels)
    points = roc(*metrics.concatenate(series.final, series.labels))
    return {"name": series.indicator, "auroc": _finite(area), "points": points.tolist()}


def roc(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Values:
    """Points (K, 2) of the ROC: shares of the normal and the abnormal frames, thinned; none for one class."""
    if not 0 < int(labels.sum()) < len(labels):
        return np.zeros((0, 2))
    _, true, false = metrics.roc_counts(scores, labels)
    curve = np.concatenate([[[0.0, 0.0]], np.column_stack([false / false[-1], true / true[-1]])])
    grid = np.floor(curve * GRID)
    kept = np.r_[True, np.any(grid[1:] != grid[:-1], axis=1)]
    kept[-1] = True
    return np.round(curve[kept], 4)


def _point(series: Series, threshold: float) -> list[float] | None:
    """Where the operating point lies in the ROC."""
    scores, labels = metrics.concatenate(series.final, series.labels)
    if not 0 < int(labels.sum()) < len(labels):
        return None
    return [float(np.mean(scores[labels == kind] >= threshold)) for kind in (0, 1)]


def _finite(value: float) -> float | None:
    """JSON has no NaN and nothing infinite."""
    return value if np.isfinite(value) else None
