"""What `transfer` found: a line a recipe and a column a data set, as text and as a Markdown page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagen import console
from pagen.eval.metrics.undefined import reason
from pagen.eval.render import command
from pagen.eval.results import BAR, TRIVIAL, between, percent, signed
from pagen.eval.settings import DRAWS, ORACLE
from pagen.eval.transfer import left_out
from pagen.eval.transfer.left_out import LeftOut
from pagen.eval.transfer.lines import Line
from pagen.papers.all_papers import TRANSFERS


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
    left_out: tuple[LeftOut, ...] = ()
    """What methods reach where they were not trained; empty where that was not asked for."""
    missing: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    """Of data sets that are there in part: split -> how many clips are there, and of how many."""


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
    tested_on = [f"on {name}" for name in names]
    editions = "; ".join(f"{name}: {transferred.label_editions[name]}" for name in names)
    yield f"Labels: {editions}. Bootstrap seed {transferred.seed}."
    for name, splits in transferred.missing.items():
        counts = ", ".join(f"{there} of {whole} {split} clips" for split, (there, whole) in splits.items())
        yield f"{name} is there in part: {counts}."
    for title in dict.fromkeys(transferred.titles.values()):
        alike = ", ".join(name for name in names if transferred.titles[name] == title)
        yield f"Protocol {transferred.protocol} on {alike}: {title}"
    yield table(("run", "recipe", "trained on", "indicator", *tested_on), _cells(transferred))
    yield from _legend(transferred)
    yield from _notes(transferred)
    if any(line.over_trained for line in transferred.lines):
        yield AGAINST
        yield table(("run", "recipe", "trained on", *tested_on), _differences(transferred))
    scenes = [name for name in names if any(line.rows[name].by_scene for line in transferred.lines)]
    if scenes:
        yield BY_SCENE
        yield table(
            ("run", "trained on", "indicator", *(f"on {name}" for name in scenes)), _by_scene(transferred, scenes)
        )
    if transferred.left_out:
        yield LEFT_OUT
        yield table(("method", *tested_on), [left_out.cells(one) for one in transferred.left_out])
    yield from _published(names, table)


LEGEND = (
    f"Micro AUROC x 100, and its interval over {DRAWS:,} draws of whole videos. [In brackets]: tested on the data set "
    "that it was trained on."
)
SEEDS = "Of several seeds: their mean, +- their standard deviation, and the interval of the first."
AGAINST = (
    "Gained (+) or lost (-), in points, against the run of the same recipe, scale and seed that was trained on the "
    "data set tested on:"
)
LEFT_OUT = (
    "Leave one out: mean (lowest-highest; number) of the runs that were not trained on the data set tested on, each "
    "seed by itself. [In brackets]: the mean of those that were."
)
NAN = float("nan")
MOST_NAMED = 6
"""Lines below arithmetic that are named; more are counted."""
BY_SCENE = "Macro by scene, of data sets with several: the mean of the micro AUROC of each scene, over the seeds."
CALIBRATED = {
    "source": "What is fused is calibrated by the data set trained on.",
    "target": "What is fused is calibrated by training clips, normal and unlabelled, of the data set tested on.",
    "scene": "Every indicator, those of the trivial baselines and what is fused, is calibrated by training clips, "
    "normal and unlabelled, of the same scene of the data set tested on; one without scenes counts as one.",
}
NOTHING_FUSED = "Nothing here is fused, so that --calibrate target changes no figure; --calibrate scene would."


def _legend(transferred: Transferred) -> Iterator[str]:
    several = any(len(line.seeds) > 1 for line in transferred.lines)
    yield f"{LEGEND} {SEEDS}" if several else LEGEND
    if transferred.calibrate == "scene" or any(line.indicator.startswith("fused") for line in transferred.lines):
        yield CALIBRATED[transferred.calibrate]
    elif transferred.calibrate == "target":
        yield NOTHING_FUSED
    if transferred.weights == "oracle":
        yield ORACLE


def _cells(transferred: Transferred) -> list[list[str]]:
    return [
        [named(line), line.title if line.run != TRIVIAL else "-", line.about.trained_on or "-", line.indicator]
        + [_cell(line, name) for name in transferred.datasets]
        for line in transferred.lines
    ]


def named(line: Line) -> str:
    """The first run, and how many more there are."""
    return f"{line.run} and {len(line.runs) - 1} more" if len(line.runs) > 1 else line.run


def _cell(line: Line, target: str) -> str:
    area, row = line.micro(target), line.rows[target]
    spread = f" +-{percent(line.spread(target))}" if len(line.seeds) > 1 else ""
    shown = f"{percent(area)}{spread} ({between(row.low, row.high)})" if area == area else "-"
    return f"[{shown}]" if target in line.own else shown


def _by_scene(transferred: Transferred, scenes: Sequence[str]) -> list[list[str]]:
    return [
        [named(line), line.about.trained_on or "-", line.indicator]
        + [percent(line.by_scene.get(name, NAN)) for name in scenes]
        for line in transferred.lines
    ]


def _differences(transferred: Transferred) -> list[list[str]]:
    return [
        [named(line), line.title, line.about.trained_on or "-"]
        + [signed(line.over_trained[name].micro) if name in line.over_trained else "-" for name in transferred.datasets]
        for line in transferred.lines
        if line.over_trained
    ]


def _published(names: tuple[str, ...], table: Any) -> Iterator[str]:
    """What papers print of transfers to these data sets, in the same columns."""
    for note, rows in TRANSFERS.items():
        if any(name in row.figures for name in names for row in rows):
            yield note
            cells = [[row.method, row.trained_on, *(row.figures.get(name, "-") for name in names)] for row in rows]
            yield table(("published", "trained on", *(f"on {name}" for name in names)), cells)


def _notes(transferred: Transferred) -> Iterator[str]:
    """Where a protocol says nothing, and which runs arithmetic beats."""
    for name in transferred.datasets:
        bar = next(line.micro(name) for line in transferred.lines if line.indicator == BAR)
        if bar != bar:
            yield f"{transferred.protocol} is undefined on {name}: {reason(transferred.lines[0].rows[name].micro)}."
        runs = [line for line in transferred.lines if line.run != TRIVIAL]
        below = [named(line) for line in runs if line.micro(name) < bar]
        if len(below) == len(runs) > 1:
            yield f"On {name} all of them lie below {BAR}: none has beaten arithmetic."
        elif below:
            which = ", ".join(below) if len(below) <= MOST_NAMED else f"{len(below)} of {len(runs)} lines"
            yield f"On {name} below {BAR}, so not beating arithmetic: {which}."
