"""The verb `evaluate`: runs against a data set's test split, under named protocols, beside trivial baselines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.folders import Folder, write_text
from pagen.footage.catalogue import DATASETS, folder_name
from pagen.version import __version__

if TYPE_CHECKING:
    from pagen.eval.protocols import Protocol
    from pagen.eval.scores import Scores
    from pagen.footage.prepare import Prepared

TRIVIAL = "trivial baseline"
BAR = "flow_speed"
"""The baseline that a run has to beat."""


@dataclass(frozen=True)
class Evaluate:
    """Score runs on a data set's test split and print a table for each protocol."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders; with none, the trivial baselines alone are evaluated."""
    dataset: str
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    protocol: tuple[str, ...] = ("causal",)
    """Protocols (causal, lntra), or `all`."""
    device: str = "auto"
    """Where runs are scored: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    seed: int = 0
    """Seed of the bootstrap behind the intervals."""
    overwrite: bool = False
    """Score again, where scores of an earlier state of the run or the footage are kept."""
    json: bool = False
    """Print the result as JSON."""
    write: Path | None = None
    """Also write the tables to this Markdown file."""


@dataclass(frozen=True)
class Row:
    """One indicator of one run under one protocol; AUROCs in [0, 1], NaN where undefined."""

    run: str
    indicator: str
    micro: float
    low: float
    high: float
    raw: float
    """Micro AUROC of the same frames, neither rescaled nor smoothed."""
    macro: float
    """Mean over the videos that hold both classes."""
    videos_used: int
    videos: int
    frames: int
    recipe: str | None = None
    scale: str | None = None
    seed: int | None = None
    trained_on: str | None = None


@dataclass(frozen=True)
class Table:
    """The rows of one protocol, the trivial baselines first."""

    protocol: str
    title: str
    looks_ahead: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    dataset: str
    label_edition: str
    seed: int
    """Of the bootstrap."""
    pagen: str
    tables: tuple[Table, ...]


def run(config: Evaluate) -> None:
    """The verb `evaluate`."""
    DATASETS[config.dataset]
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    evaluation = evaluate(
        config.runs,
        config.dataset,
        config.root,
        config.protocol,
        config.device,
        config.workers,
        config.seed,
        config.overwrite,
    )
    for path in config.runs:
        console.say(f"scores: {path / 'scores' / folder_name(config.dataset)}")
    if config.write is not None:
        write_text(config.write, as_markdown(evaluation, command(config)))
        console.say(f"wrote {config.write}")
    console.result(asdict(evaluation), config.json, as_text(evaluation))


def evaluate(
    runs: Sequence[Path],
    dataset: str,
    root: Path | None = None,
    protocols: Sequence[str] = ("causal",),
    device: str = "auto",
    workers: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> Evaluation:
    """Score runs and the trivial baselines, and measure them under protocols.

    Args:
        runs: run folders.
        dataset, root, workers: as `prepare` takes them.
        protocols: names, or `("all",)`.
        device, overwrite: as `score_run` takes them.
        seed: of the bootstrap; every row draws the same videos.

    Raises:
        PagenError: an unknown name, missing footage or labels, or a test split of one class.
    """
    from pagen.eval.baselines import score_baselines
    from pagen.eval.protocols import PROTOCOLS
    from pagen.eval.scores import score_run
    from pagen.footage.prepare import prepare

    names = PROTOCOLS.names() if "all" in protocols else protocols
    chosen = [PROTOCOLS[name] for name in names]
    prepared = prepare(dataset, root, size=None, workers=workers)
    _require_labels(prepared)
    scored = [(TRIVIAL, score_baselines(prepared, workers))]
    for path in runs:
        scored.append((str(path), score_run(path, dataset, root, None, device, workers, overwrite)))
    tables = tuple(_table(protocol, scored, seed) for protocol in chosen)
    return Evaluation(dataset, str(prepared.folder.config["label_edition"]), seed, __version__, tables)


def _require_labels(prepared: Prepared) -> None:
    names = prepared.clips("test")
    missing = [name for name in names if prepared.labels(name) is None]
    if missing:
        where = prepared.folder.volatile
        layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == where["layout"]]
        places = " or ".join(source.path for layout in layouts for source in layout.labels)
        raise PagenError(
            f"expected frame labels for the {len(names)} test clips of {prepared.dataset}, found none for "
            f"{len(missing)} ({missing[0]} first); put them into {places} below {where['root']}"
        )


def _table(protocol: Protocol, scored: Sequence[tuple[str, Scores]], seed: int) -> Table:
    rows = tuple(row for name, scores in scored for row in _rows(protocol, name, scores, seed))
    bar = next(row for row in rows if row.indicator == BAR)
    below = [row for row in rows if row.run != TRIVIAL and row.micro < bar.micro]
    notes = tuple(f"{row.run} ({row.indicator}) lies below {BAR}: it has not beaten arithmetic." for row in below)
    return Table(protocol.name, protocol.title, protocol.looks_ahead, rows, notes)


def _rows(protocol: Protocol, name: str, scores: Scores, seed: int) -> Iterator[Row]:
    from pagen.eval import metrics
    from pagen.eval.protocols import apply
    from pagen.seeds import generator

    recipe = scores.config.get("recipe", {})
    about = (recipe.get("recipe"), recipe.get("scale"), recipe.get("seed"), recipe.get("dataset"))
    for indicator, every in _indicators(scores, protocol.policy):
        final, labels = apply(protocol, every, scores.labels)
        raw, _ = apply(protocol.raw(), every, scores.labels)
        frames = _require_both_classes(protocol, scores, labels)
        macro = metrics.macro_auroc(final, labels)
        low, high = metrics.bootstrap_interval(final, labels, generator(seed, "bootstrap"))
        micro = metrics.micro_auroc(final, labels), low, high, metrics.micro_auroc(raw, labels)
        yield Row(name, indicator, *micro, macro.value, macro.videos_used, len(labels), frames, *about)


def _indicators(scores: Scores, policy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every indicator, and last what is fused of them, where the run's recipe has that."""
    from pagen.eval.fuse import FUSED, fused

    for name in scores.indicators():
        yield name, scores.of(name, policy)
    parts = FUSED.get(str(scores.config.get("recipe", {}).get("recipe")), ())
    if parts:
        known = scores.config["calibration"]
        yield "fused", fused([scores.of(name, policy) for name in parts], [known[name] for name in parts])


