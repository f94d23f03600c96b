from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.eval.camera.alerts import AlertLog, AlertTracker, Changes
from pagen.eval.camera.shots import Gap, Shot
from pagen.eval.camera.threshold import Smooth, Threshold, event_counts, heights, lowest_threshold
from pagen.eval.camera.watch import watch
from pagen.scoring.frame_score import FrameScore
from pagen.scoring.smooth import causal_smooth

THRESHOLD = Threshold("flow_speed", "", "flow_speed", 0.5, 0.0, 0.3, 0.2, 10.0, 1, 1, 0, 3, 0, 0, 1.0, None)
FRAME = np.zeros((8, 8), np.uint8)
SCORES = st.lists(st.integers(0, 4), min_size=1, max_size=24)


def shots(scores: list[float]) -> Iterator[tuple[Shot, float]]:
    for index, score in enumerate(scores):
        yield Shot(FRAME, index, index / 10, str(index)), score


def plain_events(scores: list[int], threshold: float, gap: int, least: int) -> list[tuple[int, int]]:
    """Frame by frame: [first, last] of each alert."""
    found: list[list[int]] = []
    for index, score in enumerate(scores):
        if score > threshold:
            if found and index - found[-1][1] - 1 <= gap:
                found[-1][1] = index
            else:
                found.append([index, index])
    return [(first, last) for first, last in found if last - first + 1 >= least]


@pytest.mark.parametrize("sigma", [0.4, 2.0])
def test_smoothing_one_by_one_is_causal_smoothing(sigma: float) -> None:
    scores = np.random.default_rng(0).normal(size=40)
    smooth = Smooth(sigma)
    assert np.isnan(smooth(float("nan")))
    np.testing.assert_array_equal([smooth(float(score)) for score in scores], causal_smooth(scores, sigma))
    smooth.reset()
    assert smooth(3.0) == 3.0
    assert [Smooth(0)(score) for score in (1.0, 2.0)] == [1.0, 2.0]


