"""Claim: the bundled inpainter fills with structure, four 256x256 frames a second and more on two cores.

On frames that it has not seen: Ped2 where it is found (PAGEN_DATA), and the part of `vtest.avi` that was held
out, where that is (PAGEN_VTEST, or Debian's package opencv-doc). Beside OpenCV's Telea and Navier-Stokes, in
the same holes: PSNR to what was there, and how the fill compares with a ring of 8 pixels round it in local
variance (7x7) and in mean gradient (1 is as its surroundings; what was there is the row `truth`). `seeds`: mean
difference between the fills of two seeds, grey levels.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.video import video_frames
from pagen.generate.inpaint import Painting, Telea
from pagen.generate.inpainters import open_inpainter
from pagen.generate.mask_motion import MotionMasks
from pagen.generate.mask_random import random_mask
from pagen.seeds import generator

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]
VTEST = Path(os.environ.get("PAGEN_VTEST", "/usr/share/doc/opencv-doc/examples/data/vtest.avi"))
HELD_OUT, COUNT, SIDE = 600, 48, 256


def main() -> None:
    """Print the table, then frames a second."""
    inpainter = open_inpainter("bundled")
    for name, frames in footage().items():
        for kind, masks in (("random small", random_masks(frames)), ("motion", motion_masks(frames))):
            table(f"{name}, {kind} masks (cover {masks.mean():.1%})", frames, masks, inpainter)
        speed(name, frames, motion_masks(frames))


def footage() -> dict[str, Frames]:
    """Name -> frames (N, 256, 256, 1) that nothing was trained on, evenly spread."""
    found = {}
    if VTEST.exists():
        held_out = islice(video_frames(VTEST), HELD_OUT, None, 4)
        found["vtest"] = np.stack([shrunk(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)) for f in islice(held_out, COUNT)])
    try:
        import pagen

        prepared = pagen.prepare("ped2", size=(SIDE, SIDE))
        clips = [prepared.frames(name)[:: 2550 // COUNT // 2] for name in prepared.clips("train")]
        found["ped2"] = np.concatenate(clips)[:COUNT]
    except PagenError as error:
        print(f"without Ped2: {error}")
    return found


def shrunk(frame: npt.NDArray[np.uint8]) -> Frames:
    """A grey frame as (256, 256, 1)."""
    return np.asarray(cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)[..., None]


def random_masks(frames: Frames) -> Masks:
    rng = generator(0, "benchmark")
    return np.stack([random_mask((SIDE, SIDE), rng) for _ in frames])


def motion_masks(frames: Frames) -> Masks:
    kind = MotionMasks("frame")
    return kind.segment(frames, kind.prepare(frames, "benchmark"), generator(0, "benchmark"))[0]


def table(title: str, frames: Frames, masks: Masks, inpainter: Callable[..., Frames]) -> None:
    """A row for each method."""
    fills = {
        "truth": frames,
        "bundled": inpainter(frames, masks, generator(0)),
        "telea": Telea()(frames, masks, generator(0)),
        "navier-stokes": navier_stokes(frames, masks),
    }
    other = inpainter(frames, masks, generator(1))
    print(f"{title}\n{'':<15} PSNR dB  variance  gradient  seeds")
    for name, filled in fills.items():
        apart = np.abs(other.astype(float) - filled)[masks].mean() if name == "bundled" else 0.0
        variance, gradient = (ratio(of(filled), masks) for of in (local_variance, gradients))
        print(f"{name:<15} {psnr(filled, frames, masks):7.1f}  {variance:8.2f}  {gradient:8.2f}  {apart:5.1f}")


def psnr(filled: Frames, frames: Frames, masks: Masks) -> float:
    """Over the pixels of all holes; infinite for the truth."""
    error = np.square(filled.astype(float) - frames)[masks].mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def ratio(of_frames: npt.NDArray[np.float64], masks: Masks) -> float:
    """Median over the frames of the mean in the hole over the mean in the ring round it."""
    kernel = np.ones((17, 17), np.uint8)
    rings = np.stack([cv2.dilate(mask.astype(np.uint8), kernel) > 0 for mask in masks]) & ~masks
    return float(np.median([f[m].mean() / f[r].mean() for f, m, r in zip(of_frames, masks, rings, strict=True)]))


def local_variance(frames: Frames) -> npt.NDArray[np.float64]:
    grey = frames[..., 0].astype(np.float64)
    means = np.stack([cv2.blur(frame, (7, 7)) for frame in grey])
    return np.stack([cv2.blur(frame**2, (7, 7)) for frame in grey]) - means**2


def gradients(frames: Frames) -> npt.NDArray[np.float64]:
    return np.stack([np.hypot(*np.gradient(frame)) for frame in frames[..., 0].astype(np.float64)])


def navier_stokes(frames: Frames, masks: Masks) -> Frames:
    holes = zip(frames, masks.astype(np.uint8), strict=True)
    return np.stack([cv2.inpaint(np.ascontiguousarray(f), m, 3, cv2.INPAINT_NS)[..., None] for f, m in holes])


def speed(name: str, frames: Frames, masks: Masks) -> None:
    """Frames a second of one process with all its threads, in segments of 16 as the generator has them."""
    inpainter = open_inpainter("bundled", Painting(batch=8))
    inpainter(frames[:16], masks[:16], generator(0))
    begin = time.perf_counter()
    for start in range(0, len(frames), 16):
        inpainter(frames[start : start + 16], masks[start : start + 16], generator(0))
    print(f"{name}: {len(frames) / (time.perf_counter() - begin):.1f} inpainted 256x256 frames a second\n")


if __name__ == "__main__":
    main()
