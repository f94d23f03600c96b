"""Where a step looks: crops that follow what moves or was replaced, since most of a frame never changes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.int64]
_PER_FRAME, _GREY_LEVELS = 48, 12


def moving_points(frames: npt.NDArray[np.uint8], rng: np.random.Generator) -> Points:
    """Pixels that change by more than 12 grey levels from one frame to the next, after a 3x3 blur.

    Args:
        frames: (T, H, W, C).

    Returns:
        (N, 3) of t, y, x, ordered by t; at most 48 drawn at random for each frame.
    """
    points = [np.empty((0, 3), np.int64)]
    before = cv2.blur(np.ascontiguousarray(frames[0]), (3, 3))
    for t in range(1, len(frames)):
        now = cv2.blur(np.ascontiguousarray(frames[t]), (3, 3))
        change = cv2.absdiff(now, before).reshape(*now.shape[:2], -1).max(axis=-1)
        pixels = np.flatnonzero(change > _GREY_LEVELS)
        if len(pixels) > _PER_FRAME:
            pixels = np.sort(rng.choice(pixels, _PER_FRAME, replace=False))
        points.append(np.column_stack([np.full(len(pixels), t), *np.divmod(pixels, now.shape[1])]))
        before = now
    return np.concatenate(points)


def masked_points(masks: npt.NDArray[np.bool_], rng: np.random.Generator) -> Points:
    """At most 48 masked pixels of masks (T, H, W), as (N, 3) of t, y, x."""
    pixels = np.flatnonzero(masks)
    pixels = pixels if len(pixels) <= _PER_FRAME else rng.choice(pixels, _PER_FRAME, replace=False)
    return np.column_stack(np.unravel_index(pixels, masks.shape))


@dataclass(frozen=True)
class Box:
    """A square of the frame, or the whole of it."""

    top: int
    left: int
    height: int
    width: int

    def of(self, clip: npt.NDArray[np.generic], space: int = 1) -> npt.NDArray[np.generic]:
        """Cut the box out of an array whose axes `space` and `space + 1` are rows and columns."""
        rows, columns = slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)
        return clip[(slice(None),) * space + (rows, columns)]


def draw_box(size: tuple[int, int], crop: int, points: Points, moving: float, rng: np.random.Generator) -> Box:
    """A crop: with probability `moving` about one of the points, up to a quarter of its side away, else anywhere.

    Args:
        size: (H, W) of the frame.
        crop: side in pixels; 0 takes the whole frame.
        points: (N, 3) of t, y, x; without any, the crop lies anywhere.
    """
    if crop == 0:
        return Box(0, 0, *size)
    room = np.array(size) - crop
    corner = rng.integers(0, room + 1)
    if len(points) and rng.random() < moving:
        centre = points[rng.integers(len(points)), 1:] + rng.integers(-(crop // 4), crop // 4 + 1, 2)
        corner = np.clip(centre - crop // 2, 0, room)
    return Box(int(corner[0]), int(corner[1]), crop, crop)
