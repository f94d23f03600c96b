"""Patches against a plain double loop written from the published description."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.generate.intruders import INTRUDERS, Pictures, fit
from pagen.generate.patch import PATCH_MASKS, Patch, draw_shown, render, smoothmix_s
from pagen.seeds import generator

draw_patch = partial(draw_shown, Pictures(), "train_01")


def ramp(i: int, n: int, c: int, cut: int) -> float:
    half = cut // 2
    a, b = min(max(c - half, 0), n), min(max(c + half, 0), n)
    r = 0.1 * half
    value = (i - (a - r)) / r if i < c else ((b + r) - i) / r
    return min(max(value, 0.0), 1.0)


def slow_smoothmix_s(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> npt.NDArray[np.float64]:
    mask = np.zeros(shape)
    for y in range(shape[0]):
        for x in range(shape[1]):
            mask[y, x] = ramp(y, shape[0], centre[0], size[0]) * ramp(x, shape[1], centre[1], size[1])
    return mask


def slow(value: Callable[[int, int, int], float]) -> Callable[..., npt.NDArray[np.float64]]:
    """A mask (H, W) whose pixel (y, x) is value(y, centre, size) * value(x, centre, size)."""

    def mask(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> npt.NDArray[np.float64]:
        made = np.zeros(shape)
        for y in range(shape[0]):
            for x in range(shape[1]):
                made[y, x] = value(y, centre[0], size[0]) * value(x, centre[1], size[1])
        return made

    return mask


def bell(i: int, centre: int, sigma: int) -> float:
    return math.exp(-((i - centre) ** 2) / (2 * sigma**2))


def inside(i: int, centre: int, cut: int) -> float:
    return float(centre - cut // 2 <= i < centre - cut // 2 + cut)


SLOW = {
    "smoothmix_s": slow_smoothmix_s,
    "smoothmix_c": slow(bell),
    "cutmix": slow(inside),
    "mixup": slow(lambda i, centre, cut: math.sqrt(0.5) * inside(i, centre, cut)),
}


def clip(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    return generator(5, "clip").integers(0, 256, size=shape, dtype=np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(12, 60), st.integers(12, 60), st.integers(10, 64), st.integers(10, 64))
def test_masks_equal_the_double_loop(data: st.DataObject, height: int, width: int, h: int, w: int) -> None:
    centre = (data.draw(st.integers(0, height)), data.draw(st.integers(0, width)))
    for name, expected in SLOW.items():
        mask = PATCH_MASKS[name]((height, width), centre, (h, w))
        np.testing.assert_allclose(mask, expected((height, width), centre, (h, w)), atol=1e-6)
        assert mask.shape == (height, width)
        assert mask.dtype == np.float32
        assert 0 <= mask.min() <= mask.max() <= 1
        assert mask.any()


def test_every_mask_has_a_double_loop() -> None:
    assert PATCH_MASKS.names() == sorted(SLOW)


@pytest.mark.parametrize("cut", [(10, 20), (11, 21)])
def test_boxes_have_their_size_inside_and_are_cut_by_every_border(cut: tuple[int, int]) -> None:
    whole = PATCH_MASKS["cutmix"]((40, 60), (15, 30), cut)
    rows, columns = np.nonzero(whole)
    assert (rows.min(), columns.min()) == (10, 20)
    assert whole.sum() == cut[0] * cut[1]
    assert PATCH_MASKS["cutmix"]((40, 60), (0, 0), cut).sum() == -(-cut[0] // 2) * -(-cut[1] // 2)
    assert PATCH_MASKS["cutmix"]((40, 60), (40, 60), cut).sum() == (cut[0] // 2) * (cut[1] // 2)
    np.testing.assert_array_equal(PATCH_MASKS["mixup"]((40, 60), (15, 30), cut), whole / 2)


def test_the_gaussian_has_its_deviations_and_its_peak_of_one() -> None:
    mask = PATCH_MASKS["smoothmix_c"]((101, 201), (50, 100), (10, 20))
    assert np.unravel_index(mask.argmax(), mask.shape) == (50, 100)
    assert mask[50, 100] == 1
    np.testing.assert_allclose(mask.sum(), 2 * np.pi * 10 * 20, rtol=1e-5)
    np.testing.assert_allclose([mask[40, 100], mask[50, 120]], np.exp(-0.5), rtol=1e-6)


def test_published_counts() -> None:
    large = smoothmix_s((256, 256), (128, 128), (128, 128))
    assert np.count_nonzero(large > 1 - 1e-6) == 129 * 129
    small = smoothmix_s((256, 256), (100, 60), (10, 10))
    assert np.count_nonzero(small == 1) == np.count_nonzero(small) == 11 * 11
    box = smoothmix_s((200, 256), (60, 100), (40, 80))
    rows, columns = np.nonzero(box == 1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 80, 60, 140)
    rows, columns = np.nonzero(box > 1e-6)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (39, 81, 57, 143)


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 300), st.integers(10, 300), st.integers(0, 12), st.integers(0, 10**6))
def test_walk_and_sizes_stay_in_bounds(height: int, width: int, max_move: int, seed: int) -> None:
    patch = draw_patch((height, width), 30, generator(seed), max_move=max_move)
    centres = np.array(patch.centres)
    assert centres.shape == (30, 2)
    assert (centres >= 0).all()
    assert (centres <= [height, width]).all()
    assert (centres[0] < [height, width]).all()
    assert np.abs(np.diff(centres, axis=0)).max() <= max_move
    assert 10 <= patch.size[0] <= max(10, height / 2)
    assert 10 <= patch.size[1] <= max(10, width / 2)
    assert patch.intruder in INTRUDERS


def test_draws_have_the_published_distribution() -> None:
    # 256 pixels, max_size 0.5: mean of the size 64, share of the smallest 11 / 128; steps uniform on -10 .. 10
    rng = generator(3)
    patches = [draw_patch((256, 256), 8, rng) for _ in range(800)]
    sizes = np.array([patch.size for patch in patches])
    expected = np.maximum(10, np.arange(128))
    assert np.abs(sizes.mean(axis=0) - expected.mean()).max() < 4 * expected.std() / np.sqrt(800)
    share = 11 / 128
    assert abs((sizes == 10).mean() - share) < 4 * np.sqrt(share * (1 - share) / 1600)
    inner = [p for p in patches if np.min(p.centres) > 0 and np.max(p.centres) < 256]
    steps = np.concatenate([np.diff(p.centres, axis=0).ravel() for p in inner])
    assert set(steps.tolist()) == set(range(-10, 11))


def test_walk_reaches_one_past_the_end() -> None:
    rng = generator(0)
    centres = np.concatenate([np.array(draw_patch((12, 30), 40, rng).centres) for _ in range(20)])
    assert centres.min(axis=0).tolist() == [0, 0]
    assert centres.max(axis=0).tolist() == [12, 30]


@pytest.mark.parametrize("max_move", [0, 10])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(SLOW))
def test_render_blends_inside_and_keeps_outside(name: str, channels: int, max_move: int) -> None:
    frames = clip((6, 48, 72, channels))
    before = frames.copy()
    patch = draw_shown(Pictures(("coffee",)), "train_01", (48, 72), 6, generator(11), max_move=max_move, mask=name)
    assert patch.mask == name
    assert len(set(patch.centres)) == (6 if max_move else 1)
    pseudo, mask = render(patch, frames)
    assert pseudo.dtype == np.uint8
    assert mask.shape == (6, 48, 72)
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(frames, before)
    np.testing.assert_array_equal(pseudo[mask == 0], frames[mask == 0])
    (picture,) = fit(Pictures().read("coffee", None, 6), (48, 72), channels)
    for t in range(6):
        m = SLOW[name]((48, 72), patch.centres[t], patch.size)[..., None]
        blended = m * picture.astype(np.float64) + (1 - m) * frames[t]
        assert np.abs(pseudo[t] - blended).max() <= 0.5 + 1e-3
        inside = mask[t] == 1
        np.testing.assert_array_equal(pseudo[t][inside], picture[inside])


def test_patch_survives_json_and_renders_the_same() -> None:
    frames = clip((5, 40, 40, 1))
    patch = draw_patch((40, 40), 5, generator(2))
    again = Patch.from_json(json.loads(json.dumps(patch.to_json())))
    assert again == patch
    assert render(again, frames)[0].tobytes() == render(patch, frames)[0].tobytes()
    assert draw_patch((40, 40), 5, generator(2)) == patch


def test_only_what_is_chosen_is_recorded() -> None:
    patch = draw_patch((40, 40), 5, generator(2))
    assert patch.to_json().keys() == {"intruder", "size", "centres", "mask"}
    chosen = replace(patch, intruder_start=0, variation=7)
    assert chosen.to_json() == {**patch.to_json(), "intruder_start": 0, "variation": 7}
    assert Patch.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen


def test_errors() -> None:
    patch = draw_patch((40, 40), 5, generator(2))
    with pytest.raises(PagenError, match="expected 5 frames"):
        render(patch, clip((4, 40, 40, 1)))
    with pytest.raises(PagenError, match="no patch mask named 'cutmx'; did you mean 'cutmix'"):
        render(replace(patch, mask="cutmx"), clip((5, 40, 40, 1)))
    with pytest.raises(PagenError, match="no intruder named 'camra'; did you mean 'camera'"):
        render(replace(patch, intruder="camra"), clip((5, 40, 40, 1)))
