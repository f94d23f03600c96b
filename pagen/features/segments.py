"""Vectors of segments: the means of a source's vectors over so many frames that do not overlap, as GCL cuts videos.

What a clip has left of less than a segment has no vector of its own: its frames go with the last segment. A clip that
is shorter than a segment is one. A camera knows no segments: its newest frame gets the mean over the last so many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from pagen.errors import PagenError
from pagen.features.source import Frames, FrameVectors, Vectors, Wrapped, one_a_frame


@dataclass(frozen=True)
class Segmented(Wrapped):
    """The means over segments of `segment` frames of a source that has one vector a frame."""

    segment: int

    def config(self) -> Mapping[str, Any]:
        return {**super().config(), "span": self.segment}

    @property
    def context(self) -> int:
        return super().context + self.segment - 1

    def __call__(self, clip: str) -> FrameVectors:
        of_clip = self.source(clip)
        if of_clip.boxes is not None or not np.array_equal(of_clip.frames, np.arange(len(of_clip.vectors))):
            kind, count = self.config()["of"], len(of_clip.vectors)
            raise PagenError(
                f"clip {clip}: expected one vector a frame of {kind} to average over segments, found {count} of parts "
                "of frames; extract or train with --segment 1"
            )
        vectors = means(of_clip.vectors, self.segment)
        return FrameVectors(vectors, np.arange(len(vectors)) * self.segment, span=self.segment)

    def newest(self, frames: Frames) -> FrameVectors:
        """The mean over the last `segment` frames, or over those there are: nothing looks ahead."""
        ends = range(max(len(frames) - self.segment, 0) + 1, len(frames) + 1)
        held = [self.source.newest(frames[max(end - self.source.context, 0) : end]).vectors for end in ends]
        return one_a_frame(np.concatenate(held).mean(axis=0, keepdims=True))


def means(vectors: Vectors, segment: int) -> Vectors:
    """Of vectors (T, D) the means (max(T // segment, 1), D) over segments that follow each other from the first on.

    Example:
        >>> means(np.array([[0.0], [2.0], [4.0], [6.0], [99.0]], np.float32), segment=2).tolist()
        [[1.0], [5.0]]
    """
    whole = len(vectors) // segment
    if not whole:
        return cast(Vectors, vectors.mean(axis=0, keepdims=True))
    return cast(Vectors, vectors[: whole * segment].reshape(whole, segment, -1).mean(axis=1))
