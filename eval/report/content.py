"""What a report shows: the table, the ROC, every video's scores, and the frames that stand out.

Scores are sent as 16 bits between an indicator's lowest and highest value over all videos, in base64: what the page
draws is exact to 1/65,535 of that range.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.eval.baselines import score_baselines
from pagen.eval.fusion import fused_of
from pagen.eval.metrics import roc as metrics
from pagen.eval.metrics.events import events
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocol import Protocol, apply
from pagen.eval.render import HEADERS, LEGEND, cells, point_headers, points
from pagen.eval.report.highlights import Pick, stand_out
from pagen.eval.results import BAR, TRIVIAL, Row, percent
from pagen.eval.streamer import INDICATORS

if TYPE_CHECKING:
    from pagen.eval.metrics.roc import ByVideo
    from pagen.eval.results import Evaluation
    from pagen.eval.scores import Scores
    from pagen.footage.prepare import Prepared

Values = npt.NDArray[np.float64]
GRID = 400
"""Cells of the ROC's sides: points that fall into the cell of the one before are left out."""

MEANINGS = {
    "fused": "the protocol's sum of several indicators",
    "psnr": "error of the reconstruction: its PSNR, negative, in dB",
    "flow": "error of the reconstructed flow: length of the difference",
    "vcr": "LUSS-AE's error of the reconstruction: its PSNR after blur-pooling, negative, in dB",
    "ffp": "LUSS-AE's error of the predicted frame: its PSNR after blur-pooling, negative, in dB",
    "prp": "log-odds that the clip was accelerated",
    "semantic": "log-odds that the frame was painted in",
    "density": "how unlike normal ones the features of the frame, or of its most unusual place, are",
    "velocity": "how unlike normal ones the motion of its most unusual object is",
    "deep": "how unlike normal ones an encoder's view of its most unusual object is",
    "pose": "how unlike normal ones the pose of its most unusual object is",
    "tube": "how unlike normal ones the code of its most unusual object's last frames is",
    BAR: "trivial baseline: the 99.5th percentile of the speed of the flow, in pixels per frame",
}
"""Indicator -> what it is."""


@dataclass(frozen=True)
class Content:
    """What the page shows, pictures aside.

    Attributes:
        run: name of the run's folder.
        about: the run in a line.
        size: height and width of the footage.
        title: of the protocol.
        lead: the row of the table that the page leads with.
        cards: its values: name, value, what it means.
        headers, rows, leading: the table, and the index of the row that the page leads with.
        meanings: indicator -> what it is.
        picks: list -> frames.
        counts: list -> what is said above it.
        settings: title -> name -> value.
        drawn: for the page's script.
    """

    run: str
    about: str
    dataset: str
    size: tuple[int, int]
    protocol: str
    title: str
    lead: Row
    cards: list[tuple[str, str, str]]
    headers: list[str]
    rows: list[list[str]]
    leading: int
    legend: str
    notes: list[str]
    meanings: dict[str, str]
    picks: dict[str, list[Pick]]
    counts: dict[str, str]
    settings: dict[str, dict[str, str]]
    drawn: dict[str, Any]


def content_of(
    run: Path, protocol: Protocol, evaluation: Evaluation, scores: Scores, prepared: Prepared, workers: int | None
) -> Content:
    """Gather it.

    Args:
        evaluation: of the run alone under the protocol alone.
        scores: the run's, under the protocol's window policy.
        prepared: the data set at the footage's own size.
        workers: for the trivial baselines, where they are not kept.
    """
    (table,) = evaluation.tables
    name = run.resolve().name
    rows = [row if row.run == TRIVIAL else replace(row, run=name) for row in table.rows]
    series = series_of(protocol, scores, score_baselines(prepared, workers), evaluation.dataset or "")
    lead = next(row for row in rows if row.run == name and row.indicator == next(iter(series)))
    final, labels = series[lead.indicator]
    picks, counts = stand_out(protocol, final, labels, lead.threshold, prepared.fps, evaluation.alarms)
    return Content(
        name,
        _about(lead, evaluation),
        prepared.dataset,
        prepared.size,
        protocol.name,
        table.title,
        lead,
        list(_cards(lead, evaluation.alarms)),
        [*HEADERS[:8], *point_headers(BAR)[2:]],
        [cells(row)[:8] + points(row)[2:] for row in rows],
        rows.index(lead),
        LEGEND,
        [note.replace(str(run), name) for note in table.notes],
        {name: meaning_of(name) for name in series},
        picks,
        counts,
        _settings(run, protocol, evaluation, prepared),
        {
            "fps": prepared.fps,
            "first": protocol.dropped_first,
            "every": protocol.every,
            "threshold": _known(lead.threshold),
            "series": [_range(name, values) for name, (values, _) in series.items()],
            "videos": [_video(name, series, scores, prepared.length(name)) for name in scores.clips],
            "roc": [_curve(name, *both) for name, both in series.items()],
            "point": _point(final, labels, lead.threshold),
            "picks": {kind: [asdict(pick) for pick in found] for kind, found in picks.items()},
        },
    )


def series_of(
    protocol: Protocol, scores: Scores, trivial: Scores, dataset: str
) -> dict[str, tuple[dict[str, Values], dict[str, npt.NDArray[Any]]]]:
    """Indicator -> (video -> (kept,) final scores, video -> (kept,) labels); what the page leads with first."""
    order = [name for names in INDICATORS.values() for name in names]
    names = sorted(scores.indicators(), key=lambda name: (order.index(name) if name in order else len(order), name))
    parts = fused_of(scores.config["recipe"], protocol.fused)
    chosen = {**({"fused": parts} if len(parts) > 1 else {}), **{name: (name,) for name in names}}
    known = scores.config["calibration"]
    found = {
        label: apply(protocol, {name: scores.of(name) for name in members}, scores.labels, dataset, known)
        for label, members in chosen.items()
    }
    return {**found, BAR: apply(protocol, {BAR: trivial.of(BAR)}, trivial.labels, dataset)}


