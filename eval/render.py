"""What `evaluate` finds, as text for a terminal and as a Markdown page that says how it came about."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from pagen import console
from pagen.eval import render_events, render_places, render_scenes
from pagen.eval.results import BAR, Evaluation, Row, Table, between, leads, percent, signed
from pagen.eval.settings import DRAWS, ORACLE
from pagen.options import words_of

SCENES = "by scene (scenes)"
"""What stands above the mean over scenes, where there are several."""


def headers(table: Table) -> list[str]:
    """What stands above `cells`."""
    return [*figure_headers(table), "frames", "recipe", "trained on"]


def figure_headers(table: Table) -> list[str]:
    """What stands above `figures`."""
    scenes = [SCENES] if table.scenes else []
    return ["run", "indicator", "micro AUROC", "95 % interval", "raw", "macro (videos)", *scenes, "AP", "EER"]


def point_headers(table: Table) -> list[str]:
    """What stands above `points`."""
    scenes = ["found, a threshold a scene"] if table.scenes else []
    over = (f"over {table.against}", "95 % interval")
    return ["run", "indicator", *over, "frames found", *scenes, "events found", "delay, s"]


def cells(row: Row) -> list[str]:
    """A row as text; AUROCs x 100 with one decimal, `-` where undefined."""
    return [*figures(row), f"{row.frames:,}", row.recipe_title or "-", row.trained_on or "-"]


def figures(row: Row) -> list[str]:
    """The figures of a row as text, without what it is of."""
    scenes = row.by_scene
    return [
        *(row.run, row.indicator, percent(row.micro), between(row.low, row.high), percent(row.raw)),
        f"{percent(row.macro)} ({row.videos_used}/{row.videos})",
        *([f"{percent(scenes.mean)} ({scenes.used}/{len(scenes.micro)})"] if scenes else []),
        *(percent(row.average_precision), percent(row.equal_error_rate)),
    ]


def points(row: Row) -> list[str]:
    """What a row says of alarms, and against another, as text."""
    delay = f"{row.delay:.1f}" if row.delay == row.delay else "-"
    over = (signed(row.over), between(row.over_low, row.over_high, " to "))
    scenes = [percent(row.by_scene.tpr)] if row.by_scene else []
    return [row.run, row.indicator, *over, percent(row.tpr), *scenes, percent(row.event_recall), delay]


def as_text(table: Table) -> str:
    """A table for a terminal, with its title and notes; that of alarms and differences where it is of files."""
    rows = console.table(headers(table), [cells(row) for row in table.rows])
    lines, further = [f"protocol {table.protocol}: {table.title}", rows], [points(row) for row in table.rows]
    if (table.against != BAR or table.scenes) and any(cell != "-" for row in further for cell in row[2:]):
        lines += ["", console.table(point_headers(table), further)]
    if table.scenes:
        lines += ["", render_scenes.text(table)]
    return "\n".join([*lines, *table.notes])


def as_markdown(table: Table, alarms: float) -> list[str]:
    """A table as parts of a page."""
    return [
        f"## Protocol {table.protocol}",
        f"{table.title[0].upper()}{table.title[1:]}",
        console.markdown(headers(table), [cells(row) for row in table.rows]),
        f"Against `{table.against}` on the same draws of videos, and at no more than {alarms:g} false alarms an hour:",
        console.markdown(point_headers(table), [points(row) for row in table.rows]),
        *(render_scenes.markdown(table) if table.scenes else []),
        *table.notes,
    ]


LEGEND = (
    "AUROC x 100. micro: all frames together; raw: the same, neither rescaled nor smoothed; macro: mean over the "
    f"videos, by the protocol's rule for those of one class. Interval: {DRAWS:,} draws of whole videos. AP: average "
    "precision; EER: equal error rate."
)


def legends(tables: Sequence[Table]) -> list[str]:
    """What the columns of tables mean."""
    scenes = [render_scenes.LEGEND] if any(table.scenes for table in tables) else []
    return [LEGEND, *scenes] if tables else []


def text(evaluation: Evaluation) -> str:
    """The tables for a terminal."""
    dataset = f"{evaluation.dataset}, " if evaluation.dataset else ""
    parts = [f"{dataset}labels: {evaluation.label_edition}; bootstrap seed {evaluation.seed}"]
    if evaluation.tables:
        parts += [*(as_text(table) for table in evaluation.tables), *legends(evaluation.tables)]
    if evaluation.by_event:
        parts += [*map(render_events.text, evaluation.by_event), render_events.LEGEND]
    if evaluation.localised:
        parts += [render_places.text(evaluation.localised), render_places.LEGEND]
    return "\n\n".join([*parts, *([ORACLE] if evaluation.weights == "oracle" else [])])


def page(evaluation: Evaluation, written_by: str) -> str:
    """The tables as a page that says how they came about."""
    parts = [
        f"# {'Frame-level AUROC' if evaluation.tables else 'RBDC and TBDC'} on {evaluation.dataset or 'files'}",
        f"Labels: {evaluation.label_edition}. Bootstrap seed {evaluation.seed}. pagen {evaluation.pagen}. Written by:",
        f"    {written_by}",
        *legends(evaluation.tables),
        *([ORACLE] if evaluation.weights == "oracle" else []),
    ]
    if len(evaluation.tables) > 1:
        parts += glance(evaluation.tables)
    for table in evaluation.tables:
        parts += as_markdown(table, evaluation.alarms)
    if evaluation.by_event:
        parts += [part for events in evaluation.by_event for part in render_events.markdown(events)]
        parts.append(render_events.LEGEND)
    if evaluation.localised:
        parts += [*render_places.markdown(evaluation.localised), render_places.LEGEND]
    return "\n\n".join(parts) + "\n"


def glance(tables: Sequence[Table]) -> list[str]:
    """Micro AUROC of every run's headline under the first protocol, a column a protocol, as Markdown."""
    micro = [{(row.run, row.indicator): percent(row.micro) for row in table.rows} for table in tables]
    shown = [(row.run, row.indicator) for row in leads(tables[0].rows)]
    lines = [(*key, *(column.get(key, "-") for column in micro)) for key in shown]
    above = ("run", "indicator", *(table.protocol for table in tables))
    lead = "Micro AUROC x 100, of what a run fuses, else of its worst place, else of its first indicator."
    return ["## At a glance", lead, console.markdown(above, lines)]


def command(config: Any) -> str:
    """The command line that the configuration of a verb over runs stands for, defaults left out."""
    words = ["pagen", type(config).__name__.lower(), *map(str, config.runs)]
    for field in fields(config)[1:]:
        value = getattr(config, field.name)
        words += words_of(field.name, value) if value != field.default else []
    return shlex.join(words)