def _require_both_classes(protocol: Protocol, scores: Scores, labels: dict[str, Any]) -> int:
    """The number of frames. AUROC compares abnormal frames with normal ones: one class alone has none."""
    frames = sum(len(marks) for marks in labels.values())
    abnormal = sum(int(marks.sum()) for marks in labels.values())
    if abnormal in (0, frames):
        which = "normal" if abnormal == 0 else "abnormal"
        raise PagenError(
            f"AUROC is undefined: all {frames} frames of {scores.config['dataset']} that {protocol.name} scores are "
            f"labelled {which}; expected both classes in the test split, check its labels"
        )
    return frames


HEADERS = (
    "run",
    "indicator",
    "micro AUROC",
    "95 % interval",
    "raw",
    "macro (videos)",
    "frames",
    "recipe",
    "trained on",
)


def cells(row: Row) -> list[str]:
    """A row as text; AUROCs x 100 with one decimal, `-` where undefined."""
    interval = f"{_percent(row.low)}-{_percent(row.high)}" if row.low == row.low else "-"
    macro = f"{_percent(row.macro)} ({row.videos_used}/{row.videos})"
    recipe = f"{row.recipe} ({row.scale}, seed {row.seed})" if row.recipe else "-"
    return [
        row.run,
        row.indicator,
        _percent(row.micro),
        interval,
        _percent(row.raw),
        macro,
        f"{row.frames:,}",
        recipe,
        row.trained_on or "-",
    ]


def as_text(evaluation: Evaluation) -> str:
    """The tables for a terminal."""
    parts = [f"{evaluation.dataset}, labels: {evaluation.label_edition}; bootstrap seed {evaluation.seed}"]
    for table in evaluation.tables:
        rows = console.table(HEADERS, [cells(row) for row in table.rows])
        parts.append("\n".join([f"protocol {table.protocol}: {table.title}", rows, *table.notes]))
    return "\n\n".join([*parts, LEGEND])


def as_markdown(evaluation: Evaluation, written_by: str) -> str:
    """The tables as a page that says how they came about."""
    parts = [
        f"# Frame-level AUROC on {evaluation.dataset}",
        f"Labels: {evaluation.label_edition}. Bootstrap seed {evaluation.seed}. pagen {evaluation.pagen}. Written by:",
        f"    {written_by}",
        LEGEND,
    ]
    for table in evaluation.tables:
        parts += [f"## Protocol {table.protocol}", f"{table.title[0].upper()}{table.title[1:]}."]
        parts += [console.markdown(HEADERS, [cells(row) for row in table.rows]), *table.notes]
    return "\n\n".join(parts) + "\n"


LEGEND = (
    "AUROC x 100. micro: all frames together; raw: the same, neither rescaled nor smoothed; macro: mean over the "
    "videos that hold both classes. Interval: 1,000 draws of whole videos."
)


def command(config: Evaluate) -> str:
    """The command line that a configuration stands for, defaults left out."""
    words = ["pagen", "evaluate", *map(str, config.runs)]
    for field in fields(config)[1:]:
        value = getattr(config, field.name)
        if value == field.default:
            continue
        values = value if isinstance(value, tuple) else [] if value is True else [value]
        words += [f"--{field.name}", *map(str, values)]
    return shlex.join(words)


def _percent(area: float) -> str:
    return f"{100 * area:.1f}" if area == area else "-"
