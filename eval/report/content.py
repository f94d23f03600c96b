"""What a report says: the table, its leading row as cards, the frames that stand out, and the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pagen.eval.metrics.undefined import reason
from pagen.eval.protocol import Protocol
from pagen.eval.render import HEADERS, LEGEND, cells, point_headers, points
from pagen.eval.report.drawn import drawn
from pagen.eval.report.highlights import Pick, stand_out
from pagen.eval.results import BAR, TRIVIAL, Evaluation, Row, Series, percent
from pagen.eval.settings import DRAWS
from pagen.footage.prepare import Prepared
from pagen.scoring.indicator_table import indicator_named, order_of


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


def content_of(run: Path, protocol: Protocol, evaluation: Evaluation, prepared: Prepared) -> Content:
    """Gather it.

    Args:
        evaluation: of the run alone under the protocol alone.
        prepared: the data set at the footage's own size.
    """
    (table,), (every,) = evaluation.tables, evaluation.series
    name, series = run.resolve().name, shown_series(every)
    rows = [row if row.run == TRIVIAL else replace(row, run=name) for row in table.rows]
    lead = next(row for row in rows if (row.run, row.indicator) == (name, series[0].indicator))
    final, labels = series[0].final, series[0].labels
    picks, counts = stand_out(protocol, final, labels, lead.threshold, prepared.fps, evaluation.alarms)
    return Content(
        run=name,
        about=_about(lead, evaluation),
        dataset=prepared.dataset,
        size=prepared.size,
        protocol=protocol.name,
        title=table.title,
        lead=lead,
        cards=list(_cards(lead, evaluation.alarms)),
        headers=[*HEADERS[:8], *point_headers(BAR)[2:]],
        rows=[cells(row)[:8] + points(row)[2:] for row in rows],
        leading=rows.index(lead),
        legend=LEGEND,
        notes=[note.replace(str(run), name) for note in table.notes],
        meanings={one.indicator: indicator_named(one.indicator).meaning for one in series},
        picks=picks,
        counts=counts,
        settings=_settings(run, protocol, evaluation, prepared),
        drawn=drawn(protocol, series, prepared, lead.threshold, picks),
    )


def shown_series(series: tuple[Series, ...]) -> list[Series]:
    """Those of the run, what the page leads with first, and last the baseline that it has to beat."""
    of_run = [one for one in series if one.run != TRIVIAL]
    of_run.sort(key=lambda one: (order_of(one.indicator), one.indicator))
    return [*of_run, next(one for one in series if one.indicator == BAR)]


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


def _settings(run: Path, protocol: Protocol, evaluation: Evaluation, prepared: Prepared) -> dict[str, dict[str, str]]:
    """Title -> name -> value: how the run was trained, and how it was evaluated."""
    about = {
        "data set": prepared.dataset,
        "labels": evaluation.label_edition,
        "frames": f"{prepared.size[0]} x {prepared.size[1]} pixels, {prepared.fps:g} a second",
        "weights of what is fused": evaluation.weights,
        "false alarms an hour": f"{evaluation.alarms:g}",
        "bootstrap": f"{DRAWS:,} draws of whole videos, seed {evaluation.seed}",
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


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
