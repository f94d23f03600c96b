"""Scores under a protocol: the one place where protocols are applied, for tables to measure and reports to draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pagen.eval.fusion import oracle_weights, pseudo_weights
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.protocol import Protocol, apply
from pagen.eval.results import Series
from pagen.eval.scores import Scores
from pagen.eval.settings import EvaluationSettings
from pagen.scoring.indicator_table import fused_of

Weights = Mapping[str, float]


def series_of(
    protocol: Protocol, scored: Sequence[tuple[str, Scores]], settings: EvaluationSettings
) -> tuple[Series, ...]:
    """Every indicator of each run, and after these what is fused of them, where the run's recipe has that.

    Args:
        scored: names and scores under the protocol's window policy, the trivial baselines first; or those of files.
    """
    return tuple(series for run, scores in scored for series in _of_run(protocol, run, scores, settings))


def _of_run(protocol: Protocol, run: str, scores: Scores, settings: EvaluationSettings) -> Iterator[Series]:
    for name in scores.indicators():
        yield _series(protocol, run, name, {name: scores.of(name)}, scores, settings)
    fused = fused_of(scores.config.get("recipe", {}), protocol.fused)
    if len(fused) > 1:
        yield _series(protocol, run, "fused", {name: scores.of(name) for name in fused}, scores, settings)


def _series(
    protocol: Protocol,
    run: str,
    indicator: str,
    parts: Mapping[str, ByVideo],
    scores: Scores,
    settings: EvaluationSettings,
) -> Series:
    calibration = scores.config.get("calibration", {})
    applied = partial(apply, indicators=parts, labels=scores.labels, dataset=settings.dataset, calibration=calibration)
    weights, note = _weights(partial(applied, protocol), parts, calibration, settings.weights)
    final, labels = applied(protocol, weights=weights)
    raw, _ = applied(protocol.raw(), weights=weights)
    return Series(run, indicator + note, final, raw, labels, scores.config.get("recipe", {}))


def _weights(
    applied: Any, parts: Mapping[str, ByVideo], calibration: Mapping[str, Weights], kind: str
) -> tuple[Weights | None, str]:
    """The weights of what is added up, None for the protocol's; and what the name of the row says of them.

    Args:
        applied: weights -> the scores and labels under the protocol.
    """
    if len(parts) == 1 or kind == "published":
        return None, ""
    if kind == "pseudo":
        return pseudo_weights(list(parts), calibration), " (pseudo)"
    if kind == "oracle":
        return oracle_weights(lambda weights: applied(weights=weights)[0], list(parts), applied()[1]), " (ORACLE)"
    return dict.fromkeys(parts, 1.0), ""
