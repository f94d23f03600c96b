"""Frame scores and maps out of the scores of vectors: the most abnormal of a frame's objects or places counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.features.spec import is_of_objects

Scores = npt.NDArray[np.float64]


def indicator_of(features: str) -> str:
    """What the score of features is called: their kind where they are of objects, else `density`.

    Example:
        >>> indicator_of("velocity"), indicator_of("lite0:imagenet")
        ('velocity', 'density')
    """
    return features.partition(":")[0] if is_of_objects(features) else "density"


def highest(scores: Scores, frames: npt.NDArray[np.int64], count: int, without: float, span: int = 1) -> Scores:
    """The highest score of each frame, (count,), of scores (N,) and the frames (N,) that they belong to.

    A frame without any gets `without`: the lowest known of normal frames, for nothing is not abnormal. Scores of
    segments, of a `span` above 1, hold until the next segment begins, or the clip ends.

    Example:
        >>> highest(np.array([1.0, 3.0, 2.0]), np.array([0, 0, 2]), 3, without=-1.0)
        array([ 3., -1.,  2.])
        >>> highest(np.array([1.0, 3.0]), np.array([0, 2]), 5, without=-1.0, span=2)
        array([1., 1., 3., 3., 3.])
    """
    if span > 1:
        return np.repeat(scores, np.diff(frames, append=count))
    scores_of_frames = np.full(count, -np.inf)
    np.maximum.at(scores_of_frames, frames, scores)
    return np.where(np.isneginf(scores_of_frames), without, scores_of_frames)


def painted(size: tuple[int, int], boxes: npt.NDArray[Any], heights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A map (H, W) of boxes (n, 4), half-open, each as high as its height (n,); the highest counts, 0 beside them.

    Example:
        >>> painted((2, 4), np.array([[0, 0, 2, 2], [1, 0, 3, 1]]), np.array([1.0, 2.0]))
        array([[1., 2., 2., 0.],
               [1., 1., 0., 0.]], dtype=float32)
    """
    canvas = np.zeros(size, np.float32)
    order = np.argsort(heights, kind="stable")
    edges = np.rint(np.clip(boxes[order], 0, [size[1], size[0]] * 2)).astype(int)
    for (left, top, right, bottom), height in zip(edges, heights[order], strict=True):
        canvas[top:bottom, left:right] = height
    return canvas
