"""Frames and masks brought to a size: frames bilinearly, or by areas where they shrink much; masks by areas."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.arrays import Frames, Masks


def resized_frame(frame: Frames, size: tuple[int, int] | None, colour: bool) -> Frames:
    """A frame (H, W) or (H, W, 3) RGB as it is prepared: (h, w, C), C being 3 or 1; a size of None keeps its own.

    Example:
        >>> resized_frame(np.full((48, 64, 3), 200, np.uint8), (24, 32), colour=False).shape
        (24, 32, 1)
    """
    if frame.ndim == 3 and not colour:
        frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
    elif frame.ndim == 2 and colour:
        frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB), np.uint8)
    if size is not None and frame.shape[:2] != size:
        shrinks = size[0] * 2 < frame.shape[0] or size[1] * 2 < frame.shape[1]
        bring = by_area if shrinks else _bilinear
        frame = np.asarray(bring(frame, size), np.uint8)
    return frame if frame.ndim == 3 else frame[..., None]


def by_area(array: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    """An array (H, W) or (H, W, C) at size (h, w): means of areas where it shrinks, bilinear where it grows.

    OpenCV's own `INTER_AREA` takes no means at all where one of the axes grows, and what is fine there aliases.

    Example:
        >>> stripes = np.tile(np.array([[0], [1]], np.float32), (8, 4))  # a row of 0, a row of 1, and so on
        >>> by_area(stripes, (4, 8)).min(), by_area(stripes, (4, 8)).max()
        (np.float32(0.5), np.float32(0.5))
    """
    smaller = min(size[0], array.shape[0]), min(size[1], array.shape[1])
    shrunk = np.asarray(cv2.resize(array, smaller[::-1], interpolation=cv2.INTER_AREA))
    return shrunk if smaller == size else _bilinear(shrunk, size)


def _bilinear(array: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    return np.asarray(cv2.resize(array, size[::-1], interpolation=cv2.INTER_LINEAR))


def resized_mask(mask: Masks, size: tuple[int, int]) -> Masks:
    """A mask (H, W) at size (h, w): True where at least half of a pixel was; a small object never vanishes.

    Example:
        >>> mask = np.zeros((40, 40), np.bool_)
        >>> mask[20, 20] = True  # far less than half of a pixel, and yet kept
        >>> int(resized_mask(mask, (4, 4)).sum())
        1
    """
    if mask.shape == size:
        return mask
    resized = _covered(mask, size) >= 0.5
    count, objects = cv2.connectedComponents(mask.astype(np.uint8))
    for number in range(1, count):
        share = _covered(objects == number, size)
        resized |= share >= min(0.5, float(share.max()))
    return resized


def _covered(mask: Masks, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """The share of each pixel's area that is masked."""
    # one axis after the other: where one grows, OpenCV takes no areas along the other either
    wide = cv2.resize(mask.astype(np.float32), (size[1], mask.shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(wide, size[::-1], interpolation=cv2.INTER_AREA), np.float32)
