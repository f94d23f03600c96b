"""The table of a protocol: what is measured of the series of every run, and the notes below it."""

from __future__ import annotations

from collections.abc import Sequence

from pagen.eval.metrics import roc as metrics
from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
from pagen.eval.metrics.events import OperatingPoint, at_false_alarms
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.metrics.undefined import Undefined, reason
from pagen.eval.protocol import Protocol
from pagen.eval.protocol_title import Scored, title_of
from pagen.eval.published import published_row
from pagen.eval.results import BAR, TRIVIAL, Row, Series, Table
from pagen.eval.settings import EvaluationSettings
from pagen.papers.all_papers import PUBLISHED
from pagen.seeds import generator


def table_of(protocol: Protocol, series: Sequence[Series], settings: EvaluationSettings) -> Table:
    """The table of a protocol out of what `series_of` gives: trivial baselines first, or files without baselines."""
    first = series[0]
    trivial = first.run == TRIVIAL
    bar = next(one for one in series if one.indicator == BAR) if trivial else first
    compared = bar.final if len(series) > 1 else None
    rows = tuple(_row(one, compared, protocol, settings) for one in series)
    notes = [*(_below(rows) if trivial else ()), *_published(series, protocol, settings.dataset)]
    if why := reason(rows[0].micro):  # the frames that the protocol scores are of one class
        notes.insert(0, f"{protocol.name} is undefined for the {rows[0].frames} frames that it scores: {why}.")
    ahead = {one.run: one.ahead for one in series}
    scored = Scored(settings.dataset, trivial, settings.weights, ahead, frozenset(one.indicator for one in series))
    title = title_of(protocol, scored)
    looks_ahead = protocol.looks_ahead or any(count != 0 for count in ahead.values())
    return Table(protocol.name, title, looks_ahead, rows, tuple(notes), BAR if trivial else first.run)


def _row(series: Series, bar: ByVideo | None, protocol: Protocol, settings: EvaluationSettings) -> Row:
    final, labels, recipe = series.final, series.labels, series.recipe
    macro = metrics.macro_auroc(final, labels, protocol.macro)
    (low, high), over = _intervals(final, bar, labels, settings.seed)
    together = metrics.concatenate(final, labels)
    point, delay = _point(final, labels, settings, protocol.every)
    return Row(
        *(series.run, series.indicator),
        *(metrics.micro_auroc(final, labels), low, high, metrics.micro_auroc(series.raw, labels)),
        macro.value,
        *(macro.videos_used, len(labels), len(together[1])),
        *(metrics.average_precision(*together), metrics.equal_error_rate(*together)),
        *(point.threshold, point.tpr, point.event_recall, delay, *over),
        *(recipe.get(name) for name in ("recipe", "scale", "seed", "dataset")),
    )


def _point(final: ByVideo, labels: ByVideo, settings: EvaluationSettings, every: int) -> tuple[OperatingPoint, float]:
    """What the wanted false alarms give, and the mean delay in seconds."""
    if settings.fps is None:
        nothing = Undefined("frames a second are not known; give --fps")
        return OperatingPoint(nothing, 0, nothing, nothing, nothing, nothing, 0), nothing
    point = at_false_alarms(final, labels, settings.alarms, settings.fps / every)
    return point, point.mean_delay * every / settings.fps


def _intervals(
    final: ByVideo, bar: ByVideo | None, labels: ByVideo, seed: int
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Of the micro AUROC; then by how much that exceeds the one of `bar`, and the interval of that."""
    rng = generator(seed, "bootstrap")
    if bar is None:
        nothing = Undefined("one file of scores alone; give another one to compare with")
        return bootstrap_interval(final, labels, rng), (nothing, nothing, nothing)
    over = paired_auroc(final, bar, labels, rng)
    return over.first, (over.difference, over.low, over.high)


def _below(rows: Sequence[Row]) -> list[str]:
    bar = next(row for row in rows if row.indicator == BAR).micro
    runs = [row for row in rows if row.run != TRIVIAL]
    below = [f"{row.run} ({row.indicator})" for row in runs if row.micro < bar]
    if len(below) == len(runs) > 1:
        return [f"All of them lie below {BAR}: none has beaten arithmetic."]
    return [f"Below {BAR}, so not beating arithmetic: {', '.join(below)}."] if below else []


def _published(series: Sequence[Series], protocol: Protocol, dataset: str) -> list[str]:
    """What the papers say of the runs in a table, each with the protocol that comes nearest to theirs."""
    rows = [published_row(one.recipe, dataset, protocol.name) for one in series if one.recipe]
    found = {row: PUBLISHED[row][dataset] for row in rows if row is not None}
    figures = [f"{one.source}: {one.micro:.1f} ({one.protocol or 'unknown protocol'})" for one in found.values()]
    lead = "The papers' own micro AUROC, measured by their authors, and the nearest protocol: "
    return [f"{lead}{'; '.join(figures)}."] if figures else []
