"""Two trivial baselines that every table begins with: arithmetic on two frames, nothing learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import tee

import numpy as np
import numpy.typing as npt

from pagen.footage.flow import dis

Values = npt.NDArray[np.float64]
Map = npt.NDArray[np.floating]
Grey = npt.NDArray[np.uint8]
PERCENTILE = 99.5


@dataclass(frozen=True)
class Baseline:
    """A score that learns nothing: `score` of all pixels (N,), or some, of one of its `maps`.

    `maps` gives, of T grey frames (H, W) uint8, the T - 1 maps (H, W) of each pair of them.

    Example:
        >>> frames = np.zeros((2, 4, 4), np.uint8)
        >>> frames[1] = 51
        >>> BASELINES["frame_difference"](iter(frames)).round(3)
        array([0.04, 0.04])
    """

    maps: Callable[[Iterator[Grey]], Iterator[Map]]
    score: Callable[[Map], float]

    def __call__(self, frames: Iterator[Grey]) -> Values:
        """Scores (T,) of the frames, the first two alike; a single frame, of which nothing is known, gets 0."""
        values = [self.score(errors.ravel()) for errors in self.maps(frames)]
        return np.array([*(values[:1] or [0.0]), *values])


def squared_differences(frames: Iterator[Grey]) -> Iterator[Values]:
    """Squared differences (H, W) to the frame before, in [0, 1].

    Example:
        >>> [float(each[0, 0]) for each in squared_differences(iter(np.uint8([[[0]], [[255]]])))]
        [1.0]
    """
    before, after = tee(frame.astype(np.float64) / 255 for frame in frames)
    next(after)
    return (np.square(new - old) for old, new in zip(before, after, strict=False))


def speeds(frames: Iterator[Grey]) -> Iterator[Map]:
    """Speeds (H, W) of DIS flow from the frame before, in pixels per frame.

    Example:
        >>> float(next(speeds(iter(np.zeros((2, 32, 32), np.uint8)))).max())
        0.0
    """
    return (np.hypot(flow[0], flow[1]) for flow in dis(frames))


frame_difference = Baseline(squared_differences, lambda pixels: float(pixels.mean()))
"""Mean squared difference to the previous frame, in [0, 1]."""
flow_speed = Baseline(speeds, lambda pixels: float(np.percentile(pixels, PERCENTILE)))
"""The 99.5th percentile over the pixels of the speed of DIS flow from the previous frame, in pixels per frame."""

BASELINES: dict[str, Baseline] = {"frame_difference": frame_difference, "flow_speed": flow_speed}
