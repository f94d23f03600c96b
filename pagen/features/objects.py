"""What all features of objects have in common: boxes, and a vector for every box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pagen.features.boxes import BoxArray, BoxFinder
from pagen.features.source import Frames, FrameVectors, Vectors, ahead_of
from pagen.footage.prepare import Prepared

Placed = tuple[Frames, BoxArray]
"""The frames (T, H, W, C) up to one, and the boxes (n, 4) of that one."""


@dataclass(frozen=True)
class ObjectSource(ABC):
    """A source whose vectors are of objects, in boxes of clips at the footage's own size; a subclass has a `config`."""

    prepared: Prepared
    boxes: BoxFinder

    def inputs(self) -> Mapping[str, str]:
        return self.boxes.inputs()

    @property
    def context(self) -> int:
        return self.boxes.context

    @property
    def ahead(self) -> int | None:
        """As far as its boxes, which may not say."""
        return ahead_of(self.boxes)

    def __call__(self, clip: str) -> FrameVectors:
        located, frames = self.boxes(self.prepared, clip), self.prepared.frames(clip)
        placed = ((frames[: frame + 1], boxes) for frame, boxes in located.by_frame())
        return FrameVectors(self.vectors_of(placed), *located)

    def newest(self, frames: Frames) -> FrameVectors:
        """A vector for every box of the newest frame. Raises PagenError: boxes of a file."""
        boxes = self.boxes.newest(frames[-self.boxes.context :])
        vectors = self.vectors_of([(frames, boxes)] if len(boxes) else [])
        return FrameVectors(vectors, np.zeros(len(boxes), np.int64), boxes)

    @abstractmethod
    def vectors_of(self, placed: Iterable[Placed]) -> Vectors:
        """The vectors (N, D) of all the boxes, in their order."""
