"""Crops round holes: what is cut goes back where it was, and no hole is cut off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.generate.hole_crops import CONTEXT, hole_crops
from pagen.seeds import generator


def scene(seed: int, shape: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    rng = generator(seed, "crops")
    frames = rng.integers(0, 256, (3, *shape, 1), dtype=np.uint8)
    masks = np.zeros((3, *shape), np.bool_)
    for mask in masks:
        top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        mask[top : top + rng.integers(1, 40), left : left + rng.integers(1, 40)] = True
    return frames, masks


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(9, 120), st.integers(9, 120), st.sampled_from([0, 32, 64]))
def test_every_hole_lies_in_its_crop_and_goes_back(seed: int, height: int, width: int, least: int) -> None:
    frames, masks = scene(seed, (height, width))
    crops = hole_crops(masks, least, 16)
    assert crops.height % 16 == 0
    assert crops.width % 16 == 0
    assert min(crops.height, crops.width) >= least
    parts = crops.cut(frames)
    assert parts.shape == (3, crops.height, crops.width, 1)
    np.testing.assert_array_equal(crops.paste(frames, parts), frames)
    np.testing.assert_array_equal(crops.paste(np.zeros_like(masks), crops.cut(masks)), masks)
    for mask, (top, left) in zip(masks, crops.corners, strict=True):
        assert mask[top : top + crops.height, left : left + crops.width].sum() == mask.sum()


def test_the_crop_follows_the_hole_and_not_the_frame() -> None:
    masks = np.zeros((2, 500, 700), np.bool_)
    masks[:, 100:130, 200:212] = True
    crops = hole_crops(masks, 64, 16)
    assert (crops.height, crops.width) == (64, 64)
    np.testing.assert_array_equal(crops.corners, [[115 - 32, 206 - 32]] * 2)
    masks[1, 300:400, 600:620] = True
    larger = hole_crops(masks, 64, 16)
    assert larger.height == -(-round(CONTEXT * 300) // 16) * 16


def test_a_frame_smaller_than_the_crop_is_mirrored() -> None:
    frame = np.arange(20 * 24, dtype=np.int64).reshape(1, 20, 24)
    crops = hole_crops(np.ones((1, 20, 24), np.bool_), 32, 16)
    expected = np.pad(frame, ((0, 0), (0, 12), (0, 8)), "reflect")
    assert (crops.height, crops.width) == (32, 32)
    np.testing.assert_array_equal(crops.cut(frame), expected)


@pytest.mark.parametrize("size", [(240, 360), (256, 256), (17, 5)])
def test_whole_frames_are_padded_to_the_multiple(size: tuple[int, int]) -> None:
    crops = hole_crops(np.zeros((1, *size), np.bool_), 0, 8)
    assert (crops.height, crops.width) == tuple(-(-side // 8) * 8 for side in size)
    assert crops.corners.tolist() == [[0, 0]]
