"""What an evaluation is measured with; no array is needed to say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from pagen.errors import require_name
from pagen.options import FusionWeights

WEIGHTS: tuple[str, ...] = get_args(FusionWeights)
"""Where the weights of what is fused come from; `published` are the protocol's, and alike where it has none."""
ORACLE = "ORACLE: the weights of what is fused were fitted to the test labels; an upper bound, and no result."
"""What stands beside every figure of `oracle`."""
DRAWS = 1000
"""Draws of whole videos behind every interval."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What tables are measured with; every row draws the same videos. Raises PagenError: no such weights.

    Attributes:
        dataset: name of the data set, for what a protocol does otherwise on some; empty where it is not known.
        fps: frames a second; None where they are not known, and nothing is said of alarms.
        alarms: false alarms an hour that an operating point may have.
        weights: a name of `WEIGHTS`.
        scenes: video -> the scene that it shows, where the data set tells them apart.
    """

    dataset: str = ""
    fps: float | None = None
    seed: int = 0
    alarms: float = 10.0
    weights: str = "published"
    scenes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_name("kind of weights", self.weights, WEIGHTS)
