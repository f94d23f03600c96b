"""Inpainting: fill what a mask covers out of what lies around it.

An inpainter is a function over a run of frames. What it fills is pasted into the frames here, so that
every kept pixel stays bit-equal whatever a model does to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, unknown_name
from pagen.registry import Registry

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]


class Inpainter(Protocol):
    """Frames uint8 (N, H, W, C), C 1 or 3 (RGB), and masks bool (N, H, W), True where to fill -> frames alike.

    Kept pixels are bit-equal. All frames of one call share the noise where there is noise.
    """

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames: ...


def composite(frames: Frames, filled: Frames, masks: Masks) -> Frames:
    """`filled` (N, H, W, C) where the masks (N, H, W) are True, `frames` (N, H, W, C), bit-equal, elsewhere."""
    return np.where(masks[..., None], filled, frames)


def telea(radius: float = 3) -> Inpainter:
    """Telea's fast marching (J. Graphics Tools 2004), as OpenCV has it: no model, no randomness, soft fills.

    Args:
        radius: neighbourhood that a pixel is filled from, pixels.
    """

    def inpaint(frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames:
        holes = masks.astype(np.uint8)
        filled = [
            cv2.inpaint(np.ascontiguousarray(frame), hole, radius, cv2.INPAINT_TELEA).reshape(frame.shape)
            for frame, hole in zip(frames, holes, strict=True)
        ]
        return composite(frames, np.stack(filled), masks)

    return inpaint


INPAINTERS: Registry[Callable[[str, int], Inpainter]] = Registry(
    "inpainter", "pagen.inpainters", {"telea": lambda device, steps: telea()}
)
"""Name -> factory over (device, denoising steps)."""

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def open_inpainter(name: str, device: str = "cpu", steps: int = 20) -> Inpainter:
    """An inpainter by its name, or the diffusers inpainting pipeline of a folder or hub id.

    Args:
        name: a name of `INPAINTERS`, a folder, or `owner/name` on the Hugging Face hub.
        device: where a model runs: `"cpu"`, `"cuda"`, or `"auto"`.
        steps: denoising steps of a diffusion model.

    Raises:
        PagenError: none of the three, or the pipeline cannot be used.
    """
    if name in INPAINTERS:
        return INPAINTERS[name](device, steps)
    if Path(name).is_dir() or _HUB_ID.fullmatch(name):
        from pagen.generate.diffusion import open_pipeline

        return open_pipeline(name, device, steps)
    known = unknown_name("inpainter", name, INPAINTERS.names())
    raise PagenError(f"{known}, or a folder or hub id of a diffusers inpainting pipeline")
