"""Patch masks against those of LNTRA's own code (commit bce1fbb), on square frames: on others it fails.

`data/parity_patch.npz` holds what a clip of zeros became under an intruder of ones, for every case: the share of the
intruder at every pixel, (case, H, W). The official Gaussian has rows and columns exchanged.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pagen.generate.frame_flags import PATCH_MASKS

SIDE = 36
# (y, x) of the centre, (h, w) of the patch
CASES = [
    ((17, 15), (12, 23)),
    ((20, 9), (17, 14)),
    ((35, 12), (10, 21)),
    ((14, 35), (25, 10)),
    ((0, 3), (11, 30)),
    ((6, 1), (26, 16)),
]


def official(name: str) -> npt.NDArray[np.float32]:
    with np.load(Path(__file__).parent / "data/parity_patch.npz") as numbers:
        return np.asarray(numbers[name])


def ours(name: str) -> npt.NDArray[np.float32]:
    return np.stack([PATCH_MASKS[name]((SIDE, SIDE), centre, size) for centre, size in CASES])


def test_soft_boxes_are_the_official_ones() -> None:
    np.testing.assert_allclose(ours("smoothmix_s"), official("smoothmix_s"), rtol=0, atol=1e-6)


def test_gaussians_are_the_official_ones_turned() -> None:
    np.testing.assert_allclose(ours("smoothmix_c"), official("smoothmix_c").swapaxes(1, 2), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["cutmix", "mixup"])
def test_hard_boxes_are_the_official_ones_but_cut_by_the_upper_and_the_left_border_too(name: str) -> None:
    masks = official(name)
    for mask, (centre, size) in zip(masks, CASES, strict=True):
        below, right = (c - cut // 2 + cut for c, cut in zip(centre, size, strict=True))
        mask[below:], mask[:, right:] = 0, 0
    np.testing.assert_allclose(ours(name), masks, rtol=0, atol=1e-6)
    assert (masks == official(name)).all((1, 2)).sum() == 4, "cases away from these borders are equal as they are"
