"""A protocol: which frames count, under which window policy, rescaled, added up and smoothed how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, require_name
from pagen.eval.fusion import fused
from pagen.eval.metrics.roc import MACRO_RULES, Array, ByVideo
from pagen.papers.all_papers import FUSED
from pagen.scoring.indicator_table import indicator_named
from pagen.scoring.policies import POLICIES
from pagen.scoring.rescale import PER_VIDEO, SMOOTHING, TRAINED, plain_error, probability

Floats = dict[str, npt.NDArray[np.float64]]
ANY = "*"
"""Stands for every data set that has no entry of its own."""
CHOICES: dict[str, Mapping[str, Any]] = {
    "policy": POLICIES,
    "each": {**PER_VIDEO, **TRAINED},
    "smooth": SMOOTHING,
    "macro": MACRO_RULES,
}
"""Field of a protocol -> the names that it may be."""


@dataclass(frozen=True)
class Protocol:
    """A way of evaluating; plain data, so that a JSON file can hold one's own (`read_protocol`)."""

    name: str
    why: str
    """Whose way it is, and what was read where the source is silent."""
    policy: str = "last"
    """Which windows say what of a frame: see `pagen.scoring.policies`."""
    dropped_first: int = 0
    dropped_last: int = 0
    """Frames at the start, and at the end, of each video that do not count."""
    every: int = 1
    """Of the frames that are left, every so many-th counts."""
    plain_errors: bool = False
    """Errors of pixels as such, not in dB."""
    probabilities: bool = False
    """Probabilities as such, not as log-odds."""
    each: str = "calibrated"
    """How each indicator is rescaled: a name of `rescale.PER_VIDEO`, or, where several are added up, of `TRAINED`."""
    each_of: Mapping[str, str] = field(default_factory=dict)
    """Indicators that are rescaled otherwise."""
    fused: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FUSED)
    """Recipe -> indicators that are added up."""
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Data set (or *) -> indicator -> weight, as published; 1 where nothing is said."""
    smooth: str = "none"
    """A name of `rescale.SMOOTHING`."""
    sigma: Mapping[str, float] = field(default_factory=dict)
    """Data set (or *) -> width of the smoothing in frames."""
    macro: str = "skip"
    """Rule for videos of one class in the macro AUROC: see `metrics.macro_auroc`."""

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            for value in (getattr(self, name), *(self.each_of.values() if name == "each" else ())):
                require_name(f"{name} of protocol {self.name}", value, choices)
        if self.smooth != "none" and not all(self.sigma_on(name) > 0 for name in (ANY, *self.sigma)):
            raise PagenError(
                f'expected widths above 0 frames, by data set and for "{ANY}", as sigma of protocol {self.name}, '
                f"found {dict(self.sigma)}; smooth none leaves smoothing out"
            )
        if min(self.dropped_first, self.dropped_last, self.every - 1) < 0:
            raise PagenError(f"expected protocol {self.name} to drop 0 frames and more, and every of 1 and more")

    @property
    def looks_ahead(self) -> bool:
        """Later frames than the scored one play a part."""
        rescaled = {self.each, *self.each_of.values()} & PER_VIDEO.keys()
        return bool(rescaled) or self.smooth not in ("none", "causal") or not POLICIES[self.policy].causal

    def raw(self) -> Protocol:
        """The same frames, neither rescaled nor smoothed."""
        return replace(self, each="calibrated", each_of={}, smooth="none", plain_errors=False, probabilities=False)

    def title(self, dataset: str = ANY, windows: bool = True) -> str:
        """Which frames are scored, how, and why: the lines above a table.

        The window policy plays a part where `windows` were scored, and not where scores were read from files.
        """
        exceptions = "".join(f", {name} by {rescaling}" for name, rescaling in self.each_of.items())
        smooth = f"{self.smooth}, sigma {self.sigma_on(dataset):g} frames" if self.smooth != "none" else "none"
        alone, _, fused = RESCALING[self.each].partition("; ")
        rescaling = f"{alone}; {fused}" if fused and self.fused else alone
        policy = f", {POLICIES[self.policy].title}" if windows else ""
        ahead = "; it looks ahead" if self.looks_ahead else "; nothing looks ahead"
        return (
            f"{self.why}. Scored: {self._frames()}{policy}. Rescaling: {rescaling}{exceptions}. Smoothing: {smooth}"
            f"{ahead if windows else ''}."
        )

    def _frames(self) -> str:
        start, end = self.dropped_first, f"L-{self.dropped_last}" if self.dropped_last else "L"
        if self.every > 1:
            return f"every {self.every}th frame of [{start} : {end}]"
        return "all frames" if (start, end) == (0, "L") else f"frames [{start} : {end}] of L"

    def sigma_on(self, dataset: str) -> float:
        """Width of the smoothing on a data set, frames."""
        return self.sigma.get(dataset, self.sigma.get(ANY, 0.0))


RESCALING = {
    "calibrated": "none; fused: less the training median, over the training range (P1 to P99)",
    "z_positive": "none; fused: less the training mean, over the training deviation, not below 0",
    "trained_min_max": "none; fused: less the training minimum, over the training range",
    "quantile": "none; fused: share of the training scores below",
    "min_max": "min-max of each video",
    "robust": "less the median of each video, over its range from P1 to P99",
}
"""What each kind of rescaling does, in a line."""


def apply(
    protocol: Protocol,
    indicators: Mapping[str, ByVideo],
    labels: ByVideo,
    dataset: str = ANY,
    calibration: Mapping[str, Mapping[str, float]] | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[Floats, dict[str, Array]]:
    """Scores and labels under a protocol, video -> (kept,), of one indicator or of several that are added up.

    Frames are dropped first, then each indicator is rescaled, then they are added up and smoothed. A video with no
    frame that counts is left out. Raises PagenError: what `matched` refuses, or no calibration where it takes one.

    Args:
        indicators: name -> video -> (L,) raw, of every frame, under the protocol's window policy.
        labels: video -> (L,).
        dataset: its name, for what a protocol does otherwise on some.
        calibration: indicator -> summary of its scores on training clips; needed where several are added up.
        weights: in place of the published ones.
    """
    alone = len(indicators) == 1
    parts: dict[str, Floats] = {}
    for name, scores in indicators.items():
        counted = {video: kept(protocol, values) for video, values in matched(scores, labels).items()}
        trained = None if alone else (calibration or {}).get(name, {})
        rescaled = partial(_rescaled, protocol, name, trained=trained)
        parts[name] = {video: rescaled(values) for video, values in counted.items() if len(values)}
    published = protocol.weights.get(dataset, protocol.weights.get(ANY, {}))
    shares = weights or {name: published.get(name, 1.0) for name in parts}
    total = next(iter(parts.values())) if alone else fused(parts, shares)
    smooth, sigma = SMOOTHING[protocol.smooth], protocol.sigma_on(dataset)
    final = {video: smooth(values, sigma) for video, values in total.items()}
    return final, {video: kept(protocol, labels[video]) for video in total}


def matched(scores: ByVideo, labels: ByVideo) -> ByVideo:
    """The scores, video -> (T,), each known to be finite and to have a label.

    Raises PagenError: a video without labels, a number of labels that differs, or a score that is not finite.
    """
    for name, values in scores.items():
        require_name("labelled video", name, labels)
        if len(values) != len(labels[name]):
            lengths = f"{len(values)} scores, found {len(labels[name])}"
            raise PagenError(f"video {name}: expected a label for each of {lengths}")
        odd = np.flatnonzero(~np.isfinite(values))
        if len(odd):
            shown = "NaN" if np.isnan(values[odd[0]]) else values[odd[0]]
            raise PagenError(
                f"video {name}: expected finite scores, one for each of {len(values)} frames, found {shown} at frame "
                f"{odd[0]}; mend it, or leave the video out"
            )
    return scores


def kept(protocol: Protocol, values: Array) -> Array:
    """Those of the values (T,) of a video's frames that count under a protocol."""
    return values[protocol.dropped_first : max(len(values) - protocol.dropped_last, 0) : protocol.every]


