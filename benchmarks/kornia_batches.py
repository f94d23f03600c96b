"""Claim: on a processor kornia is right where grey frames become RGB, and slower in all else that is done to batches.

Both sides of each row in one run, with two threads, on 16 frames of 240 x 360 as Ped2's; the best of some repetitions.
A ratio above 1 says how many times as long kornia takes. `same` is whether both give the same bytes. pagen uses kornia
for RGB alone: its crops do not mirror what lies beyond the frame, and its slopes are a convolution, which a GPU rounds.

    python benchmarks/kornia_batches.py [REPETITIONS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import kornia
import numpy as np
import torch

from pagen.footage import tvl1
from pagen.generate import diffusion, mask_motion
from pagen.generate.hole_crops import HoleCrops

FRAMES, HEIGHT, WIDTH = 16, 240, 360
THREADS = 2


def main(repetitions: int) -> None:
    """Time every row and print it."""
    torch.set_num_threads(THREADS)
    cv2.setNumThreads(THREADS)
    print(f"{'':<34} {'ours, ms':>9} {'kornia, ms':>11} {'ratio':>6}  same")
    for name, (ours, theirs) in rows().items():
        same = np.array_equal(np.asarray(ours()), np.asarray(theirs()))
        first, second = (min(_seconds(work) for _ in range(repetitions)) for work in (ours, theirs))
        print(f"{name:<34} {1e3 * first:9.2f} {1e3 * second:11.2f} {second / first:6.1f}  {'yes' if same else 'no'}")


def rows() -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """What is done -> how pagen does it, and how kornia would."""
    rng = np.random.default_rng(0)
    masks = rng.random((FRAMES, HEIGHT, WIDTH)) > 0.6
    flow = torch.from_numpy(rng.normal(size=(4, 2, HEIGHT, WIDTH)).astype(np.float32))
    image = torch.from_numpy(rng.random((4, 1, HEIGHT, WIDTH), np.float32))
    frames = rng.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 1), np.uint8)
    pictures = torch.from_numpy(rng.random((FRAMES, 3, HEIGHT, WIDTH), np.float32))
    crops = HoleCrops(np.stack([np.arange(FRAMES), 2 * np.arange(FRAMES)], axis=1), 96, 128)
    as_float, disc = torch.from_numpy(masks)[:, None].float(), torch.from_numpy(mask_motion._disc(2)).float()
    edged = torch.nn.functional.pad(flow, (1, 1, 1, 1), mode="replicate")
    corners = torch.from_numpy(crops.corners[:, ::-1].copy())[:, None]
    boxes = corners + torch.tensor([[0, 0], [127, 0], [127, 95], [0, 95]])
    batch = torch.from_numpy(frames).permute(0, 3, 1, 2)
    morphology = kornia.morphology
    return {
        "dilation of masks": (
            lambda: np.stack([cv2.dilate(mask.astype(np.uint8), mask_motion._disc(2)) for mask in masks]),
            lambda: morphology.dilation(as_float, disc)[:, 0].numpy().astype(np.uint8),
        ),
        "opening and closing of masks": (
            lambda: np.stack([_cleaned(mask.astype(np.uint8)) for mask in masks]),
            lambda: morphology.closing(morphology.opening(as_float, disc), disc)[:, 0].numpy().astype(np.uint8),
        ),
        "median 3x3 of flow": (
            lambda: tvl1._median(edged),
            lambda: kornia.filters.median_blur(edged, 3)[..., 1:-1, 1:-1],
        ),
        "slopes of images": (
            lambda: tvl1._slopes(image),
            lambda: kornia.filters.spatial_gradient(image, "diff")[:, 0],
        ),
        "crops of frames": (
            lambda: crops.cut(frames),
            lambda: kornia.geometry.crop_by_indices(batch, boxes).permute(0, 2, 3, 1).numpy(),
        ),
        "frames to RGB in [0, 1]": (
            lambda: torch.from_numpy(np.repeat(frames, 3, axis=3).transpose(0, 3, 1, 2).copy()).float() / 255,
            lambda: kornia.color.grayscale_to_rgb(batch.float() / 255),
        ),
        "RGB in [0, 1] to grey frames": (
            lambda: diffusion._to_uint8(pictures, 1),
            lambda: np.rint(kornia.color.rgb_to_grayscale(pictures).permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8),
        ),
        "blur by a Gaussian": (
            lambda: np.stack([cv2.GaussianBlur(frame, (11, 11), 2) for frame in frames.astype(np.float32)])[..., None],
            lambda: kornia.filters.gaussian_blur2d(batch.float(), (11, 11), (2.0, 2.0)).permute(0, 2, 3, 1).numpy(),
        ),
    }


def _cleaned(mask: Any) -> Any:
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, mask_motion._disc(2))
    return cv2.morphologyEx(opened, cv2.MORPH_CLOSE, mask_motion._disc(2))


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5)
