"""Features `velocity`: how the pixels of an object move, a histogram over directions (AccI-VAD, Reiss and Hoshen 2022).

Bin i of B holds the speed |u| + |v| of the pixels of the box that move in directions from 360 i / B to 360 (i + 1) / B
degrees (from x towards y), summed, by the number of all its pixels. AccI-VAD has one bin for Ped2, which is the mean
speed, and eight elsewhere; by option, as for ShanghaiTech, speeds are divided by the height of the box.

Deviations: the flow is DIS or TV-L1 in pixels of the frame, in place of FlowNet2 at a larger size, not rescaled. Boxes
are not resized to 224 x 224: the mean of a resized box is nearly that of the box. The flow t - 1 -> t belongs to frame
t; frame 0 takes the first, 0 -> 1. A frame without a box has no vector, where AccI-VAD takes the whole frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray, Finder, pixels
from pagen.features.source import Found
from pagen.footage.flow import Computed, FlowFolder, flow_folder, grey, open_flow
from pagen.footage.flow_file import Flow
from pagen.footage.prepare import Prepared
from pagen.spread import Workers


@dataclass(frozen=True)
class Velocity:
    """Velocity of the objects of clips.

    Attributes:
        prepared: the clips, at the footage's own size.
        boxes: where the objects are.
        flow: how the flow is made, as `open_flow` takes it.
        maps: where it lies.
        bins: B.
        by_height: divide speeds by the height of the box, in pixels.
    """

    prepared: Prepared
    boxes: Finder
    flow: str
    maps: FlowFolder
    bins: int = 8
    by_height: bool = False

    def config(self) -> Mapping[str, Any]:
        """What the bytes depend on."""
        how = {"flow": self.flow.partition(":")[0], "bins": self.bins, "by_height": self.by_height}
        return {"of": "velocity", "features": self.bins, "boxes": self.boxes.config(), **how}

    def inputs(self) -> Mapping[str, str]:
        """What the flow and the boxes are of."""
        identity = open_flow(self.flow).identity()
        return {**self.boxes.inputs(), **({"flow": identity} if identity else {})}

    @property
    def context(self) -> int:
        """Two frames, or what the boxes need."""
        return max(2, self.boxes.context)

    def __call__(self, clip: str) -> Found:
        """A histogram (B,) for every box of a clip."""
        where, maps = self.boxes(self.prepared, clip), self.maps.flow(clip)
        frames, first = np.unique(where.frames, return_index=True)
        of_frames = np.split(where.boxes, first[1:]) if len(frames) else []
        found = [
            self._histograms(maps[max(frame - 1, 0)], boxes) for frame, boxes in zip(frames, of_frames, strict=True)
        ]
        return Found(np.concatenate([np.empty((0, self.bins), np.float32), *found]), where.frames, where.boxes)

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """The histograms of the newest frame; none where it is the only one.

        Raises:
            PagenError: flow or boxes of a file.
        """
        boxes = self.boxes.newest(frames[-self.boxes.context :])
        if len(frames) < 2:
            boxes = boxes[:0]
        vectors = np.empty((0, self.bins), np.float32)
        if len(boxes):
            vectors = self._histograms(self._flow_between(frames[-2], frames[-1]), boxes)
        return Found(vectors, np.zeros(len(boxes), np.int64), boxes)

    def _flow_between(self, before: npt.NDArray[np.uint8], frame: npt.NDArray[np.uint8]) -> Flow:
        source = open_flow(self.flow)
        if not isinstance(source, Computed):
            raise PagenError(f"expected flow that can be computed in a stream, found {self.flow!r}; use dis or tvl1")
        return next(source.method(iter([grey(before), grey(frame)]))).astype(np.float16)  # as a flow folder keeps it

    def _histograms(self, flow: Flow, boxes: BoxArray) -> npt.NDArray[np.float32]:
        found = histograms(flow, boxes, self.bins)
        return found / (boxes[:, 3:] - boxes[:, 1:2]) if self.by_height else found


def histograms(flow: Flow, boxes: BoxArray, bins: int) -> npt.NDArray[np.float32]:
    """The histograms (n, bins) of boxes (n, 4) over the flow (2, H, W) of their frame, in its unit."""
    u, v = flow.astype(np.float64)
    turn = np.arctan2(v, u) / (2 * np.pi) % 1
    slot = np.minimum((turn * bins).astype(np.int64), bins - 1)  # rounding may make a full turn of nearly one
    speed = np.abs(u) + np.abs(v)
    found = np.empty((len(boxes), bins), np.float32)
    for row, (left, top, right, bottom) in zip(found, pixels(boxes, u.shape), strict=True):
        box = slice(top, bottom), slice(left, right)
        row[:] = np.bincount(slot[box].ravel(), speed[box].ravel(), bins) / speed[box].size
    return found


def open_velocity(
    prepared: Prepared,
    boxes: str = "motion",
    flow: str = "dis",
    bins: int = 8,
    by_height: bool = False,
    workers: Workers = None,
    device: str = "cpu",
) -> Velocity:
    """The features of clips, whose flow is computed where it has not been.

    Args:
        boxes, flow: as `open_boxes` and `open_flow` take them.
        workers: as `spread` takes them, of the flow.
        device: of a detector.

    Raises:
        PagenError: no such boxes or flow, a clip of one frame, or less than one bin.
    """
    if bins < 1:
        raise PagenError(f"expected one bin of directions and more, found {bins}; AccI-VAD has 1 for Ped2 and 8 else")
    finder = open_boxes(boxes, device)
    return Velocity(prepared, finder, flow, flow_folder(prepared, prepared.clips(), flow, workers), bins, by_height)
