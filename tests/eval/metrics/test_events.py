from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.metrics.events import (
    alarm_events,
    at_false_alarms,
    detection_delays,
    event_recall,
    events,
    false_alarm_counts,
    operating_point,
)
from pagen.eval.metrics.undefined import reason

HOUR = 3600
"""Frames of an hour at 1 frame a second."""


def test_events_are_the_runs_of_label_1() -> None:
    assert events(np.array([1, 1, 0, 0, 1, 0, 1])).tolist() == [[0, 2], [4, 5], [6, 7]]
    assert events(np.zeros(3, bool)).shape == events(np.empty(0, int)).shape == (0, 2)


def test_alarms_are_joined_over_gaps() -> None:
    scores = np.array([1.0, 0, 1, 0, 0, 1, 1])
    assert alarm_events(scores, 1).tolist() == [[0, 1], [2, 3], [5, 7]]
    assert alarm_events(scores, 1, gap=1).tolist() == [[0, 3], [5, 7]]
    assert alarm_events(scores, 1, gap=2).tolist() == [[0, 7]]
    assert alarm_events(scores, 2, gap=2).shape == (0, 2)


def test_numbers_of_a_short_film() -> None:
    """One event caught 2 frames late, one missed, an alarm that outlasts its event, and two false alarms."""
    labels = {"a": np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0]), "b": np.array([0, 1, 1, 0, 0, 0, 0, 0, 0, 0])}
    scores = {"a": np.array([0, 9, 0, 0, 0, 9, 9, 9, 0, 0.0]), "b": np.array([0, 0, 0, 0, 9, 0, 0, 8, 9, 1.0])}
    point = operating_point(scores, labels, 8, fps=2)
    assert (point.false_alarms, point.events) == (3, 2)
    assert point.false_alarms_per_hour == 3 / (20 / 2 / 3600)
    assert (point.tpr, point.event_recall, point.mean_delay) == (2 / 6, 0.5, 2.0)
    assert operating_point(scores, labels, 8, fps=2, gap=2).false_alarms == 2
    assert operating_point(scores, labels, 8, fps=2, gap=3).false_alarms == 1  # frames 1 to 8 of `a` become one alarm
    assert event_recall(scores, labels, 8) == 0.5
    delays = detection_delays(scores, labels, 8)
    np.testing.assert_array_equal(delays["a"], [2])
    np.testing.assert_array_equal(delays["b"], [np.nan])


def test_the_operating_point_keeps_to_the_false_alarms_allowed() -> None:
    labels = {"v": np.r_[np.zeros(HOUR // 2, int), np.ones(10, int), np.zeros(HOUR // 2 - 10, int)]}
    scores = {"v": np.zeros(HOUR)}
    scores["v"][[100, 200, 300]] = 7, 5, 3
    scores["v"][HOUR // 2 + np.arange(10)] = 8, 6, 6, 4, 4, 4, 2, 2, 2, 2
    found = {allowed: at_false_alarms(scores, labels, allowed, fps=1) for allowed in (0, 1, 2, 3)}
    assert [point.threshold for point in found.values()] == [8, 6, 4, 0]
    assert [point.tpr for point in found.values()] == [0.1, 0.3, 0.6, 1]
    assert [point.false_alarms_per_hour for point in found.values()] == [0, 1, 2, 0]  # at 0 all is one alarm
    assert found[0].mean_delay == 0
    assert at_false_alarms(scores, labels, 0.5, fps=0.5).threshold == 6  # 2 hours


def test_where_the_first_alarm_is_false_nothing_may_be_raised() -> None:
    point = at_false_alarms({"v": np.array([1.0, 5, 2])}, {"v": np.array([1, 0, 1])}, 0, fps=25)
    assert (point.threshold, point.tpr, point.event_recall, point.false_alarms) == (math.inf, 0, 0, 0)
    assert reason(point.mean_delay) == "no event was detected"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_false_alarms_at_all_thresholds_are_those_at_each(seed: int, gap: int, abnormal: float) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 25, 3)
    labels = {str(k): (rng.random(length) < abnormal).astype(int) for k, length in enumerate(lengths)}
    scores = {name: rng.integers(-4, 5, len(marks)).astype(float) for name, marks in labels.items()}
    thresholds, counts = false_alarm_counts(scores, labels, gap)
    assert thresholds.tolist() == sorted({s for part in scores.values() for s in part.tolist()}, reverse=True)
    assert counts.tolist() == [slow(scores, labels, threshold, gap) for threshold in thresholds]
    if len(thresholds):
        counted = [operating_point(scores, labels, threshold, 25, gap).false_alarms for threshold in thresholds]
        assert counts.tolist() == counted


def slow(scores: dict, labels: dict, threshold: float, gap: int) -> int:
    """Frame by frame: how many alarm events end without having met an abnormal frame."""
    false = 0
    for name in scores:
        standing, quiet, touched, waiting = False, 0, False, False
        for score, mark in zip([*scores[name], *[-np.inf] * (gap + 1)], [*labels[name], *[0] * (gap + 1)], strict=True):
            if score >= threshold:
                touched |= bool(mark) or (standing and waiting)
                standing, quiet, waiting = True, 0, False
            elif standing:
                quiet, waiting = quiet + 1, waiting or bool(mark)
                if quiet > gap:
                    false += not touched
                    standing, quiet, touched, waiting = False, 0, False, False
    return false


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.floats(0, 300))
def test_the_lowest_threshold_that_keeps_to_them_is_found(seed: int, gap: int, allowed: float) -> None:
    rng = np.random.default_rng(seed)
    labels = {name: (rng.random(40) < 0.2).astype(int) for name in "ab"}
    scores = {name: rng.integers(0, 9, 40) + marks for name, marks in labels.items()}
    chosen = math.inf
    for threshold in range(9, -1, -1):
        if operating_point(scores, labels, threshold, 0.1, gap).false_alarms_per_hour > allowed:
            break
        chosen = threshold if any(threshold in part for part in scores.values()) else chosen
    point = at_false_alarms(scores, labels, allowed, 0.1, gap)
    assert point.threshold == chosen
    assert repr(point) == repr(operating_point(scores, labels, point.threshold, 0.1, gap))


def test_what_is_undefined_says_why() -> None:
    normal = operating_point({"v": np.arange(4.0)}, {"v": np.zeros(4, int)}, 2, 25)
    assert [reason(v) for v in (normal.tpr, normal.event_recall, normal.mean_delay)] == [
        "no abnormal frame",
        "no event",
        "no event was detected",
    ]
    assert reason(event_recall({"v": np.arange(4.0)}, {"v": np.zeros(4, int)}, 2)) == "no event"
    empty = operating_point({"v": np.empty(0)}, {"v": np.empty(0, int)}, 2, 25)
    assert reason(empty.false_alarms_per_hour) == "no frames"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fps": 0}, "frame rate above 0"),
        ({"gap": -1}, "found -1"),
        ({"labels": {"w": np.zeros(3, int)}}, "same videos"),
        ({"labels": {"v": np.zeros(2, int)}}, r"\(3,\) and \(2,\)"),
        ({"scores": {"v": np.array([0, np.nan, 1])}}, "NaN first at frame 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict, words: str) -> None:
    arguments = {"scores": {"v": np.arange(3.0)}, "labels": {"v": np.zeros(3, int)}, "per_hour": 1, "fps": 25, "gap": 0}
    with pytest.raises(PagenError, match=words):
        at_false_alarms(**{**arguments, **change})
