"""Two small data sets, and an optical flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.footage.catalogue import DataSet
from pagen.footage.flow import FlowSource, computed
from pagen.footage.street import scene


def scenes(preset: str = "street") -> tuple[Any, ...]:
    """Two training clips and two test clips of 24 frames, one of them quiet."""
    return (*scene.scenes(preset=preset, train=2, test=1, frames=24), scene.Scene(0, preset, "test", 2, 24))


def square_scenes() -> tuple[Any, ...]:
    """The same of another place."""
    return scenes("square")


_FREE = {"fps": 10.0, "licence": "free", "obtain": "made by the package"}
CROSSING = DataSet("crossing", "a street crossing", scenes="pagen_example.footage:scenes", **_FREE)  # type: ignore[arg-type]
CROSSING_SQUARE = DataSet(
    "crossing_square",
    "a crossing of a square",
    scenes="pagen_example.footage:square_scenes",
    **_FREE,  # type: ignore[arg-type]
)


def slope(frames: Iterator[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.float32]]:
    """Normal flow (2, H, W) of consecutive grey frames (H, W): the change in time along the gradient."""
    before = next(frames).astype(np.float32)
    for frame in frames:
        now = frame.astype(np.float32)
        rows, columns = np.gradient(now)
        scale = (before - now) / (rows**2 + columns**2 + 10)
        yield np.stack([columns * scale, rows * scale]).astype(np.float32)
        before = now


def open_slope(option: str) -> FlowSource:
    """The flow `slope`, which takes no option."""
    return computed("slope", slope, "1")(option)
