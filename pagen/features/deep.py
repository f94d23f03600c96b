"""Features `deep`: what an encoder makes of an object's crop (AccI-VAD, Reiss and Hoshen 2022, with CLIP ViT-B/16).

The crop is squeezed to side x side pixels, whatever its shape, by the resizing of `encoders.pictures`, and that is the
encoder's input: objects are small, and a convolutional encoder sees one of 128 x 128 as well as a larger one. A network
of one size (CLIP) keeps its own with side 0. Vectors are as the encoder gives them.

Crops are RGB. AccI-VAD's published features are of crops with red and blue swapped, which OpenCV reads and its code
leaves so: `bgr` swaps them. Grey footage is the same either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from pagen.batching import in_batches
from pagen.errors import PagenError
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray, pixels
from pagen.features.frames import EncoderHandle, encoder_handle
from pagen.features.objects import ObjectSource, Placed
from pagen.features.source import Feed, Frames, Vectors
from pagen.features.spec import FeatureSpec
from pagen.models.encoders.encoder import Encoder

CROPS_AT_ONCE = 8  # a constant, so that the bytes of a clip's vectors do not depend on settings


@dataclass(frozen=True)
class Deep(ObjectSource):
    """Vectors of the objects of clips.

    Attributes:
        handle: of the encoder that they go through.
        side: pixels a side of a crop, or 0 for the encoder's own.
        bgr: with red and blue swapped.
    """

    handle: EncoderHandle
    side: int
    bgr: bool = False

    @property
    def encoder(self) -> Encoder:
        """The encoder of crops, opened once in a process. Raises PagenError: it takes no pictures of that side."""
        return _crop_encoder(self.handle, self.side)

    def config(self) -> Mapping[str, Any]:
        encoder = self.encoder
        crops = {"encoder": encoder.name, "side": encoder.side, **({"bgr": True} if self.bgr else {})}
        return {"of": "deep", "features": encoder.features, "boxes": self.boxes.config(), **crops}

    def inputs(self) -> Mapping[str, str]:
        return {**super().inputs(), **self.handle.inputs()}

    def vectors_of(self, placed: Iterable[Placed]) -> Vectors:
        """The encoder's, of crops."""
        crops = (crop for frames, boxes in placed for crop in cut(frames[-1], boxes))
        return encoded(self.encoder, (np.flip(crop, -1).copy() for crop in crops) if self.bgr else crops)


def cut(frame: Frames, boxes: BoxArray) -> Iterator[Frames]:
    """The crops (h, w, C) of boxes (n, 4) of a frame (H, W, C)."""
    for left, top, right, bottom in pixels(boxes, (frame.shape[0], frame.shape[1])):
        yield frame[top:bottom, left:right]


def encoded(encoder: Encoder, crops: Iterable[Frames]) -> Vectors:
    """Vectors (N, D) of crops uint8 (h, w, C) of any sizes, C 1 (grey) or 3 (RGB)."""
    squeezed = (encoder.standardised(np.array(crop[None]))[0] for crop in crops)
    return in_batches(lambda batch: encoder.network(torch.stack(batch)), squeezed, CROPS_AT_ONCE, (encoder.features,))


def open_deep(spec: FeatureSpec, feed: Feed) -> Deep:
    """The features `deep`. Raises PagenError: no such boxes, encoder or device, or crops of a side that it refuses."""
    boxes, handle = open_boxes(spec.boxes, feed.compute.device), encoder_handle(spec.encoder, feed.compute.device)
    _crop_encoder(handle, spec.side)
    return Deep(feed.clips(None, spec.colour), boxes, handle, spec.side, spec.bgr)


@lru_cache(maxsize=1)
def _crop_encoder(handle: EncoderHandle, side: int) -> Encoder:
    encoder = handle.opened()
    if side == 0:
        return encoder
    blank = torch.zeros((CROPS_AT_ONCE, 3, side, side), device=handle.device)
    try:
        with torch.inference_mode():
            encoder.network(blank)
    except (RuntimeError, ValueError) as error:
        raise PagenError(
            f"expected a side of crops that encoder {handle.spec!r} takes, found {side}; give 0 for its own, "
            f"{encoder.side}"
        ) from error
    return replace(encoder, side=side)
