"""What `transfer` found: a line a run and a column a data set, as text and as a Markdown page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pagen import console
from pagen.eval.metrics.undefined import reason
from pagen.eval.render import command
from pagen.eval.results import BAR, TRIVIAL, Row, Table, leads, percent, signed
from pagen.eval.settings import DRAWS, ORACLE
from pagen.papers.all_papers import TRANSFERS


@dataclass(frozen=True)
class Difference:
    """Micro AUROC less that of the run `against`, of the same recipe, scale and seed, trained on the target."""

    against: str
    micro: float


@dataclass(frozen=True)
class Line:
    """A run, or a trivial baseline, by its headline indicator.

    Attributes:
        rows: data set tested on -> all that was measured there.
        over_trained: data set tested on -> difference, where another run was trained on that.
    """

    run: str
    indicator: str
    rows: Mapping[str, Row]
    over_trained: Mapping[str, Difference]

    @property
    def about(self) -> Row:
        """A row that says what the run is; all do."""
        return next(iter(self.rows.values()))

    @property
    def title(self) -> str:
        """Recipe, scale and seed; of a baseline its name."""
        return self.about.recipe_title or self.indicator


@dataclass(frozen=True)
class Transferred:
    """What `transfer` found: the trivial baselines' lines first; titles say what the protocol does on a data set."""

    datasets: tuple[str, ...]
    label_editions: Mapping[str, str]
    protocol: str
    titles: Mapping[str, str]
    calibrate: str
    weights: str
    seed: int
    pagen: str
    lines: tuple[Line, ...]


def lines_of(tables: Mapping[str, Table]) -> tuple[Line, ...]:
    """Data set -> its table, as lines over all of them."""
    shown = [leads(table.rows) for table in tables.values()]
    lines = [dict(zip(tables, rows, strict=True)) for rows in zip(*shown, strict=True)]
    pairs = ((next(iter(rows.values())), rows) for rows in lines)
    return tuple(Line(first.run, first.indicator, rows, _over_trained(rows, lines)) for first, rows in pairs)


def _over_trained(rows: Mapping[str, Row], lines: Sequence[Mapping[str, Row]]) -> dict[str, Difference]:
    differences = {}
    for target, row in rows.items():
        others = (other[target] for other in lines if other[target].trained_on == target)
        home = next((other for other in others if other.recipe_title == row.recipe_title), None)
        if home and row.trained_on not in (None, target):
            differences[target] = Difference(home.run, row.micro - home.micro)
    return differences


def text(transferred: Transferred) -> str:
    """The tables for a terminal."""
    return "\n\n".join(_parts(transferred, console.table))


def page(transferred: Transferred, config: Any) -> str:
    """The tables as a page that says how they came about: by the verb with this configuration."""
    about = f"pagen {transferred.pagen}. Written by:"
    parts = ["# Trained on one data set, tested on another", about, f"    {command(config)}"]
    if config.plot is not None:
        parts.append(f"![heat map]({os.path.relpath(config.plot, config.write.parent).replace(os.sep, '/')})")
    return "\n\n".join([*parts, *_parts(transferred, console.markdown)]) + "\n"


def _parts(transferred: Transferred, table: Any) -> Iterator[str]:
    names = transferred.datasets
    editions = "; ".join(f"{name}: {transferred.label_editions[name]}" for name in names)
    yield f"Labels: {editions}. Bootstrap seed {transferred.seed}."
    for title in dict.fromkeys(transferred.titles.values()):
        alike = ", ".join(name for name in names if transferred.titles[name] == title)
        yield f"Protocol {transferred.protocol} on {alike}: {title}"
    yield table(("run", "recipe", "trained on", "indicator", *(f"on {name}" for name in names)), _cells(transferred))
    yield LEGEND
    if any(line.indicator.startswith("fused") for line in transferred.lines):
        yield CALIBRATED[transferred.calibrate]
    if transferred.weights == "oracle":
        yield ORACLE
    yield from _notes(transferred)
    if any(line.over_trained for line in transferred.lines):
        yield AGAINST
        yield table(("run", "recipe", "trained on", *(f"on {name}" for name in names)), _differences(transferred))
    for note, (headers, *lines) in TRANSFERS.items():
        yield note
        yield table(headers, lines)


LEGEND = (
    f"Micro AUROC x 100, and its interval over {DRAWS:,} draws of whole videos. [In brackets]: tested on the data set "
    "that it was trained on."
)
AGAINST = (
    "Gained (+) or lost (-), in points, against the run of the same recipe, scale and seed that was trained on the "
    "data set tested on:"
)
CALIBRATED = {
    "source": "What is fused is calibrated by the data set trained on.",
    "target": "What is fused is calibrated by training clips, normal and unlabelled, of the data set tested on.",
}


def _cells(transferred: Transferred) -> list[list[str]]:
    return [
        [line.run, line.about.recipe_title or "-", line.about.trained_on or "-", line.indicator]
        + [_cell(line.rows[name], name) for name in transferred.datasets]
        for line in transferred.lines
    ]


def _cell(row: Row, target: str) -> str:
    shown = f"{percent(row.micro)} ({percent(row.low)}-{percent(row.high)})" if row.micro == row.micro else "-"
    return f"[{shown}]" if row.trained_on == target else shown


def _differences(transferred: Transferred) -> list[list[str]]:
    return [
        [line.run, line.title, line.about.trained_on or "-"]
        + [signed(line.over_trained[name].micro) if name in line.over_trained else "-" for name in transferred.datasets]
        for line in transferred.lines
        if line.over_trained
    ]


def _notes(transferred: Transferred) -> Iterator[str]:
    """Where a protocol says nothing, and which runs arithmetic beats."""
    for name in transferred.datasets:
        bar = next(line.rows[name].micro for line in transferred.lines if line.indicator == BAR)
        if bar != bar:
            yield f"{transferred.protocol} is undefined on {name}: {reason(bar)}."
        runs = [line for line in transferred.lines if line.run != TRIVIAL]
        below = [line.run for line in runs if line.rows[name].micro < bar]
        if below:
            yield f"On {name} below {BAR}, so not beating arithmetic: {', '.join(below)}."
