"""Vectors of a rolling window by a network of transformers (`pagen.models.encoders.video`), `hiera:MODEL`.

A window's vector belongs to its centre frame (the ninth of 16), and frames at the ends are repeated. It looks 7
frames ahead, then; where a live stream ends with a frame, that frame is repeated instead, as at a clip's end.

MULDE takes the Hiera-L of videos, trained on Kinetics-400, every frame stride and assignment unsaid; transformers has
Hiera for images alone, whose vectors of the 16 frames are averaged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pagen.features.source import Feed, Frames, FrameVectors, Vectors, one_a_frame
from pagen.features.spec import FeatureSpec
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.models.encoders.video import VideoEncoder, open_video


@dataclass(frozen=True)
class Rolling:
    """The source of such vectors, one a frame, of D `features` each.

    Attributes:
        model: folder or hub id.
        fingerprint: of its configuration and weights.
        kind: its type, as transformers calls it.
        window: frames in a window.
    """

    prepared: Prepared
    model: str
    fingerprint: str
    kind: str
    features: int
    window: int
    device: str = "cpu"

    def config(self) -> Mapping[str, Any]:
        return {"of": "hiera", "model": self.kind, "features": self.features, "window": self.window}

    def inputs(self) -> Mapping[str, str]:
        return {"model": self.fingerprint}

    @property
    def context(self) -> int:
        """The first half of a window and its centre."""
        return self.window // 2 + 1

    @property
    def ahead(self) -> int:
        """The second half of a window."""
        return self.window - self.context

    def __call__(self, clip: str) -> FrameVectors:
        frames = self.prepared.frames(clip)
        return one_a_frame(self._vectors(frames, range(len(frames))))

    def newest(self, frames: Frames) -> FrameVectors:
        return one_a_frame(self._vectors(frames, [len(frames) - 1]))

    def _vectors(self, frames: Frames, centres: Sequence[int]) -> Vectors:
        windows = Windows(self.window, self.window // 2)
        indices = np.stack([windows.indices(centre - windows.scored, len(frames)) for centre in centres])
        return _opened(self.model, self.device, self.fingerprint)(frames, indices)


def open_rolling(spec: FeatureSpec, feed: Feed) -> Rolling:
    """The features of a folder or hub id. Raises PagenError as `open_video`."""
    device = feed.compute.device
    network = open_video(spec.option, device)
    model, fingerprint = network.encoder.origin() or ("", "")
    about = network.encoder.name, network.encoder.features, network.window
    return Rolling(feed.clips(spec.size, spec.colour), model, fingerprint, *about, device)


@lru_cache(maxsize=1)
def _opened(model: str, device: str, fingerprint: str) -> VideoEncoder:
    """The network, opened once in a process; the fingerprint tells changed weights apart."""
    return open_video(model, device)
