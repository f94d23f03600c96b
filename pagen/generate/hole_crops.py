"""Crops round holes, for models that work on crops: their cost follows the size of the hole, not of the frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import Masks
from pagen.generate.temporal import bounding_box

CONTEXT = 1.5
"""A crop is so many times as high and wide as its hole, at least."""


@dataclass(frozen=True)
class HoleCrops:
    """One crop for each frame, all of one size; what reaches over the frame's lower or right edge is mirrored.

    Attributes:
        corners: top and left of each crop, (N, 2) pixels, never negative.
        height, width: of a crop, pixels.

    Example:
        >>> crops = HoleCrops(np.array([[1, 2]]), height=2, width=2)
        >>> frames = np.arange(16).reshape(1, 4, 4)
        >>> crops.cut(frames).tolist()
        [[[6, 7], [10, 11]]]
        >>> bool((crops.paste(frames, crops.cut(frames)) == frames).all())
        True
    """

    corners: npt.NDArray[np.int64]
    height: int
    width: int

    def cut(self, frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Crops (N, height, width, ...) of frames (N, H, W, ...)."""
        below, right = max(0, self.height - frames.shape[1]), max(0, self.width - frames.shape[2])
        edges = ((0, below), (0, right), *((0, 0),) * (frames.ndim - 3))
        return np.stack([np.pad(frame, edges, "reflect")[window] for frame, window in self._windows(frames)])

    def paste(self, frames: npt.NDArray[Any], crops: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A copy of the frames (N, H, W, ...) with the crops in their places."""
        pasted = frames.copy()
        for (frame, window), crop in zip(self._windows(pasted), crops, strict=True):
            part = frame[window]
            part[...] = crop[: part.shape[0], : part.shape[1]]
        return pasted

    def _windows(self, frames: npt.NDArray[Any]) -> Iterator[tuple[npt.NDArray[Any], tuple[slice, slice]]]:
        for frame, (top, left) in zip(frames, self.corners, strict=True):
            yield frame, (slice(top, top + self.height), slice(left, left + self.width))


def hole_crops(masks: Masks, least: int, multiple: int) -> HoleCrops:
    """Crops round what the masks (N, H, W) cover, True in the holes; `least` 0 takes whole frames.

    Their sides are `least` pixels and more, and multiples of `multiple`.

    Example:
        >>> mask = np.zeros((1, 64, 64), np.bool_)
        >>> mask[0, 30:34, 30:34] = True
        >>> crops = hole_crops(mask, least=16, multiple=8)
        >>> crops.corners.tolist(), crops.height, crops.width
        ([[24, 24]], 16, 16)
    """
    size = np.array(masks.shape[1:])
    whole = _rounded(size, multiple)
    if least == 0:
        return HoleCrops(np.zeros((len(masks), 2), np.int64), *whole)
    boxes = np.stack([_box(mask) for mask in masks])
    extent = (boxes[:, 1] - boxes[:, 0]).max(axis=0)
    sides = np.minimum(_rounded(np.maximum(extent * CONTEXT, least), multiple), np.maximum(whole, least))
    corners = np.clip(boxes.sum(axis=1) // 2 - sides // 2, 0, np.maximum(size - sides, 0))
    return HoleCrops(corners, *(int(side) for side in sides))


def _box(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """First and past-the-last row and column of what is True, (2, 2); the middle where nothing is."""
    if not mask.any():
        return np.array([mask.shape, mask.shape]) // 2
    top, left, height, width = bounding_box(mask)
    return np.array([[top, left], [top + height, left + width]])


def _rounded(sides: npt.NDArray[Any], multiple: int) -> npt.NDArray[np.int64]:
    return (-(-sides // multiple) * multiple).astype(np.int64)
