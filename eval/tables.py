"""The table of a protocol: what is measured of the series of every run, and the notes below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pagen.eval.metrics import roc as metrics
from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
from pagen.eval.metrics.events import OperatingPoint, at_false_alarms
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.metrics.scenes import at_false_alarms_by_scene, in_scenes, scene_auroc
from pagen.eval.metrics.undefined import Undefined, reason
from pagen.eval.protocol import CHOSEN, Protocol
from pagen.eval.protocol_title import Scored, title_of
from pagen.eval.published import published_row
from pagen.eval.results import BAR, TRIVIAL, Row, Scene, Scenes, Series, Table, leads
from pagen.eval.settings import EvaluationSettings
from pagen.papers.all_papers import PUBLISHED
from pagen.seeds import generator

UNTIMED = "frames a second are not known"
"""Why there is nothing to say of alarms."""


def table_of(protocol: Protocol, series: Sequence[Series], settings: EvaluationSettings) -> Table:
    """The table of a protocol out of what `series_of` gives: trivial baselines first, or files without baselines."""
    first = series[0]
    trivial = first.run == TRIVIAL
    bar = next(one for one in series if one.indicator == BAR) if trivial else first
    compared, scenes = bar.final if len(series) > 1 else None, _scenes(first.labels, settings)
    rows = tuple(_row(one, compared, protocol, settings, bool(scenes)) for one in series)
    notes = [*(_below(rows) if trivial else ()), *_published(series, protocol, settings.dataset)]
    if settings.told:
        notes.insert(0, f"Labels that did not fit their clips: {settings.told}.")
    if why := reason(rows[0].micro):  # the frames that the protocol scores are of one class
        notes.insert(0, f"{protocol.name} is undefined for the {rows[0].frames} frames that it scores: {why}.")
    looks_ahead = protocol.looks_ahead or any(one.ahead != 0 for one in series)
    against, title = BAR if trivial else first.run, " ".join(_said(protocol, series, settings))
    return Table(protocol.name, title, looks_ahead, rows, tuple(notes), against, scenes, settings.labels)


def _said(protocol: Protocol, series: Sequence[Series], settings: EvaluationSettings) -> Iterator[str]:
    """The sentences above a table: what the protocol does, what was chosen, whose labels these are, of which clips."""
    on, ahead = settings.chosen_on, {one.run: one.ahead for one in series}
    weights = CHOSEN if on else settings.weights
    indicators = frozenset(one.indicator for one in series)
    yield title_of(protocol, Scored(settings.dataset, series[0].run == TRIVIAL, weights, ahead, indicators))
    if on:
        clips = f"{on.clips} test clips, labels: {on.label_edition}"
        yield f"Chosen on {on.dataset} ({clips}) by micro AUROC: {_chosen(series)}."
    if rounded := dict.fromkeys(f"{one.run} ({one.precision})" for one in series if one.precision):
        yield f"Scored with rounded numbers: {', '.join(rounded)}."
    if settings.labels:
        yield f"Labels: {settings.labels}."
    if settings.part:
        yield f"A part of the data set: {settings.part}."


def _chosen(series: Sequence[Series]) -> str:
    """What was chosen for the baselines and the headline of each run."""
    chosen = [f"{one.indicator if one.run == TRIVIAL else one.run}: {one.choice}" for one in leads(series)]
    return (
        "; ".join(chosen) if any(str(one.choice) for one in series) else "nothing, since nothing is fused or smoothed"
    )


def _row(series: Series, bar: ByVideo | None, protocol: Protocol, settings: EvaluationSettings, by_scene: bool) -> Row:
    final, labels, recipe = series.final, series.labels, series.recipe
    macro = metrics.macro_auroc(final, labels, protocol.macro)
    (low, high), over = _intervals(final, bar, labels, settings.seed)
    together = metrics.concatenate(final, labels)
    point, delay = _point(final, labels, settings, protocol.every)
    row = Row(
        *(series.run, series.indicator),
        *(metrics.micro_auroc(final, labels), low, high, metrics.micro_auroc(series.raw, labels)),
        macro.value,
        *(macro.videos_used, len(labels), len(together[1])),
        *(metrics.average_precision(*together), metrics.equal_error_rate(*together)),
        *(point.threshold, point.tpr, point.event_recall, delay, *over),
        *(recipe.get(name) for name in ("recipe", "scale", "seed", "dataset")),
    )
    scenes = _by_scene(final, labels, settings, protocol.every) if by_scene else None
    return replace(row, by_scene=scenes, choice=series.choice)


def _scenes(labels: ByVideo, settings: EvaluationSettings) -> tuple[Scene, ...]:
    """The scenes of the videos; none where there are not several."""
    parts = in_scenes(labels, settings.scenes) if settings.scenes else {}
    counts = {name: [len(part), *counted(part)] for name, part in parts.items()}
    return tuple(Scene(name, *count) for name, count in counts.items()) if len(parts) > 1 else ()


def counted(labels: ByVideo) -> tuple[int, int]:
    """How many frames there are, and how many of them are abnormal."""
    together = np.concatenate([*labels.values()])
    return len(together), int(together.sum())


def _by_scene(final: ByVideo, labels: ByVideo, settings: EvaluationSettings, every: int) -> Scenes:
    areas = scene_auroc(final, labels, settings.scenes)
    if settings.fps is None:
        nothing = _untimed(settings)
        return Scenes(areas.areas, areas.value, {}, nothing, nothing)
    points = at_false_alarms_by_scene(final, labels, settings.scenes, settings.alarms, settings.fps / every)
    return Scenes(areas.areas, areas.value, points.thresholds, points.tpr, points.event_recall)


def _point(final: ByVideo, labels: ByVideo, settings: EvaluationSettings, every: int) -> tuple[OperatingPoint, float]:
    """What the wanted false alarms give, and the mean delay in seconds."""
    if settings.fps is None:
        nothing = _untimed(settings)
        return OperatingPoint(nothing, 0, nothing, nothing, nothing, nothing, 0), nothing
    point = at_false_alarms(final, labels, settings.alarms, settings.fps / every)
    return point, point.mean_delay * every / settings.fps


def _untimed(settings: EvaluationSettings) -> Undefined:
    return Undefined(f"{UNTIMED}; {'say fps in datasets.toml' if settings.dataset else 'give --fps'}")


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
