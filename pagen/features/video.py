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
import numpy.typing as npt

from pagen.features.source import Found
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.models.encoders.video import VideoEncoder, open_video


@dataclass(frozen=True)
class Rolling:
    """The source of such vectors, one a frame.

    Attributes:
        prepared: the clips.
        model: folder or hub id.
        fingerprint: of its configuration and weights.
        kind: its type, as transformers calls it.
        features: D.
        window: frames in a window.
        device: of torch's.
    """

    prepared: Prepared
    model: str
    fingerprint: str
    kind: str
    features: int
    window: int
    device: str = "cpu"

    def config(self) -> Mapping[str, Any]:
        """Type of model, D and the window."""
        return {"of": "hiera", "model": self.kind, "features": self.features, "window": self.window}

    def inputs(self) -> Mapping[str, str]:
        """The model."""
        return {"model": self.fingerprint}

    @property
    def context(self) -> int:
        """The first half of a window and its centre."""
        return self.window // 2 + 1

    def __call__(self, clip: str) -> Found:
        """A vector a frame."""
        frames = self.prepared.frames(clip)
        return self._found(frames, range(len(frames)))

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """The vector of the newest frame."""
        return self._found(frames, range(len(frames) - 1, len(frames)))

    def _found(self, frames: npt.NDArray[np.uint8], centres: Sequence[int]) -> Found:
        windows = Windows(self.window, self.window // 2)
        starts = [centre - windows.scored for centre in centres]
        indices = np.stack([windows.indices(start, len(frames)) for start in starts])
        vectors = _opened(self.model, self.device, self.fingerprint)(frames, indices)
        return Found(vectors, np.arange(len(vectors)))


def open_rolling(model: str, prepared: Prepared, device: str = "cpu") -> Rolling:
    """The source by a folder or hub id. Raises PagenError as `open_video`."""
    opened = open_video(model, device)
    encoder = opened.encoder
    place, fingerprint = encoder.origin() or ("", "")
    return Rolling(prepared, place, fingerprint, encoder.name, encoder.features, opened.window, device)


@lru_cache(maxsize=1)
def _opened(model: str, device: str, fingerprint: str) -> VideoEncoder:
    """The network, opened once in a process; the fingerprint tells changed weights apart."""
    return open_video(model, device)
