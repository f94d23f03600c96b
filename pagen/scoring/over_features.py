"""Scores by networks over an encoder's features of frames, of recorded clips and of frames that come one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.features.extract import FeatureFolder, feature_folder
from pagen.footage.prepare import Prepared
from pagen.footage.resize import resized_frame
from pagen.models.encoders.open import open_encoder
from pagen.models.runs import Run, opened
from pagen.options import POOLED
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.sources import Size, Source, Task
from pagen.scoring.window_scores import log_odds

INDICATOR = "semantic"


@dataclass(frozen=True)
class OverFeatures:
    """A run of a network, which every process opens for itself, over the features of a task's clips.

    Example:
        >>> list(OverFeatures(Path("run"), "a SHA-256", None, None, "cpu").maps("any", (32, 32)))
        []
    """

    path: Path
    weights: str
    prepared: Prepared
    features: FeatureFolder
    device: str
    mapped: ClassVar[str | None] = None
    instant: ClassVar[bool] = True
    ahead: ClassVar[int | None] = 0

    def scores(self, clip: str) -> dict[str, npt.NDArray[np.float64]]:
        """Log-odds (T,) of having been painted."""
        network, vectors = opened(self.path, self.weights, self.device), self.features.features(clip)
        sections = (self.prepared.section(stretch)[1] for stretch in self.prepared.stretches_of(clip))
        return {INDICATOR: np.concatenate([log_odds(network, vectors[section]) for section in sections])}

    def maps(self, clip: str, size: Size) -> Iterator[npt.NDArray[Any]]:
        """None: features of whole frames have no place."""
        return iter(())


def _open(run: Run, task: Task) -> OverFeatures:
    """A run over the features of a task's clips, computed where they have not been. Errors as `feature_folder`."""
    prepared, compute = task.prepared(run.recipe), task.compute
    names = prepared.clips(task.split)
    features = feature_folder(prepared, names, run.recipe["encoder"], compute, _view(run))
    return OverFeatures(run.path, run.weights, prepared, features, compute.place)


class FeatureStream:
    """Scores frames that come one by one, by a discriminator of the last features: frames (T, H, W, C) -> (T, D).

    Example:
        >>> from pagen.models.discriminator import Discriminator
        >>> means = lambda frames: np.full((len(frames), 4), frames.mean(), np.float32)
        >>> stream = FeatureStream(Discriminator(4, 8).eval(), means, {"size": (32, 32), "colour": False})
        >>> list(stream(np.ones((48, 48), np.uint8)))
        ['semantic']
    """

    def __init__(self, network: Any, encoder: Any, recipe: Mapping[str, Any]) -> None:
        self._network, self._encoder, self._colour = network, encoder, recipe["colour"]
        self._size = (int(recipe["size"][0]), int(recipe["size"][1]))
        pools = network.config["pool"] == "mean"
        self._held: deque[npt.NDArray[np.float32]] = deque(maxlen=POOLED if pools else 1)

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """Log-odds of the newest frame."""
        self._held.append(self._encoder(resized_frame(frame, self._size, self._colour)[None]))
        return {INDICATOR: FrameScore(float(log_odds(self._network, np.concatenate(self._held))[-1]))}


def _stream(run: Run, compute: Compute) -> Callable[[], FeatureStream]:
    encoder = open_encoder(run.recipe["encoder"], compute.place, _view(run))
    return partial(FeatureStream, run.on(compute.place), encoder, run.recipe)


def _view(run: Run) -> str:
    """What its encoder sees of a frame: the whole, where a run does not say."""
    return str(run.recipe.get("view", "whole"))


SOURCE = Source(_open, _stream)
