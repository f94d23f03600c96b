"""Vectors of clips with breaks: each stretch is a clip to the source; nothing is made of both sides of a break."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pagen.features.source import FeatureSource, Frames, FrameVectors, ahead_of
from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class Stretched:
    """The vectors of a source, of one stretch of a clip after the other."""

    source: FeatureSource

    @property
    def prepared(self) -> Prepared:
        return self.source.prepared

    def config(self) -> Mapping[str, Any]:
        return self.source.config()

    def inputs(self) -> Mapping[str, str]:
        return self.source.inputs()

    @property
    def context(self) -> int:
        return self.source.context

    @property
    def ahead(self) -> int | None:
        """As the source looks ahead."""
        return ahead_of(self.source)

    def __call__(self, clip: str) -> FrameVectors:
        starts = {name: self.prepared.section(name)[1].start for name in self.prepared.stretches_of(clip)}
        found = {name: self.source(name) for name in starts}
        frames = [each.frames + starts[name] for name, each in found.items()]
        boxes = [each.boxes for each in found.values() if each.boxes is not None]
        vectors = np.concatenate([each.vectors for each in found.values()])
        span = next(iter(found.values())).span
        return FrameVectors(vectors, np.concatenate(frames), np.concatenate(boxes) if boxes else None, span)

    def newest(self, frames: Frames) -> FrameVectors:
        """As the source's: who watches a stream begins anew at a break."""
        return self.source.newest(frames)
