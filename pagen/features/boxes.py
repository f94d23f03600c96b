"""Where objects are: boxes of every frame, of kinds that `box_kinds` names.

A clip's boxes are cheap enough to be found again by every kind of features, and are always the same.
Boxes are half-open x_min, y_min, x_max, y_max in pixels of the prepared clips, which have the footage's own size here.
The rules are AccI-VAD's (Reiss and Hoshen 2022), with areas of half-open boxes where theirs count both ends. Its
motion boxes only fill up what a detector leaves; ours have to do alone, so that their constants are our own, picked on
training clips of Ped2, where people stand about 15 x 30 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.features.source import Frames, Sourced
from pagen.footage.prepare import Prepared

OUTSIDE = 2.0
"""Pixels by which a box of a file may leave the frame: rounding, and growth."""
BoxArray = npt.NDArray[np.float32]


class Located(NamedTuple):
    """The boxes of a clip: the frame of each (N,) int64, ascending, and the boxes (N, 4) float32."""

    frames: npt.NDArray[np.int64]
    boxes: BoxArray

    def by_frame(self) -> Iterator[tuple[int, BoxArray]]:
        """Every frame that has boxes, and those (n, 4)."""
        for frame in np.unique(self.frames):
            yield int(frame), self.boxes[self.frames == frame]


class BoxFinder(Sourced, Protocol):
    """A way to find boxes."""

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip."""

    def newest(self, frames: Frames) -> BoxArray:
        """The boxes (n, 4) of the newest of the last frames (K, H, W, C) of a stream, K up to `context`."""


def located(boxes: Sequence[BoxArray]) -> Located:
    """The boxes (n, 4) of each frame as those of the clip."""
    frames = np.repeat(np.arange(len(boxes)), [len(of_frame) for of_frame in boxes])
    return Located(frames, np.concatenate([np.empty((0, 4), np.float32), *boxes]))


def clipped(boxes: npt.NDArray[Any], size: tuple[int, int]) -> BoxArray:
    """Boxes (n, 4) cut at the borders of a frame (H, W)."""
    height, width = size
    inside: BoxArray = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
    return inside


def cut(boxes: npt.NDArray[Any], size: tuple[int, int], clip: str, path: Path) -> BoxArray:
    """Boxes (n, 4) of a clip out of a file, cut at the borders of a frame (H, W).

    Raises PagenError: a box without area there, or more than `OUTSIDE` beyond the frame.
    """
    inside = clipped(boxes, size)
    near = np.abs(boxes - inside).max(axis=1, initial=0) <= OUTSIDE  # NaN is not near either
    strange = boxes[~(near & (inside[:, :2] < inside[:, 2:]).all(axis=1))]
    if len(strange):
        shown, (height, width) = ", ".join(f"{value:g}" for value in strange[0]), size
        raise PagenError(
            f"expected boxes x_min, y_min, x_max, y_max inside {width}x{height} pixels (clip {clip}), found "
            f"{shown} in {path}; count pixels of the footage's own size"
        )
    return inside


def pixels(boxes: BoxArray, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Which pixels of a frame (H, W) boxes (n, 4) are: half-open, all four coordinates rounded up as in AccI-VAD.

    A box that lies between two pixels is one of them.
    """
    height, width = size
    low = np.clip(np.ceil(boxes[:, :2]), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(boxes[:, 2:]), low + 1, (width, height))
    return np.concatenate([low, high], axis=1).astype(np.int64)


def uncovered(boxes: BoxArray, share: float = 0.6) -> npt.NDArray[np.bool_]:
    """AccI-VAD's overlap rule: which boxes (n, 4) stay, (n,) bool.

    A box goes where a larger one, be it one that goes itself, covers more than a share of it; of equal ones the last
    counts as the largest.
    """
    order = np.argsort(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
    ranked = boxes[order].astype(np.float64)
    low = np.maximum(ranked[:, None, :2], ranked[None, :, :2])
    high = np.minimum(ranked[:, None, 2:], ranked[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    covered = np.triu(common > share * common.diagonal()[:, None], k=1).any(axis=1)
    stays = np.empty(len(boxes), bool)
    stays[order] = ~covered
    return stays
