"""A protocol: which frames count, under which window policy, rescaled, added up and smoothed how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, require_name
from pagen.eval.counted import matched, without_left_out
from pagen.eval.fusion import fused
from pagen.eval.metrics.roc import MACRO_RULES, Array, ByVideo
from pagen.options import Measure
from pagen.papers.all_papers import FUSED
from pagen.scoring.indicator_table import indicator_named
from pagen.scoring.policies import POLICIES
from pagen.scoring.rescale import NONE, OBJECT, PER_VIDEO, TRAINED, UNTRAINED, plain_error, probability
from pagen.scoring.smooth import SMOOTHING

Floats = dict[str, npt.NDArray[np.float64]]
Known = Mapping[str, Mapping[str, float]]
"""Indicator -> figures of its scores on training clips."""
ANY = "*"
"""Stands for every data set that has no entry of its own."""
OWN = "own"
"""The name of a network's own measure of errors."""
CHOSEN = "chosen"
"""Stands for weights, and a width, that were chosen on another data set."""
LARGEST = 1e6
"""What a weight or a factor may be at most."""
NARROWEST, WIDEST = 0.01, 10_000.0
"""Frames that the smoothing may be wide: with less it is none, with more a video is its mean, after a long time."""
CHOICES: dict[str, Mapping[str, Any] | tuple[str, ...]] = {
    "policy": POLICIES,
    "measure": (OWN, *get_args(Measure)),
    "each": (*UNTRAINED, *TRAINED),
    "total": UNTRAINED,
    "smooth": SMOOTHING,
    "macro": MACRO_RULES,
}
"""Field of a protocol -> the names that it may be."""


@dataclass(frozen=True)
class Protocol:
    """A way of evaluating; plain data, so that a JSON file can hold one's own (`protocol_file.read_protocol`).

    Raises PagenError: a name that a field may not be, or a number out of range.
    """

    name: str
    why: str
    """Whose way it is, and what was read where the source is silent."""
    policy: str = "last"
    """Which windows say what of a frame: see `pagen.scoring.policies`."""
    measure: str = OWN
    """How errors of whole frames are measured: mse, pse, bpe, or the network's own; of flow, own is the mean length."""
    dropped_first: int = 0
    dropped_last: int = 0
    """Frames at the start, and at the end, of each video that do not count."""
    every: int = 1
    """Of the frames that are left, every so many-th counts."""
    plain_errors: bool = False
    """Errors of pixels as such, not in dB."""
    probabilities: bool = False
    """Probabilities as such, not as log-odds."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """Indicator -> what it is multiplied by before it is rescaled, for a source that measures in another unit."""
    each: str = "calibrated"
    """How each indicator is rescaled: a name of `rescale.UNTRAINED` or `TRAINED`."""
    each_of: Mapping[str, str] = field(default_factory=dict)
    """Indicators that are rescaled otherwise."""
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FUSED)
    """Recipe -> indicators that are added up."""
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Data set (or *) -> indicator -> weight, as published; 1 where nothing is said."""
    total: str = NONE
    """How the sum is rescaled, or an indicator that stands alone: a name of `rescale.UNTRAINED`."""
    smooth: str = "none"
    """A name of `smooth.SMOOTHING`."""
    sigma: Mapping[str, float] = field(default_factory=dict)
    """Data set (or *) -> width of the smoothing in frames."""
    macro: str = "skip"
    """Rule for videos of one class in the macro AUROC: see `metrics.macro_auroc`."""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            for value in (getattr(self, name), *(self.each_of.values() if name == "each" else ())):
                require_name(f"{name} of protocol {self.name}", value, choices)
        if problem := next(self._problems(), None):
            raise PagenError(f"{problem} of protocol {self.name}; mend it")

    def _problems(self) -> Iterator[str]:
        """Numbers out of range, and fields that do not belong together: what was expected, and what was found."""
        if min(self.dropped_first, self.dropped_last, self.every - 1) < 0:
            numbers = f"{self.dropped_first}, {self.dropped_last} and {self.every}"
            yield f"expected dropped_first and dropped_last of 0 and more, and every of 1 and more, found {numbers}"
        for recipe, names in self.fused.items():
            if len(set(names)) < len(names):
                yield f"expected each indicator once in fused.{recipe}, found {' '.join(names):.80}"
        widths = [*self.sigma.values(), *([self.sigma_on(ANY)] if self.smooth != NONE else [])]
        if not all(NARROWEST <= width <= WIDEST for width in widths):
            wanted = f'widths from {NARROWEST:g} to {WIDEST:,.0f} frames, by data set and for "{ANY}" as sigma'
            yield f"expected {wanted} where smooth is not none, found {dict(self.sigma)}"
        shares = [share for of_dataset in self.weights.values() for share in of_dataset.values()]
        if not all(0 <= number <= LARGEST for number in (*shares, *self.factors.values())):
            found = f"{dict(self.weights)} and {dict(self.factors)}"[:80]
            yield f"expected weights and factors from 0 to {LARGEST:,.0f}, found {found}"

    @property
    def looks_ahead(self) -> bool:
        """Later frames than the scored one play a part."""
        rescaled = {self.each, *self.each_of.values(), self.total} & PER_VIDEO.keys()
        return bool(rescaled) or self.smooth not in ("none", "causal") or not POLICIES[self.policy].causal

    @property
    def asked_measure(self) -> str | None:
        """How errors of whole frames are measured; None for the network's own measure."""
        return None if self.measure == OWN else self.measure

    def raw(self) -> Protocol:
        """The same frames, neither rescaled nor smoothed."""
        own = replace(self, plain_errors=False, probabilities=False, factors={}, each="calibrated", each_of={})
        return replace(own, total=NONE, smooth="none")

    def frame_of(self, index: int) -> int:
        """The frame of a video whose score is the one of that index among those that count."""
        return self.dropped_first + index * self.every

    def sigma_on(self, dataset: str) -> float:
        """Width of the smoothing on a data set, frames."""
        return self.sigma.get(dataset, self.sigma.get(ANY, 0.0))

    def weights_on(self, dataset: str) -> Mapping[str, float]:
        """Indicator -> weight on a data set; empty where none are known."""
        return self.weights.get(dataset, self.weights.get(ANY, {}))


