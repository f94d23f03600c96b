"""The lines above a table: which frames a protocol scores, how, and why, as far as that bears on what is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pagen.eval.protocol import ANY, CHOSEN, Protocol
from pagen.scoring.policies import POLICIES
from pagen.scoring.rescale import NONE

RESCALING = {
    "none": "none",
    "calibrated": "none; fused: less the training median, over the training range (P1 to P99)",
    "z_positive": "less the training mean, over the training deviation, not below 0",
    "trained_min_max": "less the training minimum, over the training range",
    "object_min_max": "less the minimum of the training objects, over their range",
    "object_min_most": "less the minimum of the training objects, over their range up to percentile 99.9",
    "quantile": "share of the training scores below",
    "min_max": "min-max of each video",
    "robust": "less the median of each video, over its range from P1 to P99",
    "robust_causal": "less the median of each video up to the frame, over its range from P1 to P99 up to there",
}
"""What each kind of rescaling does, in a line."""
SUM = "fused"
"""How the name of what is added up begins."""


@dataclass(frozen=True)
class Scored:
    """What stands in the table.

    Attributes:
        dataset: name of the data set; empty where it is not known.
        windows: windows were scored, so that the protocol's policy plays a part; not of scores that files hold.
        weights: where weights come from: the protocol's where they are `published`, and so is the smoothing's width
            where they are not `chosen`.
        ahead: run -> how many frames after the scored one it looks at; None where that is not known.
        indicators: what is measured; of these alone exceptions, factors and weights are said. Empty: of all.
    """

    dataset: str = ANY
    windows: bool = True
    weights: str = "published"
    ahead: Mapping[str, int | None] = field(default_factory=dict)
    indicators: frozenset[str] = frozenset()

    def holds(self, indicator: str) -> bool:
        """Whether that indicator is measured."""
        return not self.indicators or indicator in self.indicators

    @property
    def added_up(self) -> bool:
        """Whether several indicators are added up."""
        return not self.indicators or any(name.startswith(SUM) for name in self.indicators)


def title_of(protocol: Protocol, scored: Scored) -> str:
    """Which frames are scored, how, and why."""
    width = "as chosen" if scored.weights == CHOSEN else f"{protocol.sigma_on(scored.dataset):g} frames"
    smooth = f"{protocol.smooth}, sigma {width}" if protocol.smooth != "none" else "none"
    policy = f", {POLICIES[protocol.policy].title}" if scored.windows else ""
    weighing = _weighing(protocol, scored) if scored.weights == "published" and scored.added_up else ""
    seen = _seen(protocol, scored.ahead) if scored.windows else ""
    return (
        f"{protocol.why}. Scored: {_frames(protocol)}{policy}. Rescaling: {_rescaling(protocol, scored)}.{weighing} "
        f"Smoothing: {smooth}{seen}."
    )


def _frames(protocol: Protocol) -> str:
    start, end = protocol.dropped_first, f"L-{protocol.dropped_last}" if protocol.dropped_last else "L"
    if protocol.every > 1:
        return f"every {protocol.every}th frame of [{start} : {end}]"
    return "all frames" if (start, end) == (0, "L") else f"frames [{start} : {end}] of L"


def _rescaling(protocol: Protocol, scored: Scored) -> str:
    alone, _, fused = RESCALING[protocol.each].partition("; ")
    factors = "".join(f", {name} times {by:.3g}" for name, by in protocol.factors.items() if scored.holds(name))
    parts = [f"{alone}{factors}"]
    for rescaling in dict.fromkeys(protocol.each_of.values()):
        names = [name for name, own in protocol.each_of.items() if own == rescaling and scored.holds(name)]
        parts += [f"{' and '.join(names)}: {RESCALING[rescaling].partition('; ')[0]}"] if names else []
    parts += [fused] if fused and protocol.fused and scored.added_up else []
    total = RESCALING[protocol.total]
    parts += [f"the sum, and what stands alone: {total}"] if protocol.total != NONE else []
    return "; ".join(parts)


def _weighing(protocol: Protocol, scored: Scored) -> str:
    """What is said of the weights: nothing where the protocol has none, or none of what is there."""
    known = {name for weights in protocol.weights.values() for name in weights}
    if not any(map(scored.holds, known)):
        return ""
    dataset, weights = scored.dataset, protocol.weights_on(scored.dataset)
    shares = " ".join(f"{name} {weight:g}" for name, weight in weights.items())
    if dataset in protocol.weights and dataset != ANY:
        return f" Weights: as published for {dataset}, {shares}."
    if weights:
        return f" Weights: {shares}, for every data set."
    return f" Weights: alike, since none are published for {dataset}."


def _seen(protocol: Protocol, ahead: Mapping[str, int | None]) -> str:
    """Whether later frames than the scored one play a part, by the protocol or by what is evaluated."""
    if protocol.looks_ahead:
        return "; it looks ahead"
    far = ", ".join(
        f"{run} by {'a number of frames that is not known' if count is None else f'{count} frames'}"
        for run, count in ahead.items()
        if count != 0
    )
    return f"; it does not look ahead, but what is scored does: {far}" if far else "; nothing looks ahead"
