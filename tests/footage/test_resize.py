from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pagen.footage.flow_file import rescale
from pagen.footage.resize import _covered, resized_frame, resized_mask

SIDE = st.integers(1, 40)


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(np.bool_, st.tuples(SIDE, SIDE)), st.tuples(SIDE, SIDE))
def test_masks_keep_every_object_at_any_size(mask: np.ndarray, size: tuple[int, int]) -> None:
    resized = resized_mask(mask, size)
    assert resized.shape == size
    assert resized.dtype == np.bool_
    assert resized.any() == mask.any()
    count, objects = cv2.connectedComponents(mask.astype(np.uint8))
    for number in range(1, count):
        assert (resized & (_covered(objects == number, size) > 0)).any()


def test_a_small_object_beside_a_large_one_does_not_vanish() -> None:
    mask = np.zeros((240, 360), np.bool_)
    mask[100:200, 100:200] = True
    mask[10, 10] = True
    resized = resized_mask(mask, (48, 72))
    assert resized[2, 2]
    assert resized[20:40, 20:40].all()
    assert resized.sum() == 401


def test_masks_are_masked_where_half_the_area_was() -> None:
    mask = np.random.default_rng(0).random((24, 40)) < 0.4
    share = mask.reshape(12, 2, 20, 2).mean(axis=(1, 3))
    resized = resized_mask(mask, (12, 20))
    assert resized[share >= 0.5].all()
    np.testing.assert_array_equal(resized_mask(mask, (24, 40)), mask)
    big = np.kron(mask, np.ones((3, 2), np.bool_))
    np.testing.assert_array_equal(resized_mask(big, (24, 40)), mask)


def test_halving_takes_the_mean_of_four() -> None:
    frame = np.arange(64 * 96, dtype=np.int64).reshape(64, 96) % 256
    smaller = resized_frame(frame.astype(np.uint8), (16, 24), False)
    np.testing.assert_allclose(smaller[..., 0], frame.reshape(16, 4, 24, 4).mean(axis=(1, 3)), atol=0.51)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 9), st.integers(1, 4), st.booleans(), st.booleans())
def test_fine_stripes_do_not_alias_where_the_other_axis_grows(by: int, grown: int, upright: bool, flow: bool) -> None:
    """Stripes of one pixel, 0 and 255, shrunk to less than half along themselves, are close to their mean."""
    stripes = np.zeros((64 * by, 40), np.uint8)
    stripes[::2] = 255
    size = (64, 40 + 17 * grown)
    if upright:
        stripes, size = np.ascontiguousarray(stripes.T), size[::-1]
    if flow:
        shrunk = rescale(np.stack([stripes, stripes]).astype(np.float32), size)
        middle = shrunk / shrunk.mean(axis=(1, 2), keepdims=True) * 127.5
    else:
        middle = resized_frame(stripes, size, False)
    assert 127.5 * (1 - 1 / by) - 1 <= middle.min() <= middle.max() <= 127.5 * (1 + 1 / by) + 1


def test_frames_that_grow_or_shrink_alike_are_as_they_always_were() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    for size in ((10, 20), (19, 60), (30, 50), (80, 90), (40, 61), (25, 90)):
        area = size[0] * 2 < 40 or size[1] * 2 < 60
        way = cv2.INTER_AREA if area else cv2.INTER_LINEAR
        np.testing.assert_array_equal(
            resized_frame(frame, size, True), cv2.resize(frame, size[::-1], interpolation=way)
        )
