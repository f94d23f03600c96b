"""Features `tube:RUN`: the code that a trained autoencoder of clips gives an object's tube; ours to try.

A tube is what stands in an object's box over the last frames, as many as the run's windows have (16): the box of the
newest frame, made square about its middle and grown by a quarter, cut out of every one of them, so that how the object
moves shows against the ground. The first frame and the frame's borders are repeated beyond the ends. Squeezed to 64 x
64 pixels, as large as the crops that autoencoders train on, it goes through the encoder, whose code (C, T', H', W') is
averaged over time and space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pagen.batching import in_batches
from pagen.errors import PagenError
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray
from pagen.features.objects import ObjectSource, Placed
from pagen.features.source import Feed, Frames, Vectors
from pagen.features.spec import FeatureSpec
from pagen.folders import Folder
from pagen.footage.flow import grey
from pagen.models.encoders.encoder import pictures
from pagen.models.runs import Run, open_run

SIDE, GROWN = 64, 1.25
"""Pixels a side of a tube, and its side in the frame by the longer one of the box."""
TUBES_AT_ONCE = 8


@dataclass(frozen=True)
class TubeEncoder:
    """A run's encoder: the run's folder and fingerprint, the frames and channels that it takes, C, and the device."""

    run: Path
    fingerprint: str
    window: int
    channels: int
    features: int
    device: str

    def __call__(self, tubes: list[Tensor]) -> Tensor:
        """Codes (n, C) of n tubes (channels, window, SIDE, SIDE) in [-1, 1]."""
        code: Tensor = _opened(self.run, self.fingerprint, self.device)(torch.stack(tubes))
        return code.mean(dim=(2, 3, 4))


@dataclass(frozen=True)
class Tube(ObjectSource):
    """Codes of the tubes of the objects of clips by an encoder."""

    encoder: TubeEncoder

    def config(self) -> Mapping[str, Any]:
        return {"of": "tube", "features": self.encoder.features, "boxes": self.boxes.config()}

    def inputs(self) -> Mapping[str, str]:
        return {**super().inputs(), "run": self.encoder.fingerprint}

    @property
    def context(self) -> int:
        return max(self.encoder.window, self.boxes.context)

    def vectors_of(self, placed: Iterable[Placed]) -> Vectors:
        """Codes of tubes."""
        tubes = (tube for frames, boxes in placed for tube in self._tubes(frames, boxes))
        return in_batches(self.encoder, tubes, TUBES_AT_ONCE, (self.encoder.features,))

    def _tubes(self, frames: Frames, boxes: BoxArray) -> Iterator[Tensor]:
        """The tubes (channels, window, SIDE, SIDE) in [-1, 1] of boxes (n, 4) of the last of frames (T, H, W, C)."""
        for tube in cut_tubes(frames, boxes, self.encoder.window):
            if self.encoder.channels == 1 and tube.shape[-1] == 3:
                tube = np.stack([grey(frame) for frame in tube])[..., None]
            squeezed = pictures(torch.from_numpy(tube), SIDE)  # of three channels, be they grey
            channels = squeezed[:, : self.encoder.channels].to(self.encoder.device)
            yield (channels / 127.5 - 1).transpose(0, 1)


def cut_tubes(frames: Frames, boxes: BoxArray, window: int) -> Iterator[Frames]:
    """The tubes uint8 (window, s, s, C) of boxes (n, 4) of the last of frames (T, H, W, C), s of every box its own."""
    times = np.clip(np.arange(len(frames) - window, len(frames)), 0, None)
    for left, top, right, bottom in boxes.astype(np.float64):
        side = max(round(GROWN * max(right - left, bottom - top)), 1)
        rows, columns = (
            np.clip(round((low + high - side) / 2) + np.arange(side), 0, length - 1)
            for low, high, length in ((top, bottom, frames.shape[1]), (left, right, frames.shape[2]))
        )
        yield frames[times[:, None, None], rows[None, :, None], columns[None, None, :]]


def open_tube(spec: FeatureSpec, feed: Feed) -> Tube:
    """The features `tube:RUN`, of a run of frames whose network has an encoder.

    Raises PagenError: no such run, boxes or device, or a run of flow, of features, of several networks or without
    encoder.
    """
    run = open_run(spec.run.absolute())
    window, channels = int(run.recipe["window"]), int(run.recipe["channels"])
    fingerprint = Folder.open(run.path, "run", verify=False).fingerprint()
    with torch.inference_mode():
        code = _encoder_of(run)(torch.zeros(1, channels, window, SIDE, SIDE))
    encoder = TubeEncoder(run.path, fingerprint, window, channels, code.shape[1], feed.compute.device)
    boxes = open_boxes(spec.boxes, feed.compute.device)
    return Tube(feed.clips(None, spec.colour), boxes, encoder)


def _encoder_of(run: Run) -> nn.Module:
    encoder = getattr(run.network, "encoder", None)
    if run.recipe["source"] != "frames" or not isinstance(encoder, nn.Module):
        raise PagenError(
            f"expected a run of frames whose network has an encoder for tubes, found {run.path} of "
            f"{run.recipe['source']} with a {type(run.network).__name__}; give one of an autoencoder of frames"
        )
    return encoder


@lru_cache(maxsize=1)
def _opened(path: Path, fingerprint: str, device: str) -> nn.Module:
    """The encoder on the device, opened once in a process; the fingerprint tells a retrained run apart.

    It keeps torch's own layout, in which it has always rounded.
    """
    return _encoder_of(open_run(path)).to(device)
