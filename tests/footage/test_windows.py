from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.footage.windows import Windows

LENGTH = st.integers(1, 20)
FRAMES = st.integers(1, 60)


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    length = draw(LENGTH)
    return Windows(length, draw(st.integers(0, length - 1)))


@settings(max_examples=200, deadline=None)
@given(windows(), FRAMES)
def test_every_frame_is_scored_once_by_a_window_that_holds_it(window: Windows, frames: int) -> None:
    starts = window.starts(frames)
    assert [start + window.scored for start in starts] == list(range(frames))
    for start in starts:
        indices = window.indices(start, frames)
        assert indices.shape == (window.length,)
        assert indices.min() >= 0
        assert indices.max() < frames
        assert indices[window.scored] == start + window.scored


@settings(max_examples=100, deadline=None)
@given(LENGTH, FRAMES)
def test_causal_windows_never_look_ahead(length: int, frames: int) -> None:
    window = Windows(length, length - 1)
    for start in window.starts(frames):
        assert window.indices(start, frames).max() == start + window.scored


@settings(max_examples=100, deadline=None)
@given(windows(), FRAMES)
def test_only_the_ends_are_repeated(window: Windows, frames: int) -> None:
    for start in window.starts(frames):
        plain = [min(max(index, 0), frames - 1) for index in range(start, start + window.length)]
        assert window.indices(start, frames).tolist() == plain


@settings(max_examples=100, deadline=None)
@given(windows(), FRAMES)
def test_windows_inside_are_those_that_repeat_nothing(window: Windows, frames: int) -> None:
    inside = [
        start
        for start in range(-window.length, frames + window.length)
        if np.array_equal(window.indices(start, frames), np.arange(start, start + window.length))
    ]
    assert list(window.inside(frames)) == inside
    assert len(inside) == max(frames - window.length + 1, 0)


def test_the_usual_window_is_causal() -> None:
    window = Windows()
    assert (window.length, window.scored) == (16, 15)
    assert window.indices(-15, 3).tolist() == [0] * 16
    assert window.indices(-13, 3).tolist() == [0] * 14 + [1, 2]
