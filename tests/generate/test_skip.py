"""The rule of skip-frame clips, by enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.generate.skip import Skip, draw_skip, strides_that_fit
from pagen.seeds import generator


def valid(frames: int, length: int, strides: tuple[int, ...]) -> set[tuple[int, int]]:
    """Every (start, stride) whose last frame lies within the video, found by trying them all."""
    tried = product(range(frames), [stride for stride in strides if stride != 1])
    return {(start, stride) for start, stride in tried if start + stride * (length - 1) <= frames - 1}


@pytest.mark.parametrize("frames", [5, 6, 7, 9, 10, 13])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_draws_are_exactly_the_valid_ones(frames: int, length: int) -> None:
    strides = (1, 2, 3, 5)
    expected = valid(frames, length, strides)
    assert {stride for _, stride in expected} == set(strides_that_fit(frames, length, strides))
    if not expected:
        with pytest.raises(PagenError):
            draw_skip(frames, 0, length, strides, generator(0))
        return
    rng = generator(0, frames, length)
    found = set()
    for _ in range(40):
        for start in range(frames):
            skip = draw_skip(frames, start, length, strides, rng)
            found.add((skip.start, skip.stride))
            if (start, skip.stride) in expected:
                assert skip.start == start
            assert skip.indices(length)[-1] < frames
    assert found == expected


def test_strides_and_redrawn_starts_are_uniform() -> None:
    rng, count = generator(1), 4000
    draws = [draw_skip(12, 11, 4, (2, 3), rng) for _ in range(count)]
    twos = [skip.start for skip in draws if skip.stride == 2]
    assert abs(len(twos) - count / 2) < 4 * np.sqrt(count / 4)
    shares = np.bincount(twos, minlength=6) / len(twos)
    assert shares.shape == (6,)
    assert np.abs(shares - 1 / 6).max() < 4 * np.sqrt(5 / 36 / len(twos))


def test_a_clip_goes_on_by_its_stride() -> None:
    assert Skip(3, 5).indices(4).tolist() == [3, 8, 13, 18]


def test_same_rng_same_draw() -> None:
    assert draw_skip(90, 80, 16, (2, 3, 4, 5), generator(7, "a")) == draw_skip(
        90, 80, 16, (2, 3, 4, 5), generator(7, "a")
    )


def test_ends_of_a_video_of_ped2() -> None:
    # a clip of 16 at strides 2 to 5 spans 31, 46, 61, 76 frames
    spans = {2: 31, 3: 46, 4: 61, 5: 76}
    for stride, span in spans.items():
        assert stride in strides_that_fit(span, 16, (2, 3, 4, 5))
        assert stride not in strides_that_fit(span - 1, 16, (2, 3, 4, 5))


def test_errors_say_what_is_needed() -> None:
    with pytest.raises(PagenError, match="at least 31 frames"):
        draw_skip(30, 0, 16, (3, 2), generator(0))
    with pytest.raises(PagenError, match="strides of 2 and more"):
        draw_skip(300, 0, 16, (1,), generator(0))
