"""What `evaluate` finds: the rows of a protocol's table, measured, and the table as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pagen import console
from pagen.eval.undefined import Undefined, reason

if TYPE_CHECKING:
    from pagen.eval.events import OperatingPoint
    from pagen.eval.metrics import ByVideo
    from pagen.eval.protocols import Protocol
    from pagen.eval.scores import Scores

TRIVIAL = "trivial baseline"
BAR = "flow_speed"
"""The baseline that a run has to beat; scores out of files are compared with those of the first file."""


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
    """Mean over the videos that count by the protocol's rule."""
    videos_used: int
    videos: int
    frames: int
    average_precision: float
    equal_error_rate: float
    threshold: float
    """Lowest one that keeps to the wanted false alarms."""
    tpr: float
    """Share of the abnormal frames found at it."""
    event_recall: float
    delay: float
    """Mean seconds from an event's start to its first alarm."""
    over: float
    """Micro AUROC less that of the table's `against` on the same frames, and its interval over the same draws."""
    over_low: float
    over_high: float
    recipe: str | None = None
    scale: str | None = None
    seed: int | None = None
    trained_on: str | None = None


@dataclass(frozen=True)
class Table:
    """The rows of one protocol, the trivial baselines first, where there are any."""

    protocol: str
    title: str
    looks_ahead: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    against: str = BAR
    """What each row is compared with."""


@dataclass(frozen=True)
class Measuring:
    """What a table is measured with.

    Attributes:
        dataset: its name, or `protocols.ANY`.
        fps: frames a second; None where that is not known.
        seed: of the bootstrap; every row draws the same videos.
        alarms: false alarms an hour that an operating point may have.
        weights: where the weights of what is fused come from: see `fusion.WEIGHTS`.

    Raises:
        PagenError: no such weights.
    """

    dataset: str
    fps: float | None
    seed: int = 0
    alarms: float = 10.0
    weights: str = "published"

    def __post_init__(self) -> None:
        from pagen.eval.fusion import require_weights

        require_weights(self.weights)


def table_of(protocol: Protocol, scored: Sequence[tuple[str, Scores]], how: Measuring) -> Table:
    """The table of a protocol.

    Args:
        scored: name and scores under the protocol's window policy, the trivial baselines first; or those of files,
            without baselines.
    """
    (first, least), trivial = scored[0], scored[0][0] == TRIVIAL
    parts = dict(_indicators(protocol, least))[BAR if trivial else least.indicators()[0]]
    bar = _final(protocol, parts, least, how)[0] if trivial or len(scored) > 1 else None
    rows = tuple(row for name, scores in scored for row in _rows(protocol, name, scores, bar, how))
    notes = (*_undefined(protocol, rows), *(_below(rows) if trivial else ()), *_published(rows, how.dataset))
    title = protocol.title(how.dataset, windows=trivial)
    return Table(protocol.name, title, protocol.looks_ahead, rows, notes, BAR if trivial else first)


def _below(rows: Sequence[Row]) -> list[str]:
    least = next(row for row in rows if row.indicator == BAR).micro
    runs = [row for row in rows if row.run != TRIVIAL]
    below = [f"{row.run} ({row.indicator})" for row in runs if row.micro < least]
    if len(below) == len(runs) > 1:
        return [f"All of them lie below {BAR}: none has beaten arithmetic."]
    return [f"Below {BAR}, so not beating arithmetic: {', '.join(below)}."] if below else []


def _rows(protocol: Protocol, name: str, scores: Scores, bar: ByVideo | None, how: Measuring) -> Iterator[Row]:
    from pagen.eval import metrics

    recipe = scores.config.get("recipe", {})
    about = (recipe.get("recipe"), recipe.get("scale"), recipe.get("seed"), recipe.get("dataset"))
    for indicator, parts in _indicators(protocol, scores):
        weights, label = _weights(protocol, indicator, parts, scores, how)
        final, labels = _final(protocol, parts, scores, how, weights)
        raw, _ = _final(protocol.raw(), parts, scores, how, weights)
        frames = sum(len(marks) for marks in labels.values())
        macro = metrics.macro_auroc(final, labels, protocol.macro)
        (low, high), over = _intervals(final, bar, labels, how)
        together = metrics.concatenate(final, labels)
        point, delay = _point(final, labels, how, protocol.every)
        yield Row(
            name,
            label,
            *(metrics.micro_auroc(final, labels), low, high, metrics.micro_auroc(raw, labels)),
            *(macro.value, macro.videos_used, len(labels), frames),
            *(metrics.average_precision(*together), metrics.equal_error_rate(*together)),
            *(point.threshold, point.tpr, point.event_recall, delay),
            *over,
            *about,
        )


def _point(final: ByVideo, labels: ByVideo, how: Measuring, every: int) -> tuple[OperatingPoint, float]:
    """What the wanted false alarms give, and the mean delay in seconds."""
    from pagen.eval.events import OperatingPoint, at_false_alarms

    if how.fps is None:
        nothing = Undefined("frames a second are not known; give --fps")
        return OperatingPoint(nothing, 0, nothing, nothing, nothing, nothing, 0), nothing
    point = at_false_alarms(final, labels, how.alarms, how.fps / every)
    return point, point.mean_delay * every / how.fps


