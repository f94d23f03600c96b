"""Features `velocity`: how the pixels of an object move, a histogram over directions (AccI-VAD, Reiss and Hoshen 2022).

Bin i of B holds the speed |u| + |v| of the pixels of the box that move in directions from 360 i / B to 360 (i + 1) / B
degrees (from x towards y), summed, by the number of all its pixels. AccI-VAD has one bin for Ped2, which is the mean
speed, and eight elsewhere; by option, as for ShanghaiTech, speeds are divided by the height of the box.

Deviations: the flow is DIS or TV-L1 in pixels of the frame, in place of FlowNet2 at a larger size, not rescaled. Boxes
are not resized to 224 x 224: the mean of a resized box is nearly that of the box. The flow t - 1 -> t belongs to frame
t; frame 0 takes the first, 0 -> 1. A frame without a box has no vector, where AccI-VAD takes the whole frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pagen.errors import PagenError
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray, pixels
from pagen.features.objects import ObjectSource, Placed
from pagen.features.source import Feed, Frames, FrameVectors, Vectors
from pagen.features.spec import FeatureSpec
from pagen.footage.flow import Computed, FlowFolder, flow_folder, grey, open_flow
from pagen.footage.flow_file import Flow


@dataclass(frozen=True)
class Velocity(ObjectSource):
    """Velocity of the objects of clips.

    Attributes:
        flow: how the flow is made, as `open_flow` takes it.
        maps: where it lies; None of a stream.
        bins: B.
        by_height: divide speeds by the height of the box, in pixels.
    """

    flow: str
    maps: FlowFolder | None
    bins: int = 8
    by_height: bool = False

    def config(self) -> Mapping[str, Any]:
        histogram = {"flow": self.flow.partition(":")[0], "bins": self.bins, "by_height": self.by_height}
        return {"of": "velocity", "features": self.bins, "boxes": self.boxes.config(), **histogram}

    def inputs(self) -> Mapping[str, str]:
        identity = open_flow(self.flow).identity()
        return {**super().inputs(), **({"flow": identity} if identity else {})}

    @property
    def context(self) -> int:
        return max(2, self.boxes.context)

    def __call__(self, clip: str) -> FrameVectors:
        assert self.maps is not None  # of a stream, which has no clips
        located, maps = self.boxes(self.prepared, clip), self.maps.flow(clip)
        pairs = ((maps[max(frame - 1, 0)], boxes) for frame, boxes in located.by_frame())
        return FrameVectors(self._histograms(pairs), *located)

    def newest(self, frames: Frames) -> FrameVectors:
        """The histograms of the newest frame; none where it is alone. Raises PagenError: flow or boxes of files."""
        if len(frames) > 1:
            return super().newest(frames)
        return FrameVectors(self.vectors_of([]), np.zeros(0, np.int64), self.boxes.newest(frames)[:0])

    def vectors_of(self, placed: Iterable[Placed]) -> Vectors:
        """Histograms over the flow between the last two frames."""
        return self._histograms((self._last_flow(frames), boxes) for frames, boxes in placed)

    def _last_flow(self, frames: Frames) -> Flow:
        source = open_flow(self.flow)
        if not isinstance(source, Computed):
            raise PagenError(f"expected flow that can be computed in a stream, found {self.flow!r}; use dis or tvl1")
        return next(source.method(map(grey, frames[-2:]))).astype(np.float16)  # as a flow folder keeps it

    def _histograms(self, pairs: Iterable[tuple[Flow, BoxArray]]) -> Vectors:
        of_frames = [np.empty((0, self.bins), np.float32)]
        for flow, boxes in pairs:
            speeds = histograms(flow, boxes, self.bins)
            of_frames.append(speeds / (boxes[:, 3:] - boxes[:, 1:2]) if self.by_height else speeds)
        return np.concatenate(of_frames)


def histograms(flow: Flow, boxes: BoxArray, bins: int) -> Vectors:
    """The histograms (n, bins) of boxes (n, 4) over the flow (2, H, W) of their frame, in its unit."""
    u, v = flow.astype(np.float64)
    turn = np.arctan2(v, u) / (2 * np.pi) % 1
    slot = np.minimum((turn * bins).astype(np.int64), bins - 1)  # rounding may make a full turn of nearly one
    speed = np.abs(u) + np.abs(v)
    rows = np.empty((len(boxes), bins), np.float32)
    for row, (left, top, right, bottom) in zip(rows, pixels(boxes, u.shape), strict=True):
        box = slice(top, bottom), slice(left, right)
        row[:] = np.bincount(slot[box].ravel(), speed[box].ravel(), bins) / speed[box].size
    return rows


def open_velocity(spec: FeatureSpec, feed: Feed) -> Velocity:
    """The features `velocity`; flow is computed. Raises PagenError: no such boxes or flow, a clip of one frame."""
    boxes = open_boxes(spec.boxes, feed.compute.device)
    open_flow(spec.flow)  # refuses what is not there, before clips are prepared
    clips = feed.clips(None, spec.colour)
    maps = None if feed.live else flow_folder(clips, clips.clips(), spec.flow, feed.compute.workers)
    return Velocity(clips, boxes, spec.flow, maps, spec.bins, spec.by_height)
