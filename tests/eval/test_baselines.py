from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from pagen.eval.baselines import score_baselines
from pagen.footage.prepare import prepare
from pagen.scoring.baselines import BASELINES, flow_speed, frame_difference
from pagen.spread import one_thread


def texture() -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(64, 96)), 2.0)
    return (128 + 400 * noise).clip(0, 255)


def moving(speeds: list[float]) -> np.ndarray:
    """Frames (T, 64, 96) of a texture whose t-th step to the right has that speed."""
    places = np.concatenate([[0.0], np.cumsum(speeds)])
    return np.stack([shift(texture(), (0, place), order=1, mode="wrap") for place in places]).astype(np.uint8)


def test_frame_difference_is_the_mean_square_of_unit_differences() -> None:
    frames = np.zeros((4, 2, 2), np.uint8)
    frames[1] = 255
    frames[2, 0] = 255
    np.testing.assert_allclose(frame_difference(iter(frames)), [1, 1, 0.5, 0.5], rtol=1e-15)


def test_frame_difference_does_not_wrap_around() -> None:
    frames = np.array([[[200]], [[100]], [[200]]], np.uint8)
    np.testing.assert_allclose(frame_difference(iter(frames)), [(100 / 255) ** 2] * 3, rtol=1e-12)


def test_flow_speed_is_the_speed_of_what_moves() -> None:
    speeds = flow_speed(iter(moving([0.0, 2.0, 4.0])))
    assert speeds[:2] == pytest.approx([0, 0], abs=0.05)
    assert speeds[2] == pytest.approx(2, abs=0.7)
    assert speeds[3] == pytest.approx(4, abs=0.7)


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_do_not_know_what_comes_but_for_the_first_frame(name: str) -> None:
    """The first frame has no predecessor and gets what the second gets, or 0 where there is none."""
    frames = moving([1.0, 3.0, 0.5, 2.0])
    with one_thread():
        whole = BASELINES[name](iter(frames))
        for known in range(2, len(frames) + 1):
            np.testing.assert_array_equal(BASELINES[name](iter(frames[:known])), whole[:known])
        assert whole[0] == whole[1] > 0
        np.testing.assert_array_equal(BASELINES[name](iter(frames[:1])), [0])


def test_scores_of_a_data_set_are_kept(footage: Path, cache: Path) -> None:
    prepared = prepare("folder", footage, size=None, workers=0)
    scores = score_baselines(prepared, workers=0)
    assert scores.indicators() == ["flow_speed", "frame_difference"]
    for name in prepared.clips("test"):
        frames = np.asarray(prepared.frames(name))[..., 0]
        with one_thread():
            np.testing.assert_array_equal(scores.of("flow_speed")[name], flow_speed(iter(frames)))
        np.testing.assert_array_equal(scores.labels[name], prepared.labels(name))
    before = {path: path.stat().st_mtime_ns for path in scores.path.rglob("*.npz")}
    assert scores.path.is_relative_to(cache)
    assert score_baselines(prepared, workers=0).path == scores.path
    assert {path: path.stat().st_mtime_ns for path in scores.path.rglob("*.npz")} == before