STRICT = ("calibrated",)
"""Rescaling by training scores that is left out of an indicator alone, whose order it cannot change."""


def apply(
    protocol: Protocol,
    indicators: Mapping[str, ByVideo],
    labels: ByVideo,
    dataset: str = ANY,
    calibration: Known | None = None,
    weights: Mapping[str, float] | None = None,
    by_video: Mapping[str, Known] | None = None,
    breaks: Mapping[str, Sequence[int] | npt.NDArray[np.int64]] = MappingProxyType({}),
) -> tuple[Floats, dict[str, Array]]:
    """Scores and labels under a protocol, video -> (kept,), of one indicator or of several that are added up.

    Frames are dropped first; each indicator is rescaled; they are added up; the sum is rescaled, then smoothed; frames
    that labels leave out go last. A video with no frame that counts is left out. Raises PagenError: what `matched`
    refuses, no frame that counts, or no calibration where several are rescaled by one.

    Args:
        indicators: name -> video -> (L,) raw, of every frame, under the protocol's window policy.
        labels: video -> (L,), 1 = abnormal, 255 = left out.
        dataset: its name, for what a protocol does otherwise on some.
        calibration: indicator -> summary of its scores on training clips; an indicator alone that has none, as trivial
            baselines have not, is not rescaled by it.
        weights: in place of the published ones.
        by_video: video -> calibration in place of that one, where videos are calibrated apart. That moves them against
            each other, so that an indicator alone is rescaled, too.
        breaks: video -> the frames before which its clock breaks; nothing is smoothed over these.
    """
    alone = len(indicators) == 1
    parts: dict[str, Floats] = {}
    for name, scores in indicators.items():
        counted = {video: kept(protocol, values) for video, values in matched(scores, labels).items()}
        known = {video: (by_video[video] if by_video else calibration or {}).get(name, {}) for video in counted}
        rescaled = partial(_rescaled, protocol, name, alone=alone, apart=bool(by_video))
        parts[name] = {video: rescaled(values, known[video]) for video, values in counted.items() if len(values)}
    shares = weights or {name: protocol.weights_on(dataset).get(name, 1.0) for name in parts}
    total = next(iter(parts.values())) if alone else fused(parts, shares)
    smooth, sigma = SMOOTHING[protocol.smooth], protocol.sigma_on(dataset)
    places = {video: _places(protocol, breaks.get(video, ()), len(labels[video])) for video in total}
    whole = {video: UNTRAINED[protocol.total](values) for video, values in total.items()}
    sides = {video: np.split(whole[video], places[video]) for video in total}
    final = {video: np.concatenate([smooth(side, sigma) for side in each]) for video, each in sides.items()}
    marks = {video: kept(protocol, labels[video]) for video in total}
    final, marks = without_left_out(final, marks), without_left_out(marks, marks)
    if not final:
        raise PagenError(f"expected frames that count under protocol {protocol.name}, found none; drop fewer")
    return final, marks


def counted_frames(protocol: Protocol, labels: ByVideo) -> dict[str, npt.NDArray[np.int64]]:
    """The numbers (kept,) of the frames whose scores and labels `apply` gives, for labels video -> (L,)."""
    marks = {video: kept(protocol, values) for video, values in labels.items()}
    numbers = {video: kept(protocol, np.arange(len(values))) for video, values in labels.items()}
    return without_left_out(numbers, marks)


def kept(protocol: Protocol, values: Array) -> Array:
    """Those of the values (T,) of a video's frames that count under a protocol."""
    return values[protocol.dropped_first : max(len(values) - protocol.dropped_last, 0) : protocol.every]


def _places(protocol: Protocol, breaks: Sequence[int] | npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Where those of a video's frames that count are parted by its breaks."""
    return np.searchsorted(kept(protocol, np.arange(count)), breaks)


def _rescaled(
    protocol: Protocol, name: str, scores: Array, known: Mapping[str, float], alone: bool, apart: bool
) -> npt.NDArray[np.float64]:
    """One indicator of one video, by what is `known` of its training scores, be it of its scene's `apart`."""
    rescaling, unit = protocol.each_of.get(name, protocol.each), indicator_named(name).unit
    raw = np.asarray(scores, np.float64)
    values = _as_measured(protocol, name, unit, raw)
    if rescaling not in TRAINED:
        return UNTRAINED[rescaling](values)
    if alone and ((rescaling in STRICT and not apart) or not known):
        return values
    if values is not raw:
        raise PagenError(
            f"expected one of {' '.join(UNTRAINED)} for {name} in protocol {protocol.name}, whose plain_errors, "
            f"probabilities or factors training scores do not have, found {rescaling}; mend it"
        )
    if unit != "density":  # a frame is its own one object
        known = {**{OBJECT + figure: value for figure, value in known.items()}, **known}
    return TRAINED[rescaling](values, known)


def _as_measured(protocol: Protocol, name: str, unit: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """An indicator in the unit that the protocol adds up in; the values themselves where that is their own."""
    if protocol.plain_errors and unit == "dB":
        values = plain_error(values)
    if protocol.probabilities and unit == "logit":
        values = probability(values)
    return values * protocol.factors[name] if name in protocol.factors else values