@given(st.lists(SCORES, min_size=1, max_size=3), st.integers(0, 4), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_counts_are_those_of_events_one_by_one(clips: list[list[int]], gap: int, least: int) -> None:
    thresholds, counts = event_counts([np.array(clip) for clip in clips], gap, least)
    for threshold, count in zip(thresholds, counts, strict=True):
        assert count == sum(len(plain_events(clip, threshold, gap, least)) for clip in clips)
    for clip in clips:
        for threshold in range(-1, 5):
            marked = np.zeros(len(clip), bool)
            for first, last in plain_events(clip, threshold, gap, least):
                marked[first : last + 1] = True
            np.testing.assert_array_equal(heights(np.array(clip), gap, least) > threshold, marked)


@given(SCORES, st.integers(0, 4), st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_the_threshold_is_the_lowest_that_keeps(clip: list[int], gap: int, least: int, allowed: int) -> None:
    thresholds, counts = event_counts([np.array(clip)], gap, least)
    if len(thresholds) == 0:
        return
    chosen, events = lowest_threshold(thresholds, counts, allowed)
    of = [len(plain_events(clip, threshold, gap, least)) for threshold in thresholds]
    over = [place for place, count in enumerate(of) if count > allowed]
    expected = over[0] - 1 if over else of.index(max(of))
    assert (chosen, events) == (thresholds[expected], of[expected])
    assert max(of[: expected + 1]) <= allowed


def test_undefined_scores_alarm_nothing() -> None:
    scores = np.array([np.nan, 2.0, 2.0, 1.0])
    np.testing.assert_array_equal(heights(scores, 0, 2), [-np.inf, 2, 2, 1])
    assert np.isneginf(heights(scores[:1], 0, 2)).all()


def alerts_of(scores: list[float], threshold: Threshold) -> Changes:
    tracker = AlertTracker(threshold)
    changes = [each for shot, score in shots(scores) for each in tracker.update(shot, score, None)]
    return changes + tracker.finish()


@given(SCORES, st.integers(0, 4), st.integers(1, 4), st.integers(-1, 4))
@settings(max_examples=150, deadline=None)
def test_alerts_that_come_one_by_one_are_those_that_were_counted(
    clip: list[int], gap: int, least: int, threshold: int
) -> None:
    kept = replace(THRESHOLD, threshold=threshold, merge=gap / 10, least=least / 10)
    told = alerts_of([float(score) for score in clip], kept)
    assert [what for what, _ in told] == ["begin", "end"] * (len(told) // 2)
    ended = [alert for what, alert in told if what == "end"]
    expected = plain_events(clip, threshold, gap, least)
    assert [(alert.start.frame, alert.last.frame) for alert in ended] == expected
    for alert, (first, last) in zip(ended, expected, strict=True):
        assert alert.peak == max(clip[first : last + 1])
        assert alert.peak_at.frame == first + int(np.argmax(clip[first : last + 1]))


def test_an_alert_is_told_as_soon_as_it_lasts_and_its_worst_place_is_kept() -> None:
    tracker = AlertTracker(THRESHOLD)
    boxes = [None, (0, 0, 1, 1), (1, 1, 2, 2), (2, 2, 3, 3), None]
    told = [tracker.update(shot, score, box) for (shot, score), box in zip(shots([0, 1, 3, 2, 0]), boxes, strict=True)]
    assert [[what for what, _ in each] for each in told] == [[], [], ["begin"], [], []]
    ((what, alert),) = tracker.finish()
    assert (what, alert.peak, alert.region, alert.peak_at.seconds) == ("end", 3, (1, 1, 2, 2), 0.2)
    assert tracker.finish() == []


class Source:
    """Scores as frames; None is a gap, an exception is raised."""

    name, dropped, fps = "cam", 0, 10.0

    def __init__(self, items: list[Any], live: bool = True) -> None:
        self.items, self.live = items, live

    def __iter__(self) -> Iterator[Any]:
        for index, item in enumerate(self.items):
            if isinstance(item, BaseException):
                raise item
            gap = Gap(index / 10, "then", "lost")
            yield gap if item is None else Shot(np.full((8, 8), item, np.uint8), index, index / 10, str(index))


class Brightness:
    """A score: how bright a frame is; and how often it was told to begin anew."""

    resets = 0

    def __call__(self, frame: Any) -> FrameScore:
        return FrameScore(float(frame[0, 0]), np.eye(4) * float(frame[0, 0]))

    def reset(self) -> None:
        self.resets += 1


def watched(folder: Path, source: Source, limit: float = float("inf")) -> tuple[Any, list[dict[str, Any]]]:
    streamer: Any = Brightness()
    with AlertLog(folder, source.name, THRESHOLD, source.live) as log:
        found = watch(source, streamer, THRESHOLD, log, None, limit)  # type: ignore[arg-type]
    assert streamer.resets == source.items.count(None)
    return found, [json.loads(line) for line in (folder / "alerts.jsonl").read_text("utf-8").splitlines()]


def test_a_gap_ends_an_alert_and_nothing_is_lost(tmp_path: Path) -> None:
    found, lines = watched(tmp_path, Source([0, 1, 1, None, 2, 2, 0, 0, 0, 0, 0, 3, 3]))
    assert (found["frames"], found["seconds"]) == (12, 1.2)
    assert [line["what"] for line in lines] == ["begin", "end", "gap", "begin", "end", "begin", "end"]
    with (tmp_path / "alerts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["start"], row["end"], row["start_frame"], row["end_frame"]) for row in rows] == [
        ("1", "0.1", "0.3", "1", "3"),
        ("2", "0.4", "0.6", "4", "6"),
        ("3", "1.1", "1.3", "11", "13"),
    ]
    assert [row["peak"] for row in rows] == ["1.0", "2.0", "3.0"]
    assert all(row["region"] == "0 0 8 8" for row in rows)
    with (tmp_path / "scores.csv").open(newline="") as file:
        scores = list(csv.DictReader(file))
    assert [row["alarm"] for row in scores] == list("011110000011")
    assert [float(row["score"]) for row in scores] == [0, 1, 1, 2, 2, 0, 0, 0, 0, 0, 3, 3]


def test_a_camera_goes_on_with_its_alerts_and_a_file_begins_anew(tmp_path: Path) -> None:
    for _ in range(2):
        _, lines = watched(tmp_path, Source([1, 1]))
    assert [line["id"] for line in lines] == [1, 1, 2, 2]
    assert (tmp_path / "alerts.csv").read_text("utf-8").count("start_clock") == 1
    _, lines = watched(tmp_path, Source([1, 1], live=False))
    assert [line["id"] for line in lines] == [1, 1]


def test_what_has_begun_lies_there_before_it_ends(tmp_path: Path) -> None:
    def killed_after_two() -> Iterator[Any]:
        yield from Source([1, 1])
        lines = (tmp_path / "alerts.jsonl").read_text("utf-8").splitlines()
        assert [json.loads(line)["what"] for line in lines] == ["begin"]
        assert len((tmp_path / "scores.csv").read_text("utf-8").splitlines()) == 3

    source = Source([])
    source.__class__ = type("Killed", (Source,), {"__iter__": lambda self: killed_after_two()})
    watched(tmp_path, source)


def test_a_frame_that_ctrl_c_finds_half_looked_at_is_told_as_dropped(tmp_path: Path) -> None:
    class Interrupted(Brightness):
        def __call__(self, frame: Any) -> FrameScore:
            if frame[0, 0] == 9:
                raise KeyboardInterrupt
            return super().__call__(frame)

    streamer: Any = Interrupted()
    source: Any = Source([0, 1, None, 0, 9, 0])
    with AlertLog(tmp_path, source.name, THRESHOLD, True) as log:
        found = watch(source, streamer, THRESHOLD, log, None, float("inf"))
    assert (found["frames"], found["dropped"]) == (3, 1)


def test_ctrl_c_and_sigterm_end_a_camera_and_break_a_file_off(tmp_path: Path) -> None:
    found, lines = watched(tmp_path / "camera", Source([1, 1, KeyboardInterrupt()]))
    assert (found["frames"], [line["what"] for line in lines]) == (2, ["begin", "end"])
    with pytest.raises(KeyboardInterrupt):
        watched(tmp_path / "file", Source([1, 1, KeyboardInterrupt()], live=False))
    assert '"end"' in (tmp_path / "file/alerts.jsonl").read_text("utf-8")

    class Terminated(Source):
        def __iter__(self) -> Iterator[Any]:
            yield from super().__iter__()
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    found, _ = watched(tmp_path / "term", Terminated([1, 1]))
    assert found["frames"] == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_limit_ends_it(tmp_path: Path) -> None:
    found, _ = watched(tmp_path, Source([0] * 20), limit=0.5)
    assert (found["frames"], found["seconds"]) == (5, 0.4)
