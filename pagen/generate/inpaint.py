"""Inpainting: fill what a mask covers out of what lies around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np

from pagen.arrays import Frames, Masks
from pagen.errors import PagenError


@dataclass(frozen=True)
class Painting:
    """How an inpainter works; all of it concerns models, and Telea ignores it.

    Attributes:
        device: where a model runs: `"cpu"`, `"cuda"`, or `"auto"`.
        steps: denoising steps.
        noise: `"clip"`: all frames of a call start from the same noise; `"frame"`: each from its own.
        feather: width of the soft rim, pixels; the kept pixels in it change too. 0 keeps every one.
        precision: numbers of a model: `"fp32"`; `"bf16"`, of which sums are exact; `"fp16"`, on a GPU.
        batch: frames that go through a model at once.

    Example:
        >>> Painting(steps=50).noise
        'clip'
    """

    device: str = "cpu"
    steps: int = 20
    noise: Literal["clip", "frame"] = "clip"
    feather: int = 0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch: int = 8


class Inpainter(Protocol):
    """Frames uint8 (N, H, W, C), C 1 or 3 (RGB), and masks bool (N, H, W), True where to fill -> frames alike.

    Kept pixels are bit-equal but for a feathered rim.

    Example:
        >>> inpainter: Inpainter = Telea()
        >>> inpainter(np.zeros((1, 8, 8, 1), np.uint8), np.eye(8, dtype=bool)[None], np.random.default_rng(0)).shape
        (1, 8, 8, 1)
    """

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames: ...

    def matched(self, frames: Frames, masks: Masks) -> Frames:
        """The frames, where the masks cover them passed through the same autoencoder as a fill, without painting.

        Raises PagenError: the inpainter has no autoencoder.
        """


def composite(frames: Frames, filled: Frames, masks: Masks, feather: int = 0) -> Frames:
    """`filled` (N, H, W, C) where the masks (N, H, W) are True, `frames` (N, H, W, C), bit-equal, elsewhere.

    A feathered rim goes over from one to the other, linearly over so many pixels outside of the mask.

    Example:
        >>> frames, filled = np.zeros((1, 1, 3, 1)), np.full((1, 1, 3, 1), 8.0)
        >>> mask = np.array([[[False, False, True]]])
        >>> composite(frames, filled, mask).ravel().tolist()
        [0.0, 0.0, 8.0]
        >>> composite(frames, filled, mask, feather=1).ravel().tolist()
        [0, 4, 8]
    """
    if feather == 0:
        return np.where(masks[..., None], filled, frames)
    away = np.stack([cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) for mask in masks])
    weight = np.clip(1 - away / (feather + 1), 0, 1)[..., None]
    return np.rint(frames + weight * (filled.astype(np.float32) - frames)).astype(np.uint8)


@dataclass(frozen=True)
class Telea:
    """Telea's fast marching (J. Graphics Tools 2004), as OpenCV has it: no model, no randomness, soft fills.

    Attributes:
        radius: neighbourhood that a pixel is filled from, pixels.

    Example:
        >>> frames, masks = np.full((1, 8, 8, 1), 7, np.uint8), np.zeros((1, 8, 8), np.bool_)
        >>> masks[0, 3, 3] = True
        >>> filled = Telea()(frames, masks, np.random.default_rng(0))
        >>> bool((filled == frames)[~masks].all())
        True
    """

    radius: float = 3

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames:
        pairs = zip(np.ascontiguousarray(frames), masks.astype(np.uint8), strict=True)
        filled = [cv2.inpaint(frame, hole, self.radius, cv2.INPAINT_TELEA) for frame, hole in pairs]
        return composite(frames, np.reshape(filled, frames.shape), masks)

    def matched(self, frames: Frames, masks: Masks) -> Frames:
        """Always raises."""
        raise PagenError("expected a diffusion inpainter for matched normals, found telea; give --inpainter bundled")
