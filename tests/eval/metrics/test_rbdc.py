"""RBDC and TBDC against worked numbers, and against the definition applied threshold by threshold."""

from __future__ import annotations

import math
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.metrics.bootstrap import bootstrap
from pagen.eval.metrics.rbdc import localise, match, measured, resampled_areas
from pagen.eval.metrics.regions import Detections, Regions, iou
from pagen.eval.metrics.undefined import reason
from pagen.seeds import generator

A, W = [10, 10, 19, 19], [50, 50, 59, 59]
seeds = st.integers(0, 2**32 - 1)


def boxes(*rows: tuple[int, list, float]) -> Detections:
    frames, corners, scores = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections(np.array(frames, int), np.array(corners, float).reshape(-1, 4), np.array(scores, float))


def truth(*rows: tuple[int, int, list]) -> Regions:
    tracks, frames, corners = zip(*rows, strict=True) if rows else ((), (), ())
    return Regions(np.array(frames, int), np.array(tracks, int), np.array(corners, float).reshape(-1, 4))


@pytest.mark.parametrize("ties", ["grouped", "reference"])
def test_rates_and_areas_of_four_frames(ties: str) -> None:
    found = boxes((0, A, 0.9), (1, A, 0.8), (2, W, 0.7), (3, A, 0.6))
    result = localise({"v": found}, {"v": truth(*[(0, t, A) for t in range(4)])}, {"v": 4}, ties=ties)
    assert result.rbdc == pytest.approx(0.6875, abs=1e-15)
    assert result.tbdc == 1
    assert result.thresholds.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert result.false_positives.tolist() == [0, 0, 0.25, 0.25]
    assert result.region_rates.tolist() == [0.25, 0.5, 0.5, 0.75]
    assert result.track_rates.tolist() == [1, 1, 1, 1]
    assert (result.regions, result.tracks, result.frames) == (4, 1, 4)


def test_one_box_may_find_two_regions_and_overlap_is_inclusive() -> None:
    a = [0, 0, 9, 9]
    found = boxes((1, [0, 0, 100, 9], 0.95), (0, [0, 0, 19, 9], 0.9), (0, a, 0.8), (1, [0, 0, 99, 9], 0.7))
    regions = truth((0, 0, a), (0, 1, a), (1, 0, [10, 0, 19, 9]))
    result = localise({"v": found}, {"v": regions}, {"v": 2})
    assert (result.rbdc, result.tbdc) == (pytest.approx(0.5, abs=1e-15), pytest.approx(0.5, abs=1e-15))
    assert result.false_positives.tolist() == [0.5] * 4
    assert result.region_rates.tolist() == [0, 2 / 3, 2 / 3, 1]


