"""Features of the cells of a grid, boxes that lie on a grid, and an encoder of frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from pagen.features.boxes import Located
from pagen.features.kinds import FeatureKind
from pagen.features.source import Feed, FrameVectors
from pagen.features.spec import FeatureSpec
from pagen.footage.prepare import Prepared, Size
from pagen.models.encoders.encoder import Encoder

Frames = npt.NDArray[np.uint8]
ROWS, COLUMNS = 3, 4


def grid(size: Size) -> npt.NDArray[np.float32]:
    """The cells (12, 4) of a frame (H, W), row by row."""
    height, width = size
    bottoms, rights = np.linspace(0, height, ROWS + 1), np.linspace(0, width, COLUMNS + 1)
    cells = [(rights[x], bottoms[y], rights[x + 1], bottoms[y + 1]) for y in range(ROWS) for x in range(COLUMNS)]
    return np.array(cells, np.float32)


@dataclass(frozen=True)
class Cells:
    """The mean colour and its deviation of every cell of a frame."""

    prepared: Prepared
    own: Size
    channels: int

    @property
    def context(self) -> int:
        """One frame."""
        return 1

    def config(self) -> Mapping[str, Any]:
        """What the bytes depend on."""
        return {"of": "cells", "features": 2 * self.channels, "grid": [ROWS, COLUMNS], "own": self.own}

    def inputs(self) -> Mapping[str, str]:
        """Nothing beside the clips."""
        return {}

    def __call__(self, clip: str) -> FrameVectors:
        """The cells of a clip."""
        return self._cells(self.prepared.frames(clip))

    def newest(self, frames: Frames) -> FrameVectors:
        """The cells of the newest frame."""
        return self._cells(frames[-1:])

    def _cells(self, frames: Frames) -> FrameVectors:
        places = grid((frames.shape[1], frames.shape[2])).astype(int)
        crops = [[frame[top:bottom, left:right] for left, top, right, bottom in places] for frame in frames]
        vectors = [np.concatenate([crop.mean((0, 1)), crop.std((0, 1))]) for of_frame in crops for crop in of_frame]
        indices = np.repeat(np.arange(len(frames)), len(places))
        return FrameVectors(np.array(vectors, np.float32), indices, np.tile(grid(self.own), (len(frames), 1)))


def open_cells(spec: FeatureSpec, feed: Feed) -> Cells:
    """The features `cells`, of clips and of cameras."""
    return Cells(feed.clips(spec.size, spec.colour), feed.own_size(), 3 if spec.colour else 1)


CELLS = FeatureKind(open_cells, takes=("size", "colour"))


@dataclass(frozen=True)
class Tiles:
    """The same boxes in every frame."""

    @property
    def context(self) -> int:
        """One frame."""
        return 1

    def config(self) -> Mapping[str, Any]:
        """What the boxes depend on."""
        return {"by": "tiles", "grid": [ROWS, COLUMNS]}

    def inputs(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip."""
        length, boxes = prepared.length(clip), grid(prepared.size)
        return Located(np.repeat(np.arange(length), len(boxes)), np.tile(boxes, (length, 1)))

    def newest(self, frames: Frames) -> npt.NDArray[np.float32]:
        """The boxes of the newest frame."""
        return grid((frames.shape[1], frames.shape[2]))


def open_tiles(option: str, device: str) -> Tiles:
    """The boxes `tiles`."""
    return Tiles()


class BlockMeans(nn.Module):
    """Pictures (N, 3, side, side) -> the means (N, 48) of 4 x 4 blocks."""

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        return nn.functional.adaptive_avg_pool2d(pictures, 4).flatten(1)


def open_blocks(option: str) -> Encoder:
    """The encoder `blocks`."""
    return Encoder("blocks", 48, BlockMeans(), 32, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
