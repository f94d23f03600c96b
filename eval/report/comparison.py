"""The page of several runs: their scores on one axis, their heat maps side by side, and what each run finds.

Every run stands for what it leads with: what it fuses, else an indicator at the worst place, else its first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pagen.compute import Compute
from pagen.eval import render_events
from pagen.eval.evaluation import evaluate_labelled
from pagen.eval.labelled import Labelled, labelled
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.render import legends
from pagen.eval.report.content import protocol_settings, shared
from pagen.eval.report.drawn import drawn
from pagen.eval.report.frames import COLD, HOT, frames_beside
from pagen.eval.report.template import write_page
from pagen.eval.results import BAR, TRIVIAL, Evaluation, Row, leads
from pagen.eval.settings import EvaluationSettings
from pagen.eval.side_by_side import ALIKE, compared, labels_of


def write_comparison(
    path: Path, runs: Sequence[Path], dataset: str, protocol: str, settings: EvaluationSettings, compute: Compute
) -> dict[str, Any]:
    """Write the page, and return its size in bytes, how many frames it holds, and a row of the table for each run.

    Raises PagenError as `evaluate`, more than one protocol, or a run that is given twice.
    """
    chosen, labels = protocol_named(protocol, "a report"), labels_of(runs, dataset)
    data = labelled(dataset, compute, settings.labels)
    evaluation = evaluate_labelled(runs, [data], [chosen], settings, compute, by_event=True)
    names = dict(zip(map(str, runs), labels, strict=True))
    content = content_of_runs(names, chosen, evaluation, data)
    shown = frames_beside(content["drawn"], data.prepared, runs, compute)
    size = write_page(path, "runs.html.jinja", content, shown)
    rows = [asdict(row) for row in leads(evaluation.tables[0].rows)]
    return {"bytes": size, "frames": sum(map(len, shown.frames.values())), "rows": rows}


def content_of_runs(
    names: dict[str, str], protocol: Protocol, evaluation: Evaluation, data: Labelled
) -> dict[str, Any]:
    """What the page's template shows, pictures aside; `names` are run -> label, in order.

    The evaluation is of the runs under the protocol alone, by event too, by the labels of `data`.
    """
    (table,), (every,), (events,) = evaluation.tables, evaluation.series, evaluation.by_event
    prepared = data.prepared
    labels = [*names.values(), BAR]
    series = [replace(one, indicator=label) for one, label in zip(compared(every), labels, strict=True)]
    rows = [_named(row, names) for row in leads(table.rows)]
    areas = tuple(replace(area, run=names.get(area.run, area.run)) for area in events.areas)
    events = replace(events, areas=areas)
    common = shared(protocol, evaluation, rows, prepared)
    return {
        **common,
        "title": f"{', '.join(names.values())} on {common['dataset']}",
        "trained": [f"{row.run}: {row.recipe_title}, trained on {row.trained_on}" for row in rows if row.recipe],
        "meaning": table.title,
        "legend": f"{' '.join(legends([table]))} Found: at no more than {evaluation.alarms:g} false alarms an hour.",
        "notes": [_shortened(note, names) for note in table.notes],
        "alike": ALIKE,
        "cold": f"{COLD:g}",
        "hot": f"{HOT:g}",
        "events": [render_events.headers(events), *render_events.lines(events)],
        "events_legend": render_events.LEGEND,
        "settings": protocol_settings(protocol, evaluation, prepared),
        "drawn": {**drawn(protocol, series, data, float("nan"), {}), "point": None, "alike": True},
    }


def _named(row: Row, names: dict[str, str]) -> Row:
    return row if row.run == TRIVIAL else replace(row, run=names[row.run])


def _shortened(note: str, names: dict[str, str]) -> str:
    """A note with the runs' labels in place of their paths, the longest path first."""
    for run in sorted(names, key=len, reverse=True):
        note = note.replace(run, names[run])
    return note
