"""What every kind of features is: a function from a clip to vectors, each of which belongs to a frame.

A frame may have one vector (an encoder's), many (one an object, one a location), or none (a frame without objects).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.footage.locate import locate
from pagen.footage.outline import outline
from pagen.footage.prepare import Prepared, Size, prepare

Frames = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FrameVectors:
    """The vectors of a clip.

    Attributes:
        vectors: (N, D) float32.
        frames: (N,) int64, ascending: the frame that each belongs to, from 0.
        boxes: (N, 4) float32, half-open x_min, y_min, x_max, y_max in pixels of the footage's own size, where they
            are of a part of the frame.
        span: how many frames each vector is of, from its own on. Of more than one, vectors are of segments that follow
            each other, and a clip's last one stands for all frames up to its end.
    """

    vectors: Vectors
    frames: npt.NDArray[np.int64]
    boxes: Vectors | None = None
    span: int = 1


def one_a_frame(vectors: Vectors) -> FrameVectors:
    """Vectors (T, D) of frames 0 to T - 1."""
    return FrameVectors(vectors, np.arange(len(vectors)))


class Sourced(Protocol):
    """What is made of clips, frame by frame; picklable, and the same bytes in every process."""

    def config(self) -> Mapping[str, Any]:
        """All that the bytes depend on, as plain data."""

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of what else they depend on, beside the clips: weights, files, flow."""

    @property
    def context(self) -> int:
        """How many frames, the newest last, what belongs to a frame is made of."""


class FeatureSource(Sourced, Protocol):
    """A kind of features of prepared clips.

    Its `config` tells its name as `of`, D as `features`, and, where vectors are of segments, their `span`. An attribute
    `ahead` says how many frames after its own a vector is made of, a clip's first one aside; where it is None, or
    missing, nobody knows.
    """

    @property
    def prepared(self) -> Prepared:
        """The clips."""

    def __call__(self, clip: str) -> FrameVectors:
        """The vectors of a clip."""

    def newest(self, frames: Frames) -> FrameVectors:
        """The vectors of the newest of the last frames (K, H, W, C) of a stream, K up to `context`, at the clips' size.

        All belong to frame 0. Close to what `__call__` gives, which may batch otherwise.
        """


def ahead_of(source: object) -> int | None:
    """How many frames after its own a source, boxes or a scorer look; None where that is not known, or not said."""
    ahead: int | None = getattr(source, "ahead", None)
    return ahead


def farthest(sources: Iterable[object]) -> int | None:
    """How many frames ahead several of them look together; None if that is not known of one."""
    frames = [ahead_of(source) for source in sources]
    return None if None in frames else max((count for count in frames if count is not None), default=0)


@dataclass(frozen=True)
class Wrapped:
    """A source over another one, as which it answers where it does not say otherwise."""

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
        """Frames after its own that a vector is made of; None where the source does not say."""
        return ahead_of(self.source)

    def newest(self, frames: Frames) -> FrameVectors:
        return self.source.newest(frames)


@dataclass(frozen=True)
class Stream:
    """What stands where a source has its prepared clips: the (H, W) and channels that `newest` is to be given."""

    size: Size
    colour: bool


@dataclass(frozen=True)
class Feed:
    """Where frames come from: the clips of a data set, or a camera, whose frames come one by one.

    Attributes:
        compute: where networks run (`device`, resolved), and over what flow is spread (`workers`).
        dataset: the data set; empty of a camera.
        camera: (H, W) of a camera's frames; None of a data set.
    """

    compute: Compute
    dataset: str = ""
    camera: Size | None = None

    @property
    def live(self) -> bool:
        """Whether frames come one by one, and there are no clips."""
        return self.camera is not None

    def clips(self, size: Size | None, colour: bool) -> Any:
        """Clips prepared at that size (None is the footage's own), or a camera's `Stream`. Errors as `prepare`."""
        if self.camera is not None:
            return Stream(size or self.camera, colour)
        where = self.compute
        return prepare(self.dataset, where.root, size, colour, workers=where.workers, partial=where.partial)

    def outline(self) -> Any:
        """Clips of which lengths and labels are known, and no frame; or a camera's `Stream`. Errors as `outline`."""
        if self.camera is not None:
            return Stream(self.camera, colour=False)
        return outline(self.dataset, self.compute.root, self.compute.workers, self.compute.partial)

    def own_size(self) -> Size:
        """(H, W) of the footage as it is, by its first clip."""
        if self.camera is not None:
            return self.camera
        height, width = next(locate(self.dataset, self.compute.root).clips[0].frames()).shape[:2]
        return height, width
