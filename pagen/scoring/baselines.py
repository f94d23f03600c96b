"""Two trivial baselines that every table begins with: arithmetic on two frames, nothing learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import tee

import numpy as np
import numpy.typing as npt

from pagen.footage.flow import dis

Values = npt.NDArray[np.float64]

Grey = npt.NDArray[np.uint8]

PERCENTILE = 99.5


def frame_difference(frames: Iterator[Grey]) -> Values:
    """Mean squared difference to the previous frame, in [0, 1].

    Args:
        frames: grey (H, W) uint8, T of them.

    Returns:
        (T,), the first two alike.
    """
    before, after = tee(_unit(frame) for frame in frames)
    next(after)
    differences = [float(np.square(new - old).mean()) for old, new in zip(before, after, strict=False)]
    return _of_frames(differences)


def flow_speed(frames: Iterator[Grey]) -> Values:
    """The 99.5th percentile over the pixels of the speed of DIS flow from the previous frame.

    Args:
        frames: grey (H, W) uint8, T of them.

    Returns:
        (T,) in pixels per frame, the first two alike.
    """
    speeds = [float(np.percentile(np.hypot(flow[0], flow[1]), PERCENTILE)) for flow in dis(frames)]
    return _of_frames(speeds)


BASELINES: dict[str, Callable[[Iterator[Grey]], Values]] = {
    "frame_difference": frame_difference,
    "flow_speed": flow_speed,
}


def _of_frames(pairs: list[float]) -> Values:
    """Values of T - 1 pairs of frames as values of T frames; a single frame, which nothing is known of, gets 0."""
    return np.array([*(pairs[:1] or [0.0]), *pairs])


def _unit(frame: Grey) -> Values:
    return frame.astype(np.float64) / 255