def _rescaled(protocol: Protocol, name: str, scores: Array, trained: Mapping[str, float] | None) -> Array:
    """One indicator of one video. By training scores only where others are added: alone it changes no order."""
    rescaling, unit = protocol.each_of.get(name, protocol.each), indicator_named(name).unit
    values = np.asarray(scores, np.float64)
    if protocol.plain_errors and unit == "dB":
        values = plain_error(values)
    if protocol.probabilities and unit == "logit":
        values = probability(values)
    if rescaling in PER_VIDEO:
        return PER_VIDEO[rescaling](values)
    return values if trained is None else TRAINED[rescaling](values, trained)


KINDS: dict[type, str] = {str: "a string", bool: "true or false", int: "a whole number", dict: "an object"}
"""Type of a field -> its name in JSON."""


def read_protocol(path: Path) -> Protocol:
    """A protocol out of a file such as `{"policy": "mean", "smooth": "causal", "sigma": {"*": 3}}`.

    What is left out is as in `Protocol`; the name is the file's, unless it says otherwise. Raises PagenError: no such
    file, no JSON object, or a field or value that a protocol does not have.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = f"{error}; see docs/definitions.md"
        raise PagenError(f"expected a protocol as a JSON file at {path}, found {found}") from error
    if not isinstance(given, dict):
        raise PagenError(f"expected a JSON object with the fields of a protocol in {path}, found {given!r:.60}")
    default = asdict(Protocol("", ""))
    for name, value in given.items():
        require_name(f"field of a protocol ({path})", name, default)
        if type(value) is not type(default[name]):
            wanted = f"{KINDS[type(default[name])]} for {name}"
            raise PagenError(f"expected {wanted} in {path}, found {value!r:.60}; mend it")
    return Protocol(**{"name": path.stem, "why": f"as {path.name} says", **given})
