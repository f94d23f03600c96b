"""Vectors of clips with breaks: each stretch is a clip to the source; nothing is made of both sides of a break."""

from __future__ import annotations

import numpy as np

from pagen.features.source import FrameVectors, Wrapped


class Stretched(Wrapped):
    """The vectors of a source, of one stretch of a clip after the other."""

    def __call__(self, clip: str) -> FrameVectors:
        starts = {name: self.prepared.section(name)[1].start for name in self.prepared.stretches_of(clip)}
        found = {name: self.source(name) for name in starts}
        frames = [each.frames + starts[name] for name, each in found.items()]
        boxes = [each.boxes for each in found.values() if each.boxes is not None]
        vectors = np.concatenate([each.vectors for each in found.values()])
        span = next(iter(found.values())).span
        return FrameVectors(vectors, np.concatenate(frames), np.concatenate(boxes) if boxes else None, span)
