"""Features `deep`: what an encoder makes of an object's crop (AccI-VAD, Reiss and Hoshen 2022, with CLIP ViT-B/16).

The crop is squeezed to side x side pixels, whatever its shape, by the resizing of `encoders.pictures`, and that is the
encoder's input: objects are small, and a convolutional encoder sees one of 128 x 128 as well as a larger one. A network
of one size (CLIP) keeps its own with side 0. Vectors are as the encoder gives them.

Crops are RGB. AccI-VAD's published features are of crops with red and blue swapped, which OpenCV reads and its code
leaves so: `bgr` swaps them. Grey footage is the same either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.features.batching import AT_ONCE, in_batches
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray, Finder, pixels
from pagen.features.source import Found
from pagen.footage.prepare import Prepared
from pagen.models.encoders.encoder import Encoder, pictures
from pagen.models.encoders.open import open_encoder


@dataclass(frozen=True)
class CropEncoder:
    """How an encoder of crops is opened: as `open_encoder` takes it, its side or 0, device, weights' fingerprint."""

    spec: str
    side: int
    device: str
    weights: str

    def opened(self) -> Encoder:
        """The encoder, opened once in a process."""
        return _opened(self)


@dataclass(frozen=True)
class Deep:
    """Vectors of the objects of clips.

    Attributes:
        prepared: the clips, at the footage's own size.
        boxes: where the objects are.
        encoder: what they go through.
        bgr: with red and blue swapped.
    """

    prepared: Prepared
    boxes: Finder
    encoder: CropEncoder
    bgr: bool = False

    def config(self) -> Mapping[str, Any]:
        """What the bytes depend on."""
        encoder = self.encoder.opened()
        how = {"encoder": encoder.name, "side": encoder.side, **({"bgr": True} if self.bgr else {})}
        return {"of": "deep", "features": encoder.features, "boxes": self.boxes.config(), **how}

    def inputs(self) -> Mapping[str, str]:
        """What the boxes are of, and the weights."""
        weights = self.encoder.weights
        return {**self.boxes.inputs(), **({"encoder": weights} if weights else {})}

    @property
    def context(self) -> int:
        """What the boxes need."""
        return self.boxes.context

    def __call__(self, clip: str) -> Found:
        """A vector (D,) for every box of a clip."""
        where, frames = self.boxes(self.prepared, clip), self.prepared.frames(clip)
        crops = (crop for frame, box in zip(*where, strict=True) for crop in cut(frames[frame], box[None]))
        return Found(self._encoded(crops), where.frames, where.boxes)

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """A vector for every box of the newest frame. Raises PagenError: boxes of a file."""
        boxes = self.boxes.newest(frames)
        vectors = self._encoded(cut(frames[-1], boxes))
        return Found(vectors, np.zeros(len(boxes), np.int64), boxes)

    def _encoded(self, crops: Iterator[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        return encoded(self.encoder.opened(), (np.flip(crop, -1).copy() for crop in crops) if self.bgr else crops)


def cut(frame: npt.NDArray[np.uint8], boxes: BoxArray) -> Iterator[npt.NDArray[np.uint8]]:
    """The crops (h, w, C) of boxes (n, 4) of a frame (H, W, C)."""
    for left, top, right, bottom in pixels(boxes, (frame.shape[0], frame.shape[1])):
        yield frame[top:bottom, left:right]


def encoded(encoder: Encoder, crops: Iterator[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Vectors (N, D) of crops uint8 (h, w, C) of any sizes, C 1 (grey) or 3 (RGB)."""
    mean, deviation = (
        torch.tensor(of, device=encoder.device).view(3, 1, 1) for of in (encoder.mean, encoder.deviation)
    )

    def network(seen: Tensor) -> Tensor:
        vectors: Tensor = encoder.network((seen - mean) / deviation)
        return vectors

    squeezed = (pictures(torch.tensor(crop[None], device=encoder.device), encoder.side)[0] for crop in crops)
    return in_batches(network, squeezed, encoder.features)


def open_deep(
    prepared: Prepared,
    boxes: str = "motion",
    encoder: str = "lite0:imagenet",
    side: int = 128,
    bgr: bool = False,
    device: str = "cpu",
) -> Deep:
    """The features of clips.

    Args:
        boxes, encoder: as `open_boxes` and `open_encoder` take them.
        side: pixels a side of a crop, or 0 for the encoder's own.
        bgr: swap red and blue.
        device: of the encoder, and of a detector.

    Raises:
        PagenError: no such boxes, encoder or device, or an encoder that takes no pictures of that side.
    """
    finder, found = open_boxes(boxes, device), open_encoder(encoder, device)
    where, weights = found.origin() or ("", "")
    opening = CropEncoder(f"{found.name}:{where}" if where else encoder, side, found.device, weights)
    opening.opened()
    return Deep(prepared, finder, opening, bgr)


@lru_cache(maxsize=1)
def _opened(opening: CropEncoder) -> Encoder:
    encoder = open_encoder(opening.spec, opening.device)
    if opening.side == 0:
        return encoder
    blank = torch.zeros((AT_ONCE, 3, opening.side, opening.side), device=opening.device)
    try:
        with torch.inference_mode():
            encoder.network(blank)
    except (RuntimeError, ValueError) as error:
        raise PagenError(
            f"expected a side of crops that encoder {opening.spec!r} takes, found {opening.side}; give 0 for its own, "
            f"{encoder.side}"
        ) from error
    return replace(encoder, side=opening.side)
