"""What `evaluate` found, as text for a terminal and as a Markdown page that says how it came about."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pagen import console
from pagen.eval.headline import headlines
from pagen.eval.tables import LEGEND, Table, as_markdown, as_text, percent

if TYPE_CHECKING:
    from pagen.eval.localised import Places


GLANCE = "Micro AUROC x 100, of what a run fuses, else of its worst place, else of its first indicator."


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    dataset: str | None
    """None where scores or boxes came out of files."""
    label_edition: str
    """Or the file that the labels came out of."""
    seed: int
    """Of the bootstrap."""
    weights: str
    alarms: float
    """False alarms an hour that operating points may have."""
    pagen: str
    tables: tuple[Table, ...]
    localised: Places | None = None


def text(evaluation: Evaluation) -> str:
    """The tables for a terminal."""
    place = f"{evaluation.dataset}, " if evaluation.dataset else ""
    parts = [f"{place}labels: {evaluation.label_edition}; bootstrap seed {evaluation.seed}"]
    if evaluation.tables:
        parts += [*(as_text(table) for table in evaluation.tables), LEGEND]
    if evaluation.localised:
        from pagen.eval import localised

        parts += [localised.text(evaluation.localised), localised.LEGEND]
    return "\n\n".join([*parts, *_warnings(evaluation)])


def page(evaluation: Evaluation, written_by: str) -> str:
    """The tables as a page that says how they came about."""
    parts = [
        f"# {'Frame-level AUROC' if evaluation.tables else 'RBDC and TBDC'} on {evaluation.dataset or 'files'}",
        f"Labels: {evaluation.label_edition}. Bootstrap seed {evaluation.seed}. pagen {evaluation.pagen}. Written by:",
        f"    {written_by}",
        *([LEGEND] if evaluation.tables else []),
        *_warnings(evaluation),
    ]
    if len(evaluation.tables) > 1:
        parts += glance(evaluation.tables)
    for table in evaluation.tables:
        parts += as_markdown(table, evaluation.alarms)
    if evaluation.localised:
        from pagen.eval import localised

        parts += [*localised.markdown(evaluation.localised), localised.LEGEND]
    return "\n\n".join(parts) + "\n"


def glance(tables: Sequence[Table]) -> list[str]:
    """Micro AUROC of every run's headline under the first protocol, a column a protocol, as Markdown."""
    micro = [{(row.run, row.indicator): percent(row.micro) for row in table.rows} for table in tables]
    shown = [(row.run, row.indicator) for row in headlines(tables[0].rows)]
    lines = [(*key, *(column.get(key, "-") for column in micro)) for key in shown]
    headers = ("run", "indicator", *(table.protocol for table in tables))
    return ["## At a glance", GLANCE, console.markdown(headers, lines)]


def _warnings(evaluation: Evaluation) -> list[str]:
    from pagen.eval.fusion import ORACLE

    return [ORACLE] if evaluation.weights == "oracle" else []


def command(config: Any) -> str:
    """The command line that the configuration of a verb over runs stands for, defaults left out."""
    words = ["pagen", type(config).__name__.lower(), *map(str, config.runs)]
    for field in fields(config)[1:]:
        value = getattr(config, field.name)
        if value == field.default:
            continue
        values = value if isinstance(value, tuple) else [] if value is True else [value]
        words += [f"--{field.name}", *map(str, values)]
    return shlex.join(words)
