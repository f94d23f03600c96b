"""Masks against the published coverage, and silhouettes against things whose place is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.generate.masks import (
    MASKS,
    PRESETS,
    MotionMasks,
    RandomMasks,
    StrokePreset,
    background,
    draw,
    follow,
    open_masks,
    random_mask,
    silhouettes,
)
from pagen.seeds import generator

Video = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]


def walkers(channels: int = 1, frames: int = 40) -> tuple[Video, Masks]:
    """A dark square that walks to the right over noisy ground, and a bright one that walks down further right."""
    rng = generator(0, "walkers")
    ground = rng.integers(90, 140, size=(96, 128, channels))
    video = np.clip(ground + rng.normal(0, 2, size=(frames, 96, 128, channels)), 0, 255).astype(np.uint8)
    truth = np.zeros((2, frames, 96, 128), np.bool_)
    for t in range(frames):
        truth[0, t, 60:76, 2 + 2 * t : 14 + 2 * t] = True
        truth[1, t, 5 + t : 19 + t, 108:120] = True
    video[truth[0]] //= 3
    video[truth[1]] += 90
    return video, truth


# mean over 1,500 draws of the official generator at 256 x 256, before masks over one half are dropped
@pytest.mark.parametrize(("preset", "coverage"), [("thin_256", 0.295), ("medium_256", 0.233), ("thick_256", 0.393)])
def test_coverage_of_lama(preset: str, coverage: float) -> None:
    rng = generator(0, preset)
    shares = np.array([draw((256, 256), rng, PRESETS[preset]).mean() for _ in range(300)])
    # both means have an error
    error = shares.std(ddof=1) * np.sqrt(1 / 300 + 1 / 1500)
    assert abs(shares.mean() - coverage) < 4 * error
    if preset == "thick_256":
        assert abs((shares > 0.5).mean() - 0.34) < 4 * np.sqrt(0.34 * 0.66 * (1 / 300 + 1 / 1500))


def test_small_covers_as_much_as_a_pedestrian() -> None:
    rng = generator(0)
    shares = np.array([random_mask((256, 256), rng).mean() for _ in range(400)])
    assert 0.012 < shares.mean() < 0.019
    assert np.quantile(shares, 0.02) > 0.002
    assert shares.max() < 0.06


def test_coverage_does_not_depend_on_the_size_of_the_frame() -> None:
    small, large = (
        np.array([draw((side, side), generator(i), PRESETS["medium_256"]).mean() for i in range(200)])
        for side in (96, 384)
    )
    # the same draws at two scales: they differ by the rounding to pixels only
    assert abs(small.mean() - large.mean()) < 0.02


def test_first_strokes_take_whole_radians_backwards() -> None:
    # one or two strokes of one segment of 100 pixels; only single ones, away from the border, are looked at
    preset = StrokePreset(400, (1, 1), width=1, length=1, brush=1, step=100, segments=1)
    rng, found = generator(6), set()
    for _ in range(400):
        rows, columns = np.nonzero(draw((400, 400), rng, preset))
        h, w = np.ptp(rows), np.ptp(columns)
        inside = min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < 399
        if inside and abs(np.hypot(h, w) - 100) < 2:
            rises = np.corrcoef(rows, columns)[0, 1] if w > 5 else 1
            found.add((int(h), int(w), bool(rises > 0)))
    steps = [100 * np.exp(-1j * (k + 0.01)) for k in range(4)]
    expected = {(int(abs(z.real)), int(abs(z.imag)), bool(z.real * z.imag > 0) or k == 0) for k, z in enumerate(steps)}
    assert len(found) == 4
    for h, w, rises in found:
        assert any(abs(h - a) <= 1 and abs(w - b) <= 1 and rises == c for a, b, c in expected)


def test_strokes_or_boxes_by_normalised_weights() -> None:
    preset = StrokePreset(64, (1, 1), width=1, length=1, box_weight=0.3, side=(25, 30), boxes=(1, 1))
    rng = generator(8)
    boxes = np.mean([draw((64, 64), rng, preset).sum() >= 625 for _ in range(3000)])
    share = 0.3 / 1.3
    assert abs(boxes - share) < 4 * np.sqrt(share * (1 - share) / 3000)


def test_boxes_lie_within_the_margin_and_their_sides_include_the_longest() -> None:
    rng, sides = generator(4), set()
    preset = PRESETS["small"]
    for _ in range(1500):
        mask = draw((256, 256), rng, preset)
        rows, columns = np.nonzero(mask)
        h, w = np.ptp(rows) + 1, np.ptp(columns) + 1
        if mask.sum() == h * w:
            sides |= {int(h), int(w)}
    assert sides >= set(range(preset.side[0], preset.side[1] + 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 200), st.integers(16, 200), st.sampled_from(sorted(PRESETS)), st.integers(0, 10**9))
def test_never_empty_never_over_half_and_the_same_from_the_same_rng(h: int, w: int, preset: str, seed: int) -> None:
    mask = random_mask((h, w), generator(seed), preset)
    assert mask.shape == (h, w)
    assert mask.dtype == np.bool_
    assert 0 < mask.mean() <= 0.5
    np.testing.assert_array_equal(mask, random_mask((h, w), generator(seed), preset))


def test_background_is_the_median_of_evenly_spread_frames() -> None:
    video, _ = walkers(frames=41)
    np.testing.assert_array_equal(background(video), np.median(video, axis=0))
    long = np.arange(200, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    assert abs(int(background(long)[0, 0, 0]) - 99.5) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_silhouettes_recover_what_moves(channels: int) -> None:
    video, truth = walkers(channels)
    found, expected = silhouettes(video, background(video)), truth.any(axis=0)
    for t in range(len(video)):
        assert (found[t] & expected[t]).sum() / (found[t] | expected[t]).sum() > 0.85
    # in whatever pieces, and under another light
    np.testing.assert_array_equal(found[7:9], silhouettes(video[7:9], background(video)))
    lighter = silhouettes(video[:5] + np.uint8(20), background(video))
    assert (lighter == found[:5]).mean() > 0.995


def test_silhouettes_of_noise_are_empty() -> None:
    for sigma in (1, 5, 12):
        noise = np.clip(128 + generator(1, sigma).normal(0, sigma, size=(12, 64, 64, 1)), 0, 255).astype(np.uint8)
        assert not silhouettes(noise, background(noise)).any()


def test_follow_keeps_to_one_of_two() -> None:
    _, truth = walkers()
    both = truth.any(axis=0)
    chosen = []
    for seed in range(12):
        masks, fell_back = follow(both, generator(seed))
        one = int(np.argmax([(masks & thing).sum() for thing in truth]))
        assert (masks & truth[one] == truth[one]).all()
        assert not (masks & truth[1 - one]).any()
        assert masks.sum() > truth[one].sum()
        assert not fell_back.any()
        chosen.append(one)
    assert set(chosen) == {0, 1}


def test_follow_takes_another_when_one_is_lost_and_says_where_nothing_moves() -> None:
    _, truth = walkers(frames=12)
    seen = truth.any(axis=0)
    seen[4:6] = False
    seen[8:, :, :100] = False
    masks, fell_back = follow(seen, generator(3))
    assert fell_back.tolist() == [t in (4, 5) for t in range(12)]
    assert masks.any(axis=(1, 2)).all()
    assert (masks[8:] & truth[1, 8:] == truth[1, 8:]).all()


def test_follow_never_covers_more_than_half() -> None:
    filled = np.ones((3, 40, 40), np.bool_)
    filled[:, :15] = False
    masks, fell_back = follow(filled, generator(0))
    assert fell_back.all()
    assert (masks.mean(axis=(1, 2)) <= 0.5).all()


@pytest.mark.parametrize("spec", ["random", "random:thin_256", "motion"])
def test_a_kind_goes_through_a_clip_in_segments(spec: str) -> None:
    video, truth = walkers()
    kind = open_masks(spec)
    state = kind.prepare(video)
    parts = [kind.segment(video[start : start + 16], state, generator(0, start)) for start in (0, 16, 32)]
    masks = np.concatenate([part for part, _ in parts])
    assert masks.shape == video.shape[:3]
    assert masks.dtype == np.bool_
    assert [fell_back for _, fell_back in parts] == [0, 0, 0]
    shares = masks.mean(axis=(1, 2))
    assert (shares > 0).all()
    assert (shares <= 0.5).all()
    np.testing.assert_array_equal(parts[1][0], kind.segment(video[16:32], state, generator(0, 16))[0])
    if spec == "motion":
        assert (masks & truth.any(axis=0)).any(axis=(1, 2)).all()


def test_a_segment_counts_the_frames_in_which_nothing_moves() -> None:
    video, _ = walkers()
    kind = open_masks("motion")
    ground = kind.prepare(video)
    video[3:5], video[9] = ground, ground
    masks, fell_back = kind.segment(video[:16], ground, generator(0))
    assert fell_back == 3
    assert masks.any(axis=(1, 2)).all()


def test_names_and_errors() -> None:
    assert MASKS.names() == ["motion", "random"]
    assert open_masks("random") == RandomMasks("small")
    assert open_masks("motion") == MotionMasks()
    with pytest.raises(PagenError, match="did you mean 'motion'"):
        open_masks("moton")
    with pytest.raises(PagenError, match="did you mean 'thick_256'"):
        open_masks("random:thick256")
    with pytest.raises(PagenError, match="without an option"):
        open_masks("motion:small")
    with pytest.raises(PagenError, match="16 pixels"):
        random_mask((15, 40), generator(0))
