"""Vectors of whole frames by an encoder (`pagen.models.encoders.encoder`): each of its own frame, or of the last few.

With `pool` frames it is the mean over the window that ends with the frame, the clip's first frame repeated, so that
nothing looks ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from pagen.arrays import read_array
from pagen.device import device_named
from pagen.features.source import Feed, Frames, FrameVectors, Vectors, one_a_frame
from pagen.features.spec import FeatureSpec
from pagen.footage.prepare import Prepared
from pagen.models.encoders.encoder import Encoder
from pagen.models.encoders.open import open_encoder

if TYPE_CHECKING:
    from pagen.generate.pa_set import PASet


@dataclass(frozen=True)
class EncoderHandle:
    """How every process opens an encoder, once, and what it gives; the fingerprint tells changed weights apart."""

    spec: str
    device: str
    view: str
    name: str
    features: int
    fingerprint: str

    def opened(self) -> Encoder:
        """The encoder."""
        return _opened(self)

    def inputs(self) -> Mapping[str, str]:
        """The fingerprint, where there is one."""
        return {"encoder": self.fingerprint} if self.fingerprint else {}


def encoder_handle(spec: str, device: str = "cpu", view: str = "whole") -> EncoderHandle:
    """Arguments and errors are those of `open_encoder`."""
    device = device_named(device)
    encoder = open_encoder(spec, device, view)
    path, weights = encoder.origin() or ("", "")
    spec = f"{encoder.name}:{path}" if path else spec
    return EncoderHandle(spec, device, encoder.view, encoder.name, encoder.features, weights)


@lru_cache(maxsize=2)
def _opened(handle: EncoderHandle) -> Encoder:
    return open_encoder(handle.spec, handle.device, handle.view)


@dataclass(frozen=True)
class Encoded:
    """The source of an encoder's vectors, one a frame."""

    prepared: Prepared
    encoder: EncoderHandle
    pool: int = 1
    ahead: ClassVar[int] = 0

    def config(self) -> Mapping[str, Any]:
        name, features = self.encoder.name, self.encoder.features
        return {"of": name, "features": features, "encoder": name, "view": self.encoder.view, "pool": self.pool}

    def inputs(self) -> Mapping[str, str]:
        return self.encoder.inputs()

    @property
    def context(self) -> int:
        return self.pool

    def frames(self, clip: str) -> Frames:
        """What is encoded, (T, H, W, C)."""
        return self.prepared.frames(clip)

    def __call__(self, clip: str) -> FrameVectors:
        return one_a_frame(self._vectors(self.frames(clip)))

    def newest(self, frames: Frames) -> FrameVectors:
        return one_a_frame(self._vectors(frames)[-1:])

    def _vectors(self, frames: Frames) -> Vectors:
        return pooled(self.encoder.opened()(frames), self.pool)


@dataclass(frozen=True, kw_only=True)
class Painted(Encoded):
    """The same of a PA set's spatial pseudo-anomalies; clips are called `spatial/CLIP` and `spatial_matched/CLIP`."""

    pseudo: PASet

    def inputs(self) -> Mapping[str, str]:
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
    return cast(Vectors, windows.mean(axis=-1))


def open_encoded(spec: FeatureSpec, feed: Feed) -> Encoded:
    """An encoder's features of frames. Raises PagenError as `open_encoder`."""
    encoder = encoder_handle(spec.of, feed.compute.device)
    return Encoded(feed.clips(spec.size, spec.colour), encoder, spec.pool)