def test_a_track_needs_a_tenth_of_its_regions() -> None:
    found = boxes((0, A, 0.9), (1, W, 0.8), (2, A, 0.7))
    result = localise({"v": found}, {"v": truth(*[(0, t, A) for t in range(11)])}, {"v": 11})
    assert result.rbdc == pytest.approx(21 / 121, abs=1e-12)
    assert result.tbdc == pytest.approx(10 / 11, abs=1e-12)
    for regions in (10, 20, 30, 70, 110):  # 0.1 * 70 is more than 7 in floats
        found = boxes(*[(t, A, 1.0) for t in range(regions // 10)])
        result = localise({"v": found}, {"v": truth(*[(0, t, A) for t in range(regions)])}, {"v": regions})
        assert result.tbdc == 1


@pytest.mark.parametrize(
    ("ties", "order", "area"),
    [
        ("grouped", [0, 1, 2], 0.75),
        ("grouped", [2, 1, 0], 0.75),
        ("reference", [0, 1, 2], 1),
        ("reference", [2, 0, 1], 0.5),
    ],
)
def test_ties_are_grouped_and_in_reference_mode_follow_the_file(ties: str, order: list[int], area: float) -> None:
    rows = [(0, A, 0.5), (1, A, 0.5), (0, W, 0.5)]
    found = boxes(*[rows[row] for row in order])
    result = localise({"v": found}, {"v": truth((0, 0, A), (0, 1, A))}, {"v": 2}, ties=ties)
    assert (result.rbdc, result.tbdc) == (area, area)


def test_normal_videos_count_and_false_positives_beyond_one_a_frame_do_not() -> None:
    found = {"v": boxes((0, A, 0.9)), "normal": boxes(*[(0, W, 0.8 - t / 100) for t in range(9)], (1, W, 0.95))}
    regions = {"v": truth((7, 0, A), (8, 1, A))}
    result = localise(found, regions, {"v": 2, "normal": 3, "silent": 1})
    assert result.false_positives[-1] == 10 / 6
    assert result.rbdc == pytest.approx((1 - 1 / 6) / 2, abs=1e-12)
    two = {"v": boxes(*[(0, W, 0.5)] * 4, (0, A, 0.5))}  # straight to (2, 1/2), of which half lies below 1
    assert localise(two, regions, {"v": 2}).rbdc == pytest.approx(0.125, abs=1e-15)


def test_boxes_of_another_convention() -> None:
    first, second = np.array([[0.0, 0, 10, 10]] * 2), np.array([[10.0, 0, 20, 10], [5, 0, 15, 10]])
    np.testing.assert_allclose(iou(first, second), [11 / (2 * 121 - 11), 66 / (2 * 121 - 66)])
    np.testing.assert_allclose(iou(first, second, inclusive=False), [0, 1 / 3])
    empty = np.array([[3.0, 3, 3, 3]])
    assert iou(empty, empty, inclusive=False).tolist() == [0]


def scattered(rng: np.random.Generator, levels: int | None) -> tuple[dict, dict, dict]:
    """Small videos with everything: several tracks, frames without, and, with `levels`, ties."""
    frames = {name: int(rng.integers(1, 9)) for name in "abc"}
    regions, found = {}, {}
    for name, length in list(frames.items())[:2]:
        rows = [(k, t, at(rng)) for k in range(3) for t in range(length) if rng.random() < 0.5]
        regions[name] = truth(*rows, (9, 0, at(rng)))
    for name, length in frames.items():
        count = int(rng.integers(0, 25))
        scores = rng.permutation(10**6)[:count] if levels is None else rng.integers(0, levels, count)
        found[name] = boxes(*[(int(rng.integers(length)), at(rng), float(score)) for score in scores])
    if levels is None:
        everything = iter(rng.permutation(10**4).astype(float))
        found = {
            name: Detections(part.frames, part.boxes, np.array([next(everything) for _ in part.frames]))
            for name, part in found.items()
        }
    return found, regions, frames


def at(rng: np.random.Generator) -> list[int]:
    corner = rng.integers(0, 12, 2)
    return [*corner, *(corner + rng.integers(2, 9, 2))]


def by_definition(found: dict, regions: dict, frames: dict, beta: float, alpha: float) -> tuple[float, float]:
    """Threshold by threshold, with pixels in place of a formula."""
    points = [(0.0, 0.0, 0.0)]
    for threshold in sorted({score for part in found.values() for score in part.scores}, reverse=True):
        false, detected, tracks = 0, 0, {}
        for name in frames:
            standing = [
                (frame, box)
                for frame, box, score in zip(*vars(found[name]).values(), strict=True)
                if score >= threshold
            ]
            own = regions.get(name, truth())
            rows = list(zip(own.frames, own.tracks, own.boxes, strict=True))
            false += sum(not any(f == g and overlap(b, c) >= beta for g, _, c in rows) for f, b in standing)
            for g, track, c in rows:
                hit = any(f == g and overlap(b, c) >= beta for f, b in standing)
                detected += hit
                tracks.setdefault((name, track), []).append(hit)
        passed = sum(sum(hits) / len(hits) >= alpha for hits in tracks.values())
        points.append((false / sum(frames.values()), detected / sum(map(len, tracks.values())), passed / len(tracks)))
    x, *rates = np.array(points).T
    fine = np.linspace(0, 1, 120_001)  # no jump but at multiples of 1 / frames: a straight line between
    return tuple(float(np.interp((fine[1:] + fine[:-1]) / 2, x, rate).mean()) for rate in rates)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    both = np.zeros((2, 24, 24), bool)
    for canvas, (left, top, right, bottom) in zip(both, (first.astype(int), second.astype(int)), strict=True):
        canvas[top : bottom + 1, left : right + 1] = True
    return both.all(axis=0).sum() / both.any(axis=0).sum()


@settings(max_examples=12, deadline=None)
@given(seeds, st.sampled_from([None, 1, 4]), st.sampled_from([0.1, 0.3, 1.0]), st.sampled_from([0.1, 0.5, 1.0]))
def test_areas_are_those_of_the_definition(seed: int, levels: int | None, beta: float, alpha: float) -> None:
    found, regions, frames = scattered(np.random.default_rng(seed), levels)
    result = localise(found, regions, frames, beta, alpha)
    assert (result.rbdc, result.tbdc) == pytest.approx(by_definition(found, regions, frames, beta, alpha), abs=2e-5)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_shuffled_ties_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found, regions, frames = scattered(rng, 4)
    first = localise(found, regions, frames)
    mixed = {}
    for name in rng.permutation(list(found)):
        order = rng.permutation(len(found[name].frames))
        mixed[str(name)] = Detections(*(column[order] for column in vars(found[name]).values()))
    again = localise(mixed, regions, frames)
    assert (first.rbdc, first.tbdc) == (again.rbdc, again.tbdc)
    np.testing.assert_array_equal(first.region_rates, again.region_rates)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_monotone_maps_of_the_scores_change_nothing(seed: int) -> None:
    found, regions, frames = scattered(np.random.default_rng(seed), 4)
    mapped = {name: Detections(part.frames, part.boxes, 1e-6 * part.scores**3 - 4) for name, part in found.items()}
    first, again = localise(found, regions, frames), localise(mapped, regions, frames)
    assert (first.rbdc, first.tbdc) == (again.rbdc, again.tbdc)


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(Path(__file__).parents[3] / "benchmarks/localisation.py"))


@pytest.mark.parametrize("sizes", [(1, 30, 200, 3), (9, 700, 1500, 12), (4, 60, 900, 1)])
@pytest.mark.parametrize("ties", ["grouped", "reference"])
def test_without_ties_it_is_the_loop_over_the_boxes(benchmark: dict, sizes: tuple, ties: str) -> None:
    made = benchmark["synthesised"](np.random.default_rng(sum(sizes)), *sizes)
    result = localise(*made, ties=ties)
    assert (result.rbdc, result.tbdc) == pytest.approx(benchmark["sequential"](*made), abs=1e-12)
    assert result.tracks == sizes[3]


@pytest.mark.parametrize("seed", range(5))
def test_reference_mode_is_the_loop_in_file_order_with_ties(benchmark: dict, seed: int) -> None:
    made = scattered(np.random.default_rng(seed), 3)
    result = localise(*made, ties="reference")
    assert (result.rbdc, result.tbdc) == pytest.approx(benchmark["sequential"](*made), abs=1e-12)


def test_weighting_videos_is_putting_them_in_again() -> None:
    rng = np.random.default_rng(5)
    found, regions, frames = scattered(rng, 5)
    matches = match(found, regions, frames)
    names = list(frames)
    for _ in range(10):
        weights = rng.multinomial(3, [1 / 3] * 3)
        copies = [(name, f"{name}{k}") for name, count in zip(names, weights, strict=True) for k in range(count)]
        again = localise(
            {copy: found[name] for name, copy in copies},
            {copy: regions[name] for name, copy in copies if name in regions},
            {copy: frames[name] for name, copy in copies},
        )
        once = measured(matches, weights)
        np.testing.assert_allclose([once.rbdc, once.tbdc], [again.rbdc, again.tbdc], atol=1e-12)
        assert (once.regions, once.tracks, once.frames) == (again.regions, again.tracks, again.frames)
    areas = partial(resampled_areas, partial(measured, matches))
    assert areas(np.ones((1, 3), int)).tolist() == [[measured(matches).rbdc, measured(matches).tbdc]]
    low, high = bootstrap(lambda drawn: areas(drawn)[:, 0], 3, generator(0), draws=50)
    assert 0 <= low <= measured(matches).rbdc <= high <= 1


def test_what_is_undefined_says_why() -> None:
    nowhere = localise({"v": boxes((0, A, 1.0))}, {}, {"v": 3})
    assert math.isnan(nowhere.rbdc)
    assert reason(nowhere.rbdc) == reason(nowhere.tbdc) == "no ground-truth region"
    assert nowhere.false_positives.tolist() == [1 / 3]
    assert reason(localise({}, {}, {}).rbdc) == "no frame"
    silent = localise({}, {"v": truth((0, 0, A))}, {"v": 3})
    assert (silent.rbdc, silent.tbdc) == (0, 0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": {}}, "none for v"),
        ({"frames": {"v": 1}}, "video v: expected frames below 1, found 2"),
        ({"beta": 0.0}, "beta above 0"),
        ({"alpha": 1.5}, "alpha above 0.*1.5"),
        ({"ties": "grouped."}, "did you mean 'grouped'"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict, words: str) -> None:
    arguments = {"detections": {"v": boxes((2, A, 1.0))}, "regions": {"v": truth((0, 0, A))}, "frames": {"v": 3}}
    with pytest.raises(PagenError, match=words):
        localise(**{**arguments, **change})
