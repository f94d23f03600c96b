"""Scene by scene: against scikit-learn of each scene, and against thresholds tried one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.metrics import at_false_alarms, at_false_alarms_by_scene, micro_auroc, operating_point, scene_auroc
from pagen.eval.metrics.scenes import in_scenes
from pagen.eval.metrics.undefined import reason

VIDEO = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=12)
SET = st.lists(st.tuples(st.sampled_from(["gate", "yard", "hall"]), VIDEO), min_size=1, max_size=6)
ByVideo = dict[str, np.ndarray]


def parts(drawn: list[tuple[str, list[tuple[int, bool]]]]) -> tuple[ByVideo, ByVideo, dict[str, str]]:
    """Scores, labels and scenes."""
    named = {str(number): each for number, each in enumerate(drawn)}
    scores = {name: np.array([score for score, _ in frames], float) for name, (_, frames) in named.items()}
    labels = {name: np.array([mark for _, mark in frames], np.uint8) for name, (_, frames) in named.items()}
    return scores, labels, {name: scene for name, (scene, _) in named.items()}


def of_scene(values: ByVideo, scenes: dict[str, str], scene: str) -> np.ndarray:
    return np.concatenate([each for name, each in values.items() if scenes[name] == scene])


@settings(max_examples=200, deadline=None)
@given(SET)
def test_areas_are_those_of_scikit_learn_in_each_scene(drawn: list) -> None:
    scores, labels, scenes = parts(drawn)
    found, areas = scene_auroc(scores, labels, scenes), []
    assert list(found.areas) == sorted(set(scenes.values()))
    for scene, area in found.areas.items():
        marks, values = of_scene(labels, scenes, scene), of_scene(scores, scenes, scene)
        if len(set(marks)) < 2:
            assert math.isnan(area)
            assert scene in found.skipped
        else:
            areas.append(roc_auc_score(marks, values))
            assert area == pytest.approx(areas[-1], abs=1e-12)
    if areas:
        assert found.value == pytest.approx(np.mean(areas), abs=1e-12)
    else:
        assert reason(found.value) == "every scene holds one class only"


@settings(max_examples=100, deadline=None)
@given(SET, st.integers(-50, 50))
def test_what_a_scene_adds_to_all_its_scores_changes_nothing(drawn: list, shift: int) -> None:
    scores, labels, scenes = parts(drawn)
    moved = {name: each + shift * (scenes[name] == "yard") for name, each in scores.items()}
    before, after = scene_auroc(scores, labels, scenes), scene_auroc(moved, labels, scenes)
    assert before.areas == pytest.approx(after.areas, nan_ok=True)
    point, other = (at_false_alarms_by_scene(each, labels, scenes, 3600, 10) for each in (scores, moved))
    assert (point.tpr, point.event_recall) == pytest.approx((other.tpr, other.event_recall), nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(SET, st.sampled_from([0, 900, 3600, 9000]))
def test_each_scene_has_the_lowest_threshold_that_keeps_to_the_false_alarms(drawn: list, per_hour: int) -> None:
    scores, labels, scenes = parts(drawn)
    found, alarms, abnormal, false, frames = at_false_alarms_by_scene(scores, labels, scenes, per_hour, 10), 0, 0, 0, 0
    for scene, threshold in found.thresholds.items():
        own = {name: scores[name] for name in scores if scenes[name] == scene}
        marks = {name: labels[name] for name in own}
        kept = [math.inf]
        for level in sorted({float(value) for each in own.values() for value in each}, reverse=True):
            if operating_point(own, marks, level, 10).false_alarms_per_hour > per_hour + 1e-9:
                break
            kept.append(level)
        assert threshold == kept[-1]
        for name, each in own.items():
            alarms += int(np.sum((each >= threshold) & (marks[name] == 1)))
            abnormal += int(marks[name].sum())
            frames += len(each)
        false += operating_point(own, marks, threshold, 10).false_alarms
    assert false <= per_hour * frames / 10 / 3600 + 1e-9
    if abnormal:
        assert found.tpr == pytest.approx(alarms / abnormal, abs=1e-12)
    else:
        assert reason(found.tpr) == "no abnormal frame"
        assert reason(found.event_recall) == "no event"


def test_an_example_by_hand() -> None:
    scores = {"a": np.array([0.1, 0.2, 0.3, 0.4]), "b": np.array([6.0, 1.0, 5.0]), "c": np.array([5.5, 4.0])}
    labels = {"a": np.array([0, 0, 1, 1]), "b": np.array([1, 0, 0]), "c": np.array([1, 0])}
    scenes = {"a": "gate", "b": "yard", "c": "yard"}
    found = scene_auroc(scores, labels, scenes)
    assert (found.areas, found.value, found.skipped) == ({"gate": 1.0, "yard": 1.0}, 1.0, ())
    assert micro_auroc(scores, labels) == 14 / 20  # what is abnormal at the gate lies below all of the yard
    one = at_false_alarms(scores, labels, 0, 1)  # frame 2 of b would be a false alarm
    assert (one.threshold, one.tpr) == (5.5, 0.5)
    many = at_false_alarms_by_scene(scores, labels, scenes, 0, 1)
    assert (many.thresholds, many.tpr, many.event_recall) == ({"gate": 0.1, "yard": 5.5}, 1.0, 1.0)


def test_one_scene_is_all_of_it() -> None:
    rng = np.random.default_rng(0)
    labels = {name: rng.integers(0, 2, 30) for name in "ab"}
    scores = {name: rng.normal(marks) for name, marks in labels.items()}
    found = scene_auroc(scores, labels, dict.fromkeys("ab", "gate"))
    assert found.value == micro_auroc(scores, labels)
    point = at_false_alarms_by_scene(scores, labels, dict.fromkeys("ab", "gate"), 9e3, 10)
    one = at_false_alarms(scores, labels, 9e3, 10)
    assert (point.thresholds["gate"], point.tpr, point.event_recall) == (one.threshold, one.tpr, one.event_recall)


def test_a_video_without_a_scene_is_named() -> None:
    with pytest.raises(PagenError, match="expected the scene of every video, found none for b; name it"):
        in_scenes({"a": np.zeros(1), "b": np.zeros(1)}, {"a": "gate"})
