"""What an evaluation is measured with; no array is needed to say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pagen.errors import PagenError, require_name
from pagen.eval.results import ChosenOn
from pagen.options import FusionWeights

WEIGHTS: tuple[str, ...] = get_args(FusionWeights)
"""Where the weights of what is fused come from; `published` are the protocol's, and alike where it has none."""
ORACLE = "ORACLE: the weights of what is fused were fitted to the test labels; an upper bound, and no result."
"""What stands beside every figure of `oracle`."""
DRAWS = 1000
"""Draws of whole videos behind every interval."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What tables are measured with; every row draws the same videos.

    Raises PagenError: no such weights, or two sources of them.

    Attributes:
        dataset: name of the data set, for what a protocol does otherwise on some; empty where it is not known.
        fps: frames a second; None where they are not known, and nothing is said of alarms.
        alarms: false alarms an hour that an operating point may have.
        weights: a name of `WEIGHTS`.
        scenes: video -> the scene that it shows, where the data set tells them apart.
        labels: edition of the data set's labels; empty for the first that is there, `all` for each in turn.
        choose_on: data set that weights and smoothing are chosen on; None where they are the protocol's.
        choose_root: where its footage lies; None for where the other footage does.
        chosen_on: what choices have been made on.
        part: how much of the data set there is, as `6 of 21 test clips`; empty where that is all.
        told: which labels were made to fit their clips; empty where all did fit.
    """

    dataset: str = ""
    fps: float | None = None
    seed: int = 0
    alarms: float = 10.0
    weights: str = "published"
    scenes: Mapping[str, str] = field(default_factory=dict)
    labels: str = ""
    choose_on: str | None = None
    choose_root: Path | None = None
    chosen_on: ChosenOn | None = None
    part: str = ""
    told: str = ""

    def __post_init__(self) -> None:
        require_name("kind of weights", self.weights, WEIGHTS)
        if self.choose_root and not self.choose_on:
            wanted = "--choose-on with --choose-root, which says where its footage lies"
            raise PagenError(f"expected {wanted}, found none; name the data set")
        if self.choose_on and self.weights != "published":
            wanted = "--weights published with --choose-on, which chooses weights itself"
            raise PagenError(f"expected {wanted}, found {self.weights}; leave one of them out")