def meaning_of(indicator: str) -> str:
    """An indicator in a line."""
    stem, _, place = indicator.partition("_")
    if indicator in MEANINGS or stem not in MEANINGS:
        return MEANINGS.get(indicator, "of one's own")
    return f"{MEANINGS[stem]}; at the worst place of the frame" if place == "local" else MEANINGS[stem]


def _about(row: Row, evaluation: Evaluation) -> str:
    trained = f"Recipe {row.recipe} ({row.scale}, seed {row.seed}), trained on {row.trained_on}"
    return f"{trained}. {row.frames:,} frames of {row.videos} videos count; labels: {evaluation.label_edition}."


def _cards(row: Row, alarms: float) -> Iterator[tuple[str, str, str]]:
    """The values of a row: what it is, the value, and what it means."""
    interval = f"95 % interval {percent(row.low)} to {percent(row.high)}, over draws of whole videos"
    yield f"micro AUROC of {row.indicator}", percent(row.micro), reason(row.micro) or interval
    difference = f"{100 * row.over:+.1f}" if row.over == row.over else "-"
    between = f"{100 * row.over_low:+.1f} to {100 * row.over_high:+.1f}" if row.over_low == row.over_low else "-"
    yield f"over {BAR}", difference, reason(row.over) or f"points; 95 % interval {between}, on the same draws"
    yield "raw micro AUROC", percent(row.raw), reason(row.raw) or "of the same frames, neither rescaled nor smoothed"
    videos = f"mean over {row.videos_used} of {row.videos} videos"
    yield "macro AUROC", percent(row.macro), reason(row.macro) or videos
    yield "average precision", percent(row.average_precision), reason(row.average_precision) or "of abnormal frames"
    equal = "of either class wrong, at the threshold where that is alike"
    yield "equal error rate", _share(row.equal_error_rate), reason(row.equal_error_rate) or equal
    at = f"with at most {alarms:g} false alarms an hour"
    yield "frames found", _share(row.tpr), reason(row.tpr) or f"of the abnormal ones, {at}"
    yield "events found", _share(row.event_recall), reason(row.event_recall) or f"at least one frame of each, {at}"
    delay = f"{row.delay:.1f} s" if row.delay == row.delay else "-"
    yield "delay", delay, reason(row.delay) or "from an event's start to its first alarm, mean"


def _share(value: float) -> str:
    return f"{percent(value)} %" if value == value else "-"


def _range(name: str, by_video: ByVideo) -> dict[str, Any]:
    together = np.concatenate([*by_video.values()])
    return {"name": name, "low": float(together.min()), "high": float(together.max())}


def _video(name: str, series: Mapping[str, Any], scores: Scores, length: int) -> dict[str, Any]:
    values, labels = next(iter(series.values()))
    area: float | None = None
    if name in values and 0 < int(labels[name].sum()) < len(labels[name]):
        area = metrics.auroc(values[name], labels[name])
    ranges = [_range(label, each) for label, (each, _) in series.items()]
    return {
        "name": name,
        "length": length,
        "spans": events(scores.labels[name]).tolist(),
        "auroc": area,
        "scores": [
            packed(each.get(name, np.zeros(0)), about["low"], about["high"])
            for about, (each, _) in zip(ranges, series.values(), strict=True)
        ],
    }


def packed(values: Values, low: float, high: float) -> str:
    """(T,) as little-endian 16 bits between `low` and `high`, in base64."""
    shares = (values - low) / (high - low) if high > low else np.zeros(len(values))
    return b64encode(np.rint(65535 * shares).astype("<u2").tobytes()).decode()


def _curve(name: str, final: ByVideo, labels: ByVideo) -> dict[str, Any]:
    together = metrics.concatenate(final, labels)
    return {"name": name, "auroc": _known(metrics.micro_auroc(final, labels)), "points": roc(*together).tolist()}


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


def _point(final: ByVideo, labels: ByVideo, threshold: float) -> list[float] | None:
    """Where the operating point lies in the ROC."""
    scores, marks = metrics.concatenate(final, labels)
    if not 0 < int(marks.sum()) < len(marks):
        return None
    return [float(np.mean(scores[marks == kind] >= threshold)) for kind in (0, 1)]


def _settings(run: Path, protocol: Protocol, evaluation: Evaluation, prepared: Prepared) -> dict[str, dict[str, str]]:
    """Title -> name -> value: how the run was trained, and how it was evaluated."""
    about = {
        "data set": prepared.dataset,
        "labels": evaluation.label_edition,
        "frames": f"{prepared.size[0]} x {prepared.size[1]} pixels, {prepared.fps:g} a second",
        "weights of what is fused": evaluation.weights,
        "false alarms an hour": f"{evaluation.alarms:g}",
        "bootstrap": f"1,000 draws of whole videos, seed {evaluation.seed}",
        "pagen": evaluation.pagen,
    }
    files = {title: run / f"{title}.json" for title in ("recipe", "environment")}
    read = {
        title: json.loads(path.read_text(encoding="utf-8")) if path.exists() else {} for title, path in files.items()
    }
    tables = {
        "evaluation": about,
        "recipe": read["recipe"],
        f"protocol {protocol.name}": asdict(protocol),
        "environment of the training": read["environment"],
    }
    return {title: {name: _plain(value) for name, value in table.items()} for title, table in tables.items() if table}


def _known(value: float) -> float | None:
    """JSON has no NaN and nothing infinite."""
    return value if np.isfinite(value) else None


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
