"""Mixed flow against a twin that goes pixel by pixel."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from pagen.generate.temporal import bounding_box, draw_mix, mix_flow
from pagen.seeds import generator

Flow = npt.NDArray[np.floating[Any]]
Masks = npt.NDArray[np.bool_]
Place = tuple[float, float]

shares = st.floats(0, 1, exclude_max=True, width=32)
places = st.tuples(shares, shares)


@st.composite
def flows_and_masks(draw: st.DrawFn, dtype: type[np.floating[Any]] = np.float32) -> tuple[Flow, Masks]:
    """Flow (T, 2, H, W) and masks that are not empty, from single pixels to whole maps."""
    frames, height, width = draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    masks = rng.random((frames, height, width)) < rng.random((frames, 1, 1))
    masks[:, rng.integers(height), rng.integers(width)] = True
    return rng.normal(0, 5, (frames, 2, height, width)).astype(dtype), masks


def by_pixels(flow: Flow, masks: Masks, weight: float, place: Place, rectangle: bool) -> tuple[Flow, Masks]:
    """The twin, in float64."""
    mixed, region = flow.astype(np.float64), np.zeros(masks.shape, np.bool_)
    frames, height, width = masks.shape
    for t in range(frames):
        ys = [y for y in range(height) for x in range(width) if masks[t, y, x]]
        xs = [x for y in range(height) for x in range(width) if masks[t, y, x]]
        highest_y, highest_x = height - (max(ys) - min(ys) + 1), width - (max(xs) - min(xs) + 1)
        down = [y for y in range(highest_y + 1) if y <= place[0] * (highest_y + 1)][-1] - min(ys)
        right = [x for x in range(highest_x + 1) if x <= place[1] * (highest_x + 1)][-1] - min(xs)
        for y in range(min(ys), max(ys) + 1):
            for x in range(min(xs), max(xs) + 1):
                if rectangle or masks[t, y, x]:
                    region[t, y, x] = True
                    for axis in range(2):
                        own, foreign = float(flow[t, axis, y, x]), float(flow[t, axis, y + down, x + right])
                        mixed[t, axis, y, x] = weight * own + (1 - weight) * foreign
    return mixed, region


@settings(max_examples=60, deadline=None)
@given(flows_and_masks(), st.floats(0, 1), places, st.booleans())
def test_as_pixel_by_pixel(given_: tuple[Flow, Masks], weight: float, place: Place, rectangle: bool) -> None:
    flow, masks = given_
    mixed, region = mix_flow(flow, masks, weight, place, "rectangle" if rectangle else "silhouette")
    expected, expected_region = by_pixels(flow, masks, weight, place, rectangle)
    np.testing.assert_array_equal(region, expected_region)
    np.testing.assert_allclose(mixed, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(flows_and_masks(np.float16), st.floats(0, 1), places, st.sampled_from(["silhouette", "rectangle"]))
def test_bit_equal_outside_the_region(given_: tuple[Flow, Masks], weight: float, place: Place, shape: str) -> None:
    flow, masks = given_
    before = flow.copy()
    mixed, region = mix_flow(flow, masks, weight, place, shape)
    assert mixed.dtype == np.float16
    np.testing.assert_array_equal(flow, before)
    outside = np.broadcast_to(~region[:, None], flow.shape)
    assert mixed[outside].tobytes() == flow[outside].tobytes()
    if shape == "silhouette":
        np.testing.assert_array_equal(region, masks)
    for t, mask in enumerate(masks):
        top, left, height, width = bounding_box(mask)
        assert region[t, top : top + height, left : left + width].sum() == region[t].sum()
        if shape == "rectangle":
            assert region[t].sum() == height * width


@settings(max_examples=30, deadline=None)
@given(flows_and_masks(), st.floats(0, 1), places, st.sampled_from(["silhouette", "rectangle"]))
def test_linear_between_the_two_regions(given_: tuple[Flow, Masks], weight: float, place: Place, shape: str) -> None:
    flow, masks = given_
    own, other, mixed = (mix_flow(flow, masks, share, place, shape)[0] for share in (1.0, 0.0, weight))
    np.testing.assert_array_equal(own, flow)
    np.testing.assert_allclose(mixed, weight * own + (1 - weight) * other, rtol=1e-5, atol=1e-5)


def test_weight_0_gives_the_other_region_of_the_same_map() -> None:
    flow = generator(0).normal(size=(2, 2, 6, 8)).astype(np.float16)
    masks = np.zeros((2, 6, 8), np.bool_)
    masks[0, 2:4, 3:6] = masks[1, 0:3, 0:2] = True
    mixed, _ = mix_flow(flow, masks, 0.0, (0.0, 0.999), "rectangle")
    np.testing.assert_array_equal(mixed[0, :, 2:4, 3:6], flow[0, :, 0:2, 5:8])
    np.testing.assert_array_equal(mixed[1, :, 0:3, 0:2], flow[1, :, 0:3, 6:8])


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.999, 0.999), (np.nextafter(1, 0), np.nextafter(1, 0))])
@pytest.mark.parametrize("side", [1, 5, 7])
def test_the_other_region_lies_inside_and_reaches_every_corner(place: Place, side: int) -> None:
    # the flow is the place itself, so that what was taken tells where from
    flow = np.broadcast_to(np.indices((7, 7), np.float32), (1, 2, 7, 7))
    masks = np.zeros((1, 7, 7), np.bool_)
    masks[0, :side, 7 - side :] = True
    mixed, _ = mix_flow(flow, masks, 0.0, place, "rectangle")
    taken = mixed[0, :, :side, 7 - side :]
    first = 0 if place[0] == 0 else 7 - side
    np.testing.assert_array_equal(taken, np.indices((side, side)) + first)


def test_lambda_is_beta_and_the_place_is_uniform() -> None:
    count, rng = 6000, generator(0)
    draws = [draw_mix(rng) for _ in range(count)]
    weights, spots = np.array([weight for weight, _ in draws]), np.array([place for _, place in draws])
    law = beta(0.4, 0.4)
    assert abs(weights.mean() - 0.5) < 4 * law.std() / np.sqrt(count)
    assert abs(weights.var() - law.var()) < 0.005
    for bound, share in ((0.9, 0.24), (0.95, 0.18)):
        assert abs(law.sf(bound) - share) < 0.005
        assert abs((weights > bound).mean() - law.sf(bound)) < 4 * np.sqrt(share * (1 - share) / count)
    assert abs(((weights > 0.2) & (weights < 0.8)).mean() - 0.35) < 0.03
    assert spots.min() >= 0
    assert spots.max() < 1
    np.testing.assert_allclose(spots.mean(axis=0), 0.5, atol=4 / np.sqrt(12 * count))
    np.testing.assert_allclose(spots.var(axis=0), 1 / 12, atol=0.005)
    assert draw_mix(generator(3)) == draw_mix(generator(3))


@settings(max_examples=30, deadline=None)
@given(flows_and_masks(), st.integers(0, 99), st.sampled_from(["silhouette", "rectangle"]))
def test_lists_mix_each_map_as_if_it_were_alone(given_: tuple[Flow, Masks], seed: int, shape: str) -> None:
    flow, masks = given_
    weights, spots = draw_mix(generator(seed), len(flow), "frame", "frame")
    assert isinstance(weights, list)
    assert isinstance(spots, list)
    mixed, region = mix_flow(flow, masks, weights, spots, shape)
    for t in range(len(flow)):
        alone, alone_region = mix_flow(flow[t : t + 1], masks[t : t + 1], weights[t], spots[t], shape)  # type: ignore[arg-type]
        np.testing.assert_array_equal(mixed[t], alone[0])
        np.testing.assert_array_equal(region[t], alone_region[0])


def test_what_is_drawn_for_each_map_differs_and_the_rest_is_kept() -> None:
    assert draw_mix(generator(5), 16) == draw_mix(generator(5))
    weights, spots = draw_mix(generator(5), 16, "frame", "frame")
    assert isinstance(weights, list)
    assert len(set(weights)) == len(set(spots)) == 16  # type: ignore[arg-type]
    one, many = draw_mix(generator(5), 16, "clip", "frame")
    assert (one, len(many)) == (draw_mix(generator(5))[0], 16)
    many, spot = draw_mix(generator(5), 16, "frame", "clip")
    assert many == weights
    assert len(spot) == 2
    assert json.loads(json.dumps([weights, spots])) == [weights, [list(spot) for spot in spots]]


def test_todays_draw_is_kept() -> None:
    rng = generator(3)
    assert draw_mix(generator(3)) == (float(rng.beta(0.4, 0.4)), (float(rng.random()), float(rng.random())))


def test_a_lambda_above_the_largest_is_drawn_again() -> None:
    count, rng, law = 4000, generator(1), beta(0.4, 0.4)
    weights, _ = draw_mix(rng, count, "frame", "clip", 0.9)
    found = np.asarray(weights)
    assert found.max() <= 0.9
    for bound in (0.1, 0.5, 0.8):  # Beta cut off at 0.9
        share = law.cdf(bound) / law.cdf(0.9)
        assert abs((found <= bound).mean() - share) < 4 * np.sqrt(share * (1 - share) / count)
    kept = draw_mix(generator(3), 1, "clip", "clip", 1.0)
    assert kept == draw_mix(generator(3))
