"""Features of frames that come one by one: a camera needs neither the clips of training nor their flow."""

from __future__ import annotations

from typing import Any

from pagen.features.box_kinds import open_boxes
from pagen.features.deep import open_deep
from pagen.features.frames import Encoded, opening
from pagen.features.latents import stream_codes
from pagen.features.pose import open_pose
from pagen.features.source import Source, Stream
from pagen.features.spec import FeatureSpec
from pagen.features.tube import open_tube
from pagen.features.velocity import Velocity
from pagen.features.video import open_rolling
from pagen.footage.prepare import Size


def open_stream(spec: FeatureSpec, size: Size, device: str) -> Source:
    """A source of which `newest` alone can be used; its `prepared` is a `Stream`.

    Args:
        size: (H, W) of the camera's frames.

    Raises:
        PagenError: as `sources.open_source`.
    """
    own: Any = Stream(size, spec.colour)
    match spec.name:
        case "velocity":
            flow: Any = None
            return Velocity(own, open_boxes(spec.boxes, device), spec.flow, flow, spec.bins, spec.by_height)
        case "deep":
            return open_deep(own, spec.boxes, spec.encoder, spec.side, spec.bgr, device)
        case "pose":
            return open_pose(own, spec.boxes, spec.encoder, spec.raw_poses, device)
        case "tube":
            return open_tube(own, spec.option, spec.boxes, device)
        case "latents" | "locations":
            return stream_codes(spec.option, size if spec.name == "locations" else None, device)
    shown: Any = Stream(spec.size or size, spec.colour)
    if spec.name == "hiera":
        return open_rolling(spec.option, shown, device)
    return Encoded(shown, opening(spec.of, device), spec.pool)
