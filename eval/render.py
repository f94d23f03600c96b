"""What `evaluate` finds, as text for a terminal and as a Markdown page that says how it came about."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any

from pagen import console
from pagen.eval import render_events, render_places, render_scenes
from pagen.eval.results import BAR, Evaluation, Row, Table, between, leads, percent, signed
from pagen.eval.settings import DRAWS, ORACLE
from pagen.footage.named import as_typed
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


def as_text(tables: Sequence[Table]) -> str:
    """The tables of a protocol, one for each edition of labels, as one for a terminal, with its title and notes.

    That of alarms and differences follows where it is of files, or of several scenes.
    """
    first = tables[0]
    shown = console.table(*with_edition(tables, headers(first), cells))
    lines = [f"protocol {first.protocol}: {title_of(tables)}", shown]
    further = any(cell != "-" for table in tables for row in table.rows for cell in points(row)[2:])
    if further and (first.against != BAR or first.scenes):
        lines += ["", console.table(*with_edition(tables, point_headers(first), points))]
    for table in tables:
        lines += ["", render_scenes.text(table)] if table.scenes else []
    return "\n".join([*lines, *notes_of(tables)])


def as_markdown(tables: Sequence[Table], alarms: float) -> list[str]:
    """The tables of a protocol as parts of a page."""
    first, title = tables[0], title_of(tables)
    return [
        f"## Protocol {first.protocol}",
        f"{title[0].upper()}{title[1:]}",
        console.markdown(*with_edition(tables, headers(first), cells)),
        f"Against `{first.against}` on the same draws of videos, and at no more than {alarms:g} false alarms an hour:",
        console.markdown(*with_edition(tables, point_headers(first), points)),
        *(part for table in tables if table.scenes for part in render_scenes.markdown(table)),
        *notes_of(tables),
    ]


def by_protocol(tables: Sequence[Table]) -> list[list[Table]]:
    """Tables of one protocol together: there is one for each edition of labels."""
    return [list(group) for _, group in groupby(tables, lambda table: table.protocol)]


def with_edition(
    tables: Sequence[Table], above: list[str], shown: Callable[[Row], list[str]]
) -> tuple[list[str], list[list[str]]]:
    """Headers, and the rows of all tables; of several tables each row once for every edition, which it names."""
    if len(tables) == 1:
        return above, [shown(row) for row in tables[0].rows]
    alike = zip(*([(table.label_edition, shown(row)) for row in table.rows] for table in tables), strict=True)
    rows = [[*row[:2], edition, *row[2:]] for several in alike for edition, row in several]
    return [*above[:2], "labels", *above[2:]], rows


def title_of(tables: Sequence[Table]) -> str:
    """The title of tables of one protocol, which differ in the edition of labels alone."""
    first = tables[0]
    editions = "; ".join(table.label_edition for table in tables)
    return first.title.replace(f"Labels: {first.label_edition}.", f"Labels: {editions}.")


def notes_of(tables: Sequence[Table]) -> list[str]:
    """The notes below; of several tables each says by which labels."""
    if len(tables) == 1:
        return [*tables[0].notes]
    return [f"By {table.label_edition}: {note}" for table in tables for note in table.notes]


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
        parts += [*map(as_text, by_protocol(evaluation.tables)), *legends(evaluation.tables)]
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
    groups = by_protocol(evaluation.tables)
    if len(groups) > 1:
        parts += glance(evaluation.tables)
    for tables in groups:
        parts += as_markdown(tables, evaluation.alarms)
    if evaluation.by_event:
        parts += [part for events in evaluation.by_event for part in render_events.markdown(events)]
        parts.append(render_events.LEGEND)
    if evaluation.localised:
        parts += [*render_places.markdown(evaluation.localised), render_places.LEGEND]
    return "\n\n".join(parts) + "\n"


def glance(tables: Sequence[Table]) -> list[str]:
    """Micro AUROC of every run's headline under the first protocol, a column a protocol and edition, as Markdown."""
    micro = [{(row.run, row.indicator): percent(row.micro) for row in table.rows} for table in tables]
    shown = [(row.run, row.indicator) for row in leads(tables[0].rows)]
    lines = [(*key, *(column.get(key, "-") for column in micro)) for key in shown]
    several = len({table.label_edition for table in tables}) > 1
    names = [f"{table.protocol}, {table.label_edition}" if several else table.protocol for table in tables]
    above = ("run", "indicator", *names)
    lead = "Micro AUROC x 100, of what a run fuses, else of its worst place, else of its first indicator."
    return ["## At a glance", lead, console.markdown(above, lines)]


def command(config: Any) -> str:
    """The command line that the configuration of a verb over runs stands for, defaults left out."""
    config = as_typed(config)
    words = ["pagen", type(config).__name__.lower(), *map(str, config.runs)]
    for field in fields(config)[1:]:
        value = getattr(config, field.name)
        words += words_of(field.name, value) if value != field.default else []
    return shlex.join(words)
