from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.train.crops import Box, draw_box, masked_points, moving_points

NONE = np.empty((0, 3), np.int64)
SIDE = 9


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def square(channels: int = 1, step: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Frames (8, 40, 60, C) over which a square moves, and its corners (8, 2)."""
    frames = np.full((8, 40, 60, channels), 90, np.uint8)
    corners = np.array([(5 + t, 4 + step * t) for t in range(8)])
    for frame, (y, x) in zip(frames, corners, strict=True):
        frame[y : y + SIDE, x : x + SIDE, -1] = 200
    return frames, corners


@pytest.mark.parametrize("channels", [1, 3])
def test_moving_points_lie_on_what_moves(channels: int) -> None:
    frames, corners = square(channels)
    points = moving_points(frames, rng())
    assert set(points[:, 0]) == set(range(1, 8))
    assert (np.diff(points[:, 0]) >= 0).all()
    for t, y, x in points:  # on the square as it is or was, or beside it, since the frames are blurred
        place = [(c - 1 <= (y, x)).all() and ((y, x) <= c + SIDE).all() for c in corners[t - 1 : t + 1]]
        assert any(place)


def test_there_are_at_most_48_moving_points_in_a_frame() -> None:
    points = moving_points(square(step=6)[0], rng())
    assert (np.bincount(points[:, 0])[1:] == 48).all()
    assert len(np.unique(points, axis=0)) == len(points)


def test_what_hardly_changes_does_not_move() -> None:
    frames = np.full((4, 20, 20, 1), 90, np.uint8)
    frames[1::2] += 12
    assert moving_points(frames, rng()).shape == (0, 3)
    frames[1::2] += 1
    assert len(moving_points(frames, rng())) == 3 * 48
    assert moving_points(frames[:1], rng()).shape == (0, 3)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200), st.integers(0, 10))
def test_masked_points_lie_inside_the_mask(count: int, seed: int) -> None:
    masks = np.zeros((4, 10, 12), bool)
    masks.flat[rng(seed).choice(masks.size, count, replace=False)] = True
    points = masked_points(masks, rng(seed))
    assert points.shape == (min(count, 48), 3)
    assert masks[tuple(points.T)].all()
    assert len(np.unique(points, axis=0)) == len(points)


def test_an_empty_mask_has_no_points() -> None:
    assert masked_points(np.zeros((2, 3, 4), bool), rng()).shape == (0, 3)


@settings(max_examples=100, deadline=None)
@given(st.integers(16, 70), st.integers(16, 70), st.sampled_from([0, 16, 32, 64]), st.floats(0, 1), st.integers(0, 99))
def test_a_box_lies_inside_the_frame(height: int, width: int, crop: int, moving: float, seed: int) -> None:
    crop = crop if crop <= min(height, width) else 16
    points = rng(seed).integers(0, (16, height, width), (5, 3))
    box = draw_box((height, width), crop, points, moving, rng(seed))
    assert (box.height, box.width) == ((crop, crop) if crop else (height, width))
    assert 0 <= box.top <= height - box.height
    assert 0 <= box.left <= width - box.width


def test_a_share_of_the_boxes_is_centred_on_a_point() -> None:
    """Those are within a quarter of their side; of the others (240 - 32 + 1) squared places 17 squared are, too."""
    draws, moving, point = 2000, 0.7, np.array([[3, 120, 120]])
    draw = rng()
    boxes = [draw_box((240, 240), 32, point, moving, draw) for _ in range(draws)]
    near = np.mean([max(abs(box.top + 16 - 120), abs(box.left + 16 - 120)) <= 8 for box in boxes])
    by_chance = (17 / 209) ** 2
    assert near == pytest.approx(moving + (1 - moving) * by_chance, abs=0.035)


@pytest.mark.parametrize(("points", "moving"), [(NONE, 1.0), (np.array([[0, 0, 0]]), 0.0)])
def test_other_boxes_lie_anywhere(points: np.ndarray, moving: float) -> None:
    draw = rng()
    boxes = [draw_box((20, 19), 16, points, moving, draw) for _ in range(400)]
    assert {(box.top, box.left) for box in boxes} == {(y, x) for y in range(5) for x in range(4)}


def test_a_box_cuts_rows_and_columns() -> None:
    frames = np.arange(2 * 5 * 7 * 3).reshape(2, 5, 7, 3)
    np.testing.assert_array_equal(Box(1, 2, 3, 4).of(frames), frames[:, 1:4, 2:6])
    flow = np.arange(2 * 2 * 5 * 7).reshape(2, 2, 5, 7)
    np.testing.assert_array_equal(Box(1, 2, 3, 4).of(flow, space=2), flow[:, :, 1:4, 2:6])
