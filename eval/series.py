"""Scores under a protocol: the one place where protocols are applied, for tables to measure and reports to draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from pagen.eval.fusion import oracle_weights, pseudo_weights
from pagen.eval.protocol import ANY, Protocol, apply, counted_frames
from pagen.eval.results import Choice, Series
from pagen.eval.scores import Scores
from pagen.eval.settings import EvaluationSettings
from pagen.scoring.indicator_table import fused_of

Weights = Mapping[str, float]
Choices = Mapping[tuple[str, str], Choice]
"""Run and indicator -> what was chosen on another data set."""


def series_of(
    protocol: Protocol,
    scored: Sequence[tuple[str, Scores]],
    settings: EvaluationSettings,
    choices: Choices = MappingProxyType({}),
) -> tuple[Series, ...]:
    """Every indicator of each run, and after these what is fused of them, where the run's recipe has that.

    `scored` are under the protocol's window policy, the trivial baselines first; or those of files. What `choices` say
    of an indicator stands in place of the protocol's weights and smoothing.
    """
    return tuple(series for run, scores in scored for series in _of_run(protocol, run, scores, settings, choices))


def members_of(protocol: Protocol, scores: Scores) -> dict[str, tuple[str, ...]]:
    """What rows there are of a run -> what is added up in each: every indicator alone, then what is fused."""
    added = tuple(fused_of(scores.config.get("recipe", {}), protocol.fused))
    return {name: (name,) for name in scores.indicators()} | ({"fused": added} if len(added) > 1 else {})


def changed_by(choice: Choice | None, protocol: Protocol) -> Protocol:
    """The protocol with the smoothing that was chosen."""
    return protocol if choice is None or choice.sigma is None else replace(protocol, sigma={ANY: choice.sigma})


def _of_run(
    protocol: Protocol, run: str, scores: Scores, settings: EvaluationSettings, choices: Choices
) -> Iterator[Series]:
    recipe, known = scores.config.get("recipe", {}), scores.config.get("calibration", {})
    precision = scores.config.get("precision", "")
    frames = counted_frames(protocol, {clip: scores.labels[clip] for clip in scores.clips})
    for indicator, names in members_of(protocol, scores).items():
        parts, choice = {name: scores.of(name) for name in names}, choices.get((run, indicator))
        applied = partial(apply, indicators=parts, labels=scores.labels, dataset=settings.dataset, calibration=known)
        applied = partial(applied, breaks=scores.breaks)
        by_video = partial(applied, by_video=scores.by_clip)
        weights, note = _weights(partial(by_video, protocol), names, known, settings.weights)
        weights = choice.weights if choice else weights
        final, labels = by_video(changed_by(choice, protocol), weights=weights)
        raw, _ = (applied if len(names) == 1 else by_video)(protocol.raw(), weights=weights)
        yield Series(run, indicator + note, final, raw, labels, frames, recipe, scores.ahead, choice, precision)


def _weights(applied: Any, names: Sequence[str], calibration: Any, kind: str) -> tuple[Weights | None, str]:
    """The weights of what is added up, None for the protocol's; and what the name of the row says of them.

    `applied` maps weights to the scores and labels under the protocol.
    """
    if len(names) == 1 or kind == "published":
        return None, ""
    if kind == "pseudo":
        return pseudo_weights(names, calibration), " (pseudo)"
    if kind == "oracle":
        return oracle_weights(lambda weights: applied(weights=weights)[0], names, applied()[1]), " (ORACLE)"
    return dict.fromkeys(names, 1.0), ""