def _intervals(
    final: ByVideo, bar: ByVideo | None, labels: ByVideo, how: Measuring
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Of the micro AUROC; then by how much that exceeds the one of `bar`, and the interval of that."""
    from pagen.eval.metrics import bootstrap_interval, paired_auroc
    from pagen.seeds import generator

    rng = generator(how.seed, "bootstrap")
    if bar is None:
        nothing = Undefined("one file of scores alone; give another one to compare with")
        return bootstrap_interval(final, labels, rng), (nothing, nothing, nothing)
    over = paired_auroc(final, bar, labels, rng)
    return over.first, (over.difference, over.low, over.high)


def _indicators(protocol: Protocol, scores: Scores) -> Iterator[tuple[str, dict[str, ByVideo]]]:
    """Every indicator, and last what is fused of them, where the run's recipe has that."""
    from pagen.eval.fusion import fused_of

    for name in scores.indicators():
        yield name, {name: scores.of(name)}
    parts = fused_of(scores.config.get("recipe", {}), protocol.fused)
    if len(parts) > 1:
        yield "fused", {name: scores.of(name) for name in parts}


def _final(
    protocol: Protocol,
    parts: Mapping[str, ByVideo],
    scores: Scores,
    how: Measuring,
    weights: Mapping[str, float] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    from pagen.eval.protocols import apply

    known = scores.config.get("calibration", {})
    return apply(protocol, parts, scores.labels, how.dataset, known, weights)


def _weights(
    protocol: Protocol, indicator: str, parts: Mapping[str, ByVideo], scores: Scores, how: Measuring
) -> tuple[dict[str, float] | None, str]:
    """The weights of what is added up, and what the row is called."""
    from pagen.eval.fusion import oracle_weights, pseudo_weights

    if len(parts) == 1:
        return None, indicator
    if how.weights == "pseudo":
        return pseudo_weights(list(parts), scores.config["calibration"]), f"{indicator} (pseudo)"
    if how.weights == "oracle":
        _, labels = _final(protocol, parts, scores, how)
        given = partial(_final, protocol, parts, scores, how)
        return oracle_weights(lambda weights: given(weights)[0], list(parts), labels), f"{indicator} (ORACLE)"
    return (dict.fromkeys(parts, 1.0) if how.weights == "uniform" else None), indicator


def _undefined(protocol: Protocol, rows: Sequence[Row]) -> list[str]:
    """Why a protocol has no AUROC, where the frames that it scores are of one class."""
    why = reason(rows[0].micro)
    return [f"{protocol.name} is undefined for the {rows[0].frames} frames that it scores: {why}."] if why else []


def _published(rows: Sequence[Row], dataset: str) -> list[str]:
    """What the papers say of the recipes in a table, each with the protocol that comes nearest to theirs."""
    from pagen.eval.published import PUBLISHED

    recipes = [row.recipe for row in rows if row.recipe is not None]
    found = {recipe: PUBLISHED[recipe][dataset] for recipe in recipes if dataset in PUBLISHED.get(recipe, ())}
    figures = (f"{recipe} {each.micro:.1f} ({each.protocol or 'unknown protocol'})" for recipe, each in found.items())
    said = "The papers' own micro AUROC, measured by their authors, and the nearest protocol: "
    return [f"{said}{', '.join(figures)}."] if found else []


HEADERS = (
    *("run", "indicator", "micro AUROC", "95 % interval", "raw", "macro (videos)"),
    *("AP", "EER", "frames", "recipe", "trained on"),
)


def point_headers(against: str) -> tuple[str, ...]:
    """What stands above `points`."""
    return ("run", "indicator", f"over {against}", "95 % interval", "frames found", "events found", "delay, s")


def cells(row: Row) -> list[str]:
    """A row as text; AUROCs x 100 with one decimal, `-` where undefined."""
    return [
        *(row.run, row.indicator, percent(row.micro), between(row.low, row.high), percent(row.raw)),
        f"{percent(row.macro)} ({row.videos_used}/{row.videos})",
        *(percent(row.average_precision), percent(row.equal_error_rate), f"{row.frames:,}"),
        f"{row.recipe} ({row.scale}, seed {row.seed})" if row.recipe else "-",
        row.trained_on or "-",
    ]


def points(row: Row) -> list[str]:
    """What a row says of alarms, and against another, as text."""
    delay = f"{row.delay:.1f}" if row.delay == row.delay else "-"
    over = f"{100 * row.over:+.1f}" if row.over == row.over else "-"
    low_to_high = between(row.over_low, row.over_high, " to ")
    return [row.run, row.indicator, over, low_to_high, percent(row.tpr), percent(row.event_recall), delay]


def percent(share: float) -> str:
    """x 100 with one decimal, `-` where undefined."""
    return f"{100 * share:.1f}" if share == share else "-"


def between(low: float, high: float, word: str = "-") -> str:
    """An interval, x 100 with one decimal, `-` where undefined."""
    return f"{percent(low)}{word}{percent(high)}" if low == low else "-"


def as_text(table: Table) -> str:
    """A table for a terminal, with its title and notes; that of alarms and differences where it is of files."""
    lines = [f"protocol {table.protocol}: {table.title}", console.table(HEADERS, [cells(row) for row in table.rows])]
    further = [points(row) for row in table.rows]
    if table.against != BAR and any(cell != "-" for row in further for cell in row[2:]):
        lines += ["", console.table(point_headers(table.against), further)]
    return "\n".join([*lines, *table.notes])


def as_markdown(table: Table, alarms: float) -> list[str]:
    """A table as parts of a page."""
    return [
        f"## Protocol {table.protocol}",
        f"{table.title[0].upper()}{table.title[1:]}",
        console.markdown(HEADERS, [cells(row) for row in table.rows]),
        f"Against `{table.against}` on the same draws of videos, and at no more than {alarms:g} false alarms an hour:",
        console.markdown(point_headers(table.against), [points(row) for row in table.rows]),
        *table.notes,
    ]


LEGEND = (
    "AUROC x 100. micro: all frames together; raw: the same, neither rescaled nor smoothed; macro: mean over the "
    "videos, by the protocol's rule for those of one class. Interval: 1,000 draws of whole videos. AP: average "
    "precision; EER: equal error rate."
)
