"""Vectors of whole frames by an encoder (`pagen.models.encoders.encoder`): each of its own frame, or of the last few.

With `pool` frames it is the mean over the window that ends with the frame, the clip's first frame repeated, so that
nothing looks ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_array
from pagen.device import device_named
from pagen.features.source import Found
from pagen.footage.prepare import Prepared
from pagen.models.encoders.encoder import Encoder
from pagen.models.encoders.open import open_encoder

if TYPE_CHECKING:
    from pagen.generate.pa_set import PASet

Vectors = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Opening:
    """How every process opens an encoder, and what is known of it; the fingerprint tells changed weights apart."""

    spec: str
    device: str
    view: str
    name: str
    features: int
    fingerprint: str


def opening(spec: str, device: str = "cpu", view: str = "whole") -> Opening:
    """Arguments and errors are those of `open_encoder`."""
    place = device_named(device)
    found = open_encoder(spec, place, view)
    where, weights = found.origin() or ("", "")
    return Opening(f"{found.name}:{where}" if where else spec, place, view, found.name, found.features, weights)


@lru_cache(maxsize=1)
def opened(encoder: Opening) -> Encoder:
    """The encoder, opened once in a process."""
    return open_encoder(encoder.spec, encoder.device, encoder.view)


@dataclass(frozen=True)
class Encoded:
    """The source of an encoder's vectors, one a frame."""

    prepared: Prepared
    encoder: Opening
    pool: int = 1

    def config(self) -> Mapping[str, Any]:
        """Encoder, D, view, and the frames that are averaged."""
        known = {"of": self.encoder.name, "features": self.encoder.features}
        return {**known, "encoder": self.encoder.name, "view": self.encoder.view, "pool": self.pool}

    def inputs(self) -> Mapping[str, str]:
        """The encoder's weights."""
        return {"encoder": self.encoder.fingerprint} if self.encoder.fingerprint else {}

    @property
    def context(self) -> int:
        """Frames that are averaged."""
        return self.pool

    def frames(self, clip: str) -> Frames:
        """What is encoded, (T, H, W, C)."""
        return self.prepared.frames(clip)

    def __call__(self, clip: str) -> Found:
        """A vector a frame."""
        vectors = pooled(opened(self.encoder)(self.frames(clip)), self.pool)
        return Found(vectors, np.arange(len(vectors)))

    def newest(self, frames: Frames) -> Found:
        """The vector of the newest frame."""
        vectors = pooled(opened(self.encoder)(frames), self.pool)
        return Found(vectors[-1:], np.zeros(1, np.int64))


@dataclass(frozen=True, kw_only=True)
class Painted(Encoded):
    """The same of a PA set's spatial pseudo-anomalies; clips are called `spatial/CLIP` and `spatial_matched/CLIP`."""

    pseudo: PASet

    def inputs(self) -> Mapping[str, str]:
        """The PA set, and the encoder's weights."""
        return {**super().inputs(), "pa_set": self.pseudo.fingerprint()}

    def frames(self, clip: str) -> Frames:
        """The repainted frames (T, H, W, C)."""
        return read_array(self.pseudo.folder.path / f"{clip}.npy")


def pooled(vectors: Vectors, count: int) -> Vectors:
    """Of vectors (T, D) the means (T, D) over the last `count`, the first one repeated before the start."""
    if count == 1:
        return vectors
    padded = np.concatenate([np.repeat(vectors[:1], count - 1, axis=0), vectors])
    windows = np.lib.stride_tricks.sliding_window_view(padded, count, axis=0)
    means: Vectors = windows.mean(axis=-1)
    return means
