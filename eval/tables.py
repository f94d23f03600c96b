"""What `evaluate` finds: the rows of a protocol's table, measured, and the table as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pagen.eval.metrics.undefined import Undefined, reason
from pagen.eval.results import BAR, TRIVIAL, Row, Table

if TYPE_CHECKING:
    from pagen.eval.metrics.events import OperatingPoint
    from pagen.eval.metrics.roc import ByVideo
    from pagen.eval.protocol import Protocol
    from pagen.eval.scores import Scores


@dataclass(frozen=True)
class EvaluationSettings:
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


def table_of(protocol: Protocol, scored: Sequence[tuple[str, Scores]], how: EvaluationSettings) -> Table:
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


def _rows(protocol: Protocol, name: str, scores: Scores, bar: ByVideo | None, how: EvaluationSettings) -> Iterator[Row]:
    from pagen.eval.metrics import roc as metrics

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


def _point(final: ByVideo, labels: ByVideo, how: EvaluationSettings, every: int) -> tuple[OperatingPoint, float]:
    """What the wanted false alarms give, and the mean delay in seconds."""
    from pagen.eval.metrics.events import OperatingPoint, at_false_alarms

    if how.fps is None:
        nothing = Undefined("frames a second are not known; give --fps")
        return OperatingPoint(nothing, 0, nothing, nothing, nothing, nothing, 0), nothing
    point = at_false_alarms(final, labels, how.alarms, how.fps / every)
    return point, point.mean_delay * every / how.fps


def _intervals(
    final: ByVideo, bar: ByVideo | None, labels: ByVideo, how: EvaluationSettings
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Of the micro AUROC; then by how much that exceeds the one of `bar`, and the interval of that."""
    from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
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
    how: EvaluationSettings,
    weights: Mapping[str, float] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    from pagen.eval.protocol import apply

    known = scores.config.get("calibration", {})
    return apply(protocol, parts, scores.labels, how.dataset, known, weights)


def _weights(
    protocol: Protocol, indicator: str, parts: Mapping[str, ByVideo], scores: Scores, how: EvaluationSettings
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
