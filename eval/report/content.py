"""What a report says: the table, its leading row as cards, the frames that stand out, and the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pagen.documents import read_json
from pagen.eval.labelled import Labelled
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocol import Protocol
from pagen.eval.render import figure_headers, figures, legends, point_headers, points
from pagen.eval.report.drawn import drawn
from pagen.eval.report.highlights import stand_out
from pagen.eval.results import BAR, TRIVIAL, Evaluation, Row, Series, percent, signed
from pagen.eval.settings import DRAWS
from pagen.footage.prepare import Prepared
from pagen.scoring.indicator_table import indicator_named, order_of


def content_of(run: Path, protocol: Protocol, evaluation: Evaluation, labelled: Labelled) -> dict[str, Any]:
    """What the page's template shows, pictures aside: `lead` is the row that it leads with, `drawn` its script's data.

    The evaluation is of the run alone under the protocol alone, by the labels of `labelled`.
    """
    (table,), (every,), prepared = evaluation.tables, evaluation.series, labelled.prepared
    name, series = run.resolve().name, shown_series(every)
    rows = [row if row.run == TRIVIAL else replace(row, run=name) for row in table.rows]
    lead = next(row for row in rows if (row.run, row.indicator) == (name, series[0].indicator))
    picks, counts = stand_out(protocol, series[0], lead.threshold, prepared.fps, evaluation.alarms)
    common = shared(protocol, evaluation, rows, prepared)
    return {
        **common,
        "run": name,
        "about": f"Recipe {lead.recipe_title}, trained on {lead.trained_on}. {common['about']}",
        "title": table.title,
        "lead": lead,
        "cards": list(_cards(lead, evaluation.alarms)),
        "leading": rows.index(lead),
        "legend": " ".join(legends([table])),
        "notes": [note.replace(str(run), name) for note in table.notes],
        "meanings": {one.indicator: indicator_named(one.indicator).meaning for one in series},
        "counts": counts,
        "settings": _settings(run, protocol, evaluation, prepared),
        "drawn": drawn(protocol, series, labelled, lead.threshold, picks),
    }


def shared(protocol: Protocol, evaluation: Evaluation, rows: Sequence[Row], prepared: Prepared) -> dict[str, Any]:
    """What the pages of one run and of several both show: the table of these rows, and what it is of."""
    (table,) = evaluation.tables
    return {
        "about": f"{rows[0].frames:,} frames of {rows[0].videos} videos count; labels: {evaluation.label_edition}.",
        "dataset": ", ".join(filter(None, (prepared.dataset, prepared.part))),
        "size": prepared.size,
        "protocol": protocol.name,
        "headers": [*figure_headers(table), *point_headers(table)[2:]],
        "rows": [figures(row) + points(row)[2:] for row in rows],
    }


def shown_series(series: tuple[Series, ...]) -> list[Series]:
    """Those of the run, what the page leads with first, and last the baseline that it has to beat."""
    of_run = [one for one in series if one.run != TRIVIAL]
    of_run.sort(key=lambda one: (order_of(one.indicator), one.indicator))
    return [*of_run, next(one for one in series if one.indicator == BAR)]


def _cards(row: Row, alarms: float) -> Iterator[tuple[str, str, str]]:
    """The values of a row: what it is, the value, and what it means, or why it is undefined."""
    interval = f"95 % interval {percent(row.low)} to {percent(row.high)}, over draws of whole videos"
    over = f"{signed(row.over_low)} to {signed(row.over_high)}" if row.over_low == row.over_low else "-"
    delay = f"{row.delay:.1f} s" if row.delay == row.delay else "-"
    at, error = f"with at most {alarms:g} false alarms an hour", row.equal_error_rate
    for name, value, shown, meaning in (
        (f"micro AUROC of {row.indicator}", row.micro, percent(row.micro), interval),
        (f"over {BAR}", row.over, signed(row.over), f"points; 95 % interval {over}, on the same draws"),
        ("raw micro AUROC", row.raw, percent(row.raw), "of the same frames, neither rescaled nor smoothed"),
        ("macro AUROC", row.macro, percent(row.macro), f"mean over {row.videos_used} of {row.videos} videos"),
        ("average precision", row.average_precision, percent(row.average_precision), "of abnormal frames"),
        ("equal error rate", error, _share(error), "of either class wrong, at the threshold where that is alike"),
        ("frames found", row.tpr, _share(row.tpr), f"of the abnormal ones, {at}"),
        ("events found", row.event_recall, _share(row.event_recall), f"at least one frame of each, {at}"),
        ("delay", row.delay, delay, "from an event's start to its first alarm, mean"),
    ):
        yield name, shown, reason(value) or meaning


def _share(value: float) -> str:
    return f"{percent(value)} %" if value == value else "-"


def _settings(run: Path, protocol: Protocol, evaluation: Evaluation, prepared: Prepared) -> dict[str, dict[str, str]]:
    """Title -> name -> value: how the run was evaluated, and how it was trained."""
    (evaluated, values), of_protocol = protocol_settings(protocol, evaluation, prepared).items()
    tables = {
        evaluated: values,
        "recipe": plain_values(_read(run / "recipe.json")),
        **dict([of_protocol]),
        "environment of the training": plain_values(_read(run / "environment.json")),
    }
    return {title: table for title, table in tables.items() if table}


def protocol_settings(protocol: Protocol, evaluation: Evaluation, prepared: Prepared) -> dict[str, dict[str, str]]:
    """Title -> name -> value: how runs were evaluated, and under which protocol."""
    evaluated = {
        "data set": prepared.dataset,
        "labels": evaluation.label_edition,
        **({"a part of it": prepared.part} if prepared.part else {}),
        "frames": f"{prepared.size[0]} x {prepared.size[1]} pixels, {prepared.fps:g} a second",
        "weights of what is fused": evaluation.weights,
        "false alarms an hour": f"{evaluation.alarms:g}",
        "bootstrap": f"{DRAWS:,} draws of whole videos, seed {evaluation.seed}",
        "pagen": evaluation.pagen,
    }
    return {"evaluation": evaluated, f"protocol {protocol.name}": plain_values(asdict(protocol))}


def plain_values(table: Mapping[str, Any]) -> dict[str, str]:
    """A table's values as text."""
    return {name: _plain(value) for name, value in table.items()}


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, dict[str, Any], "settings", "train again") if path.exists() else {}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
