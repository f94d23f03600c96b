"""What every kind of features is: a function from a clip to vectors, each of which belongs to a frame.

A frame may have one vector (an encoder's, an autoencoder's code), many (one an object, one a location), or none (a
frame without objects).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.footage.locate import locate
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
    """

    vectors: Vectors
    frames: npt.NDArray[np.int64]
    boxes: Vectors | None = None


def one_a_frame(vectors: Vectors) -> FrameVectors:
    """Vectors (T, D) of frames 0 to T - 1."""
    return FrameVectors(vectors, np.arange(len(vectors)))


class FeatureSource(Protocol):
    """A kind of features of prepared clips; picklable, and the same bytes in every process."""

    @property
    def prepared(self) -> Prepared:
        """The clips."""

    def config(self) -> Mapping[str, Any]:
        """All that the bytes depend on, as plain data; `of` is the kind's name, `features` is D."""

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of what else they depend on, beside the clips: weights, files, flow."""

    @property
    def context(self) -> int:
        """How many frames, the newest last, a frame's vectors are made of."""

    def __call__(self, clip: str) -> FrameVectors:
        """The vectors of a clip."""

    def newest(self, frames: Frames) -> FrameVectors:
        """The vectors of the newest of the last frames (K, H, W, C) of a stream, K up to `context`, at the clips' size.

        All belong to frame 0. Close to what `__call__` gives, which may batch otherwise.
        """


@dataclass(frozen=True)
class Stream:
    """What stands where a source has its prepared clips.

    Attributes:
        size: (H, W) that frames are to be brought to before `FeatureSource.newest` sees them.
        colour: in three channels.
    """

    size: Size
    colour: bool


class Feed(Protocol):
    """Where frames come from: a data set or a camera.

    Attributes:
        live: frames come one by one, and there are no clips.
    """

    live: ClassVar[bool]

    @property
    def compute(self) -> Compute:
        """Where networks run (`device`, resolved), and over what flow is spread (`workers`)."""

    def clips(self, size: Size | None, colour: bool) -> Any:
        """Prepared clips at that size (None is the footage's own), or a `Stream` where there are none."""

    def own_size(self) -> Size:
        """(H, W) of the footage as it is."""


@dataclass(frozen=True)
class RecordedFeed:
    """The clips of a data set."""

    dataset: str
    compute: Compute
    live: ClassVar[bool] = False

    def clips(self, size: Size | None, colour: bool) -> Prepared:
        """Prepared where they have not been. Raises PagenError as `prepare`."""
        return prepare(self.dataset, self.compute.root, size, colour, workers=self.compute.workers)

    def own_size(self) -> Size:
        """That of the first clip."""
        height, width = next(locate(self.dataset, self.compute.root).clips[0].frames()).shape[:2]
        return height, width


@dataclass(frozen=True)
class LiveFeed:
    """The frames of a camera, (H, W) of `size`."""

    size: Size
    compute: Compute
    live: ClassVar[bool] = True

    def clips(self, size: Size | None, colour: bool) -> Stream:
        """Frames as they come."""
        return Stream(size or self.size, colour)

    def own_size(self) -> Size:
        """That of its frames."""
        return self.size
