"""RBDC and TBDC of heat maps: against boxes where they say the same, and against scikit-image's connected parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from pagen.errors import PagenError
from pagen.eval.metrics.rbdc import localise
from pagen.eval.metrics.rbdc_of_maps import best_area, count_maps, localise_maps, map_thresholds, measured_maps
from pagen.eval.metrics.regions import Detections, Regions, from_masks
from pagen.eval.metrics.undefined import reason


def regions(frames: list, tracks: list, boxes: list) -> Regions:
    return Regions(np.array(frames, int), np.array(tracks, int), np.array(boxes, float).reshape(-1, 4))


def test_blocks_that_do_not_touch_are_boxes() -> None:
    rng = np.random.default_rng(0)
    maps, rows = {"a": np.zeros((12, 40, 40)), "b": np.zeros((5, 40, 40))}, {"a": [], "b": []}
    scores = iter(rng.permutation(200) + 1.0)
    for name, video in maps.items():
        for frame in range(len(video)):
            for place in rng.choice(16, 3, replace=False):
                x, y, width, height = 10 * (place % 4), 10 * (place // 4), *rng.integers(3, 9, 2)
                score = next(scores)
                video[frame, y : y + height, x : x + width] = score
                rows[name].append((frame, [x, y, x + width - 1, y + height - 1], score))
    found = {name: Detections(*map(np.array, zip(*part, strict=True))) for name, part in rows.items()}
    rows_found = [0, 3, 6, 9, 12, 13]  # one box of each of five frames, and another one of the last of them
    truth = {"a": regions([0, 1, 2, 3, 4, 4], [0, 0, 0, 0, 0, 1], found["a"].boxes[rows_found].tolist())}
    boxes = localise(found, truth, {"a": 12, "b": 5})
    result = localise_maps(maps, truth, boxes.thresholds)
    assert boxes.rbdc > 0.2
    assert (result.rbdc, result.tbdc) == pytest.approx((boxes.rbdc, boxes.tbdc), abs=1e-12)
    np.testing.assert_allclose(result.false_positives, boxes.false_positives)
    np.testing.assert_allclose(result.track_rates, boxes.track_rates)
    assert (result.regions, result.tracks, result.frames) == (6, 2, 17)
    thinned = localise_maps({name: iter(video) for name, video in maps.items()}, truth, boxes.thresholds[::3])
    np.testing.assert_allclose(thinned.region_rates, boxes.region_rates[::3])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5]), st.sampled_from([0.1, 0.6]))
def test_rates_are_those_of_the_definition_by_pixels(seed: int, beta: float, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    maps = {name: rng.integers(0, 5, (4, 9, 11)) for name in "ab"}
    truth = {"a": from_masks(rng.random((4, 9, 11)) < 0.25)}
    thresholds = [4, 2, 3, 0]
    result = localise_maps(maps, truth, thresholds, beta, alpha)
    own = truth["a"]
    for place, threshold in enumerate(sorted(thresholds, reverse=True)):
        false, hits = 0, np.zeros(len(own.frames), bool)
        for name, video in maps.items():
            for frame, each in enumerate(video):
                parts = label(each >= threshold, connectivity=2)
                masks = {row: painted(own, row, each.shape) for row in np.flatnonzero(own.frames == frame)}
                masks = masks if name == "a" else {}
                for part in range(1, parts.max() + 1):
                    over = [row for row, mask in masks.items() if share(parts == part, mask) >= beta]
                    false += not over
                    hits[over] = True
        assert result.false_positives[place] == false / 8
        assert result.region_rates[place] == hits.mean()
        shares = [hits[own.tracks == track].mean() for track in np.unique(own.tracks)]
        assert result.track_rates[place] == np.mean(np.array(shares) >= alpha)


def painted(own: Regions, row: int, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    left, top, right, bottom = own.boxes[row].astype(int)
    mask[top : bottom + 1, left : right + 1] = own.pixels[row]
    return mask


def share(first: np.ndarray, second: np.ndarray) -> float:
    return (first & second).sum() / (first | second).sum()


def test_a_region_that_grows_too_large_is_lost_but_not_the_best_rate() -> None:
    heat = np.ones((1, 20, 20))
    heat[0, 2:5, 2:5] = 3
    truth = {"v": regions([0], [0], [[2, 2, 4, 4]])}
    result = localise_maps({"v": heat}, truth, [3, 1])
    assert result.region_rates.tolist() == [1, 0]  # 9 of 400 pixels
    assert result.false_positives.tolist() == [0, 1]
    assert result.rbdc == 1


def test_a_box_that_sticks_out_by_a_pixel_is_cut() -> None:
    heat = np.zeros((1, 10, 10))
    heat[0, 6:, 6:] = 1
    cut, inside = (regions([0], [0], [[5, 5, end, end]]) for end in (10, 9))
    for beta in (16 / 25, 0.65):
        results = [localise_maps({"v": heat}, {"v": truth}, [1], beta) for truth in (cut, inside)]
        assert [result.rbdc for result in results] == [beta == 16 / 25] * 2


def test_best_area_is_area_where_nothing_falls() -> None:
    assert best_area(np.array([0.0, 0.5, 0.5]), np.array([0.2, 0.2, 0.8])) == pytest.approx(0.1 + 0.4)
    assert best_area(np.array([0.5, 0.0, 0.5]), np.array([0.8, 0.2, 0.1])) == pytest.approx(0.1 + 0.4)


def test_thresholds_raise_alarms_in_even_steps() -> None:
    maps = {"a": np.arange(30.0).reshape(10, 1, 3), "b": -np.arange(10.0).reshape(10, 1, 1)}
    maxima = np.concatenate([video.max(axis=(1, 2)) for video in maps.values()])
    thresholds = map_thresholds(maps, 20)
    assert len(thresholds) == 20
    assert [(maxima >= threshold).sum() for threshold in thresholds] == list(range(1, 21))
    assert map_thresholds({"a": np.zeros((4, 2, 2))}).tolist() == [0]


def test_videos_can_be_weighed() -> None:
    rng = np.random.default_rng(3)
    maps = {name: rng.random((4, 8, 8)) for name in "ab"}
    truth = {name: from_masks(rng.random((4, 8, 8)) < 0.2) for name in "ab"}
    thresholds = map_thresholds(maps, 9)
    counts = count_maps(maps, truth, thresholds)
    weighed = measured_maps(counts, np.array([0, 2]))
    alone = localise_maps({"b": maps["b"]}, {"b": truth["b"]}, thresholds)
    assert (weighed.rbdc, weighed.tbdc) == pytest.approx((alone.rbdc, alone.tbdc))
    assert (weighed.regions, weighed.frames) == (2 * alone.regions, 8)


def test_what_is_undefined_says_why() -> None:
    result = localise_maps({"v": np.ones((3, 4, 4))}, {}, [1])
    assert math.isnan(result.rbdc)
    assert reason(result.tbdc) == "no ground-truth region"
    assert result.false_positives.tolist() == [1]


@pytest.mark.parametrize(
    ("maps", "thresholds", "words"),
    [
        (np.ones((1, 4, 4)), [1], "inside maps of 4 x 4.*resize"),
        (np.full((1, 9, 9), np.nan), [1], "video v.*NaN.*frame 0"),
        (np.ones((0, 9, 9)), [1], "expected frames below 0"),
        (np.ones((1, 9, 9)), [], "thresholds"),
        (np.ones((1, 9, 9)), [np.nan], "thresholds"),
        (None, [1], "heat maps of every video"),
    ],
)
def test_what_cannot_be_measured_is_refused(maps: np.ndarray | None, thresholds: list, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        localise_maps({} if maps is None else {"v": maps}, {"v": regions([0], [0], [[2, 2, 8, 8]])}, thresholds)
