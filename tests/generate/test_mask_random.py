"""Random masks against the published coverage, and stroke by stroke."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.generate.mask_random import PRESETS, RandomMasks, StrokePreset, draw, random_mask
from pagen.seeds import generator


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


def test_errors() -> None:
    with pytest.raises(PagenError, match="did you mean 'thick_256'"):
        RandomMasks("thick256")
    with pytest.raises(PagenError, match="16 pixels"):
        random_mask((15, 40), generator(0))
