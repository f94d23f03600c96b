"""Labels that fit a clip: countings, slack, polarity, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.footage.labels.said import COUNTINGS, Spans, Vector, from_masks, vector


@pytest.mark.parametrize(
    ("counting", "frames"),
    [("half-open", [2, 3]), ("zero-inclusive", [2, 3, 4]), ("one-inclusive", [1, 2, 3])],
)
def test_an_interval_means_other_frames_by_each_counting(counting: str, frames: list[int]) -> None:
    assert np.flatnonzero(Spans(((2, 4),), counting).fit(6).labels).tolist() == frames
    assert np.flatnonzero(Spans(((2, 4),)).fit(6, counting=counting).labels).tolist() == frames


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10)), max_size=5),
    st.sampled_from(sorted(COUNTINGS)),
    st.integers(25, 40),
)
@settings(max_examples=100, deadline=None)
def test_a_frame_is_abnormal_where_any_interval_holds_it(
    starts_and_lengths: list[tuple[int, int]], counting: str, length: int
) -> None:
    first, last_included = COUNTINGS[counting]
    pairs = tuple((start + first, start + first + extent) for start, extent in starts_and_lengths)
    numbers = np.arange(length) + first
    expected = [int(any(a <= n <= b if last_included else a <= n < b for a, b in pairs)) for n in numbers]
    fitted = Spans(pairs, counting).fit(length, slack=10)
    assert fitted.labels.dtype == np.uint8
    assert fitted.labels.tolist() == expected
    ends = [b - first + last_included for _, b in pairs]
    assert fitted.surplus == max([0, *(end - length for end in ends)])


def test_intervals_beyond_the_clip_are_clamped_within_the_slack_and_told() -> None:
    fitted = Spans(((3, 7), (9, 9)), "one-inclusive").fit(6, slack=3)
    assert fitted.labels.tolist() == [0, 0, 1, 1, 1, 1]
    assert fitted.surplus == 3
    with pytest.raises(PagenError, match=r"within the clip's 6, found 9 to 9 in a.txt, clip b"):
        Spans(((3, 7), (9, 9)), "one-inclusive").fit(6, "a.txt, clip b", slack=2)


def test_frame_0_where_frames_count_from_1_is_beyond_the_clip_too() -> None:
    assert Spans(((0, 2),), "one-inclusive").fit(3, slack=1).labels.tolist() == [1, 1, 0]
    assert Spans(((0, 2),), "one-inclusive").fit(3, slack=1).surplus == 1
    with pytest.raises(PagenError, match="found 0 to 2"):
        Spans(((0, 2),), "one-inclusive").fit(3)


def test_intervals_turned_round_are_refused_and_empty_ones_say_nothing() -> None:
    with pytest.raises(PagenError, match="end after they begin, found 5 to 4 in the labels"):
        Spans(((5, 4),), "zero-inclusive").fit(9)
    assert not Spans(((5, 5),)).fit(9).labels.any()
    with pytest.raises(PagenError, match="did you mean 'half-open'"):
        Spans(((5, 5),)).fit(9, counting="half_open")


@pytest.mark.parametrize(
    ("count", "slack", "labels", "surplus"),
    [
        (4, 0, [0, 1, 0, 1], 0),
        (3, 1, [0, 1, 0], 1),
        (5, 1, [0, 1, 0, 1, 1], -1),
        (6, 2, [0, 1, 0, 1, 1, 1], -2),
    ],
)
def test_arrays_are_cut_or_extended_by_their_last_label(
    count: int, slack: int, labels: list[int], surplus: int
) -> None:
    fitted = Vector(np.array([0, 1, 0, 1])).fit(count, slack=slack)
    assert (fitted.labels.tolist(), fitted.surplus) == (labels, surplus)
    if slack:
        with pytest.raises(PagenError, match=rf"one label a frame, \({count},\), in a.npy, found \(4,\)"):
            Vector(np.array([0, 1, 0, 1])).fit(count, "a.npy", slack=slack - 1)


def test_an_array_may_mark_normal_frames() -> None:
    assert Vector(np.array([0.0, 1.0])).fit(2, normal=1).labels.tolist() == [1, 0]


@pytest.mark.parametrize("value", [2, -1, np.nan, 0.5, 255])
def test_arrays_of_anything_but_0_and_1_are_refused(value: float) -> None:
    with pytest.raises(PagenError, match="labels 0 and 1 in the labels, found"):
        Vector(np.array([0, 1, value])).fit(3)


def test_an_empty_array_extends_to_nothing() -> None:
    with pytest.raises(PagenError, match="one label a frame"):
        Vector(np.zeros(0)).fit(1, slack=1)


@pytest.mark.parametrize("array", [np.zeros((5, 1)), np.zeros((2, 5)), np.array(3), np.array(["0"]), np.array([None])])
def test_arrays_of_another_shape_or_kind_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PagenError, match=r"one number a frame, \(T,\), in a.npy"):
        vector(array, "a.npy")


def test_masks_label_a_frame_by_any_pixel() -> None:
    masks = np.zeros((4, 3, 5), bool)
    masks[1, 2, 4] = masks[3] = True
    assert from_masks(masks).tolist() == [0, 1, 0, 1]
