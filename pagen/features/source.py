"""What every kind of features is: a function from a clip to vectors, each of which belongs to a frame.

A frame may have one vector (an encoder's, an autoencoder's code), many (one an object, one a location), or none (a
frame without objects).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pagen.footage.prepare import Prepared, Size


@dataclass(frozen=True, eq=False)
class Found:
    """The vectors of a clip.

    Attributes:
        vectors: (N, D) float32.
        frames: (N,) int64, ascending: the frame that each belongs to, from 0.
        boxes: (N, 4) float32, half-open x_min, y_min, x_max, y_max in pixels of the footage's own size, where they
            are of a part of the frame.
    """

    vectors: npt.NDArray[np.float32]
    frames: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32] | None = None


class Source(Protocol):
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

    def __call__(self, clip: str) -> Found:
        """The vectors of a clip."""

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """The vectors of the newest of the last frames (K, H, W, C) of a stream, K up to `context`, at the clips' size.

        All belong to frame 0. Close to what `__call__` gives, which may batch otherwise.
        """


@dataclass(frozen=True)
class Stream:
    """What stands where a source has its prepared clips.

    Attributes:
        size: (H, W) that frames are to be brought to before `Source.newest` sees them.
        colour: in three channels.
    """

    size: Size
    colour: bool
