"""Measures scene by scene: of data sets whose videos come from several cameras, or places.

Scores of one scene are compared with one another alone, so that a camera whose scores lie higher all day costs nothing.
Micro AUROC over all videos asks that scores mean the same in every scene; the mean over scenes does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pagen.errors import PagenError
from pagen.eval.metrics.events import at_false_alarms
from pagen.eval.metrics.roc import Array, ByVideo, micro_auroc
from pagen.eval.metrics.undefined import Undefined


@dataclass(frozen=True)
class SceneAreas:
    """The micro AUROC of each scene, and their mean.

    Example:
        >>> SceneAreas({"gate": 0.9, "yard": 0.7}, value=0.8, skipped=()).areas["yard"]
        0.7
    """

    areas: Mapping[str, float]
    """Scene -> AUROC in [0, 1]; NaN with a reason for a scene of one class."""
    value: float
    """The mean over the scenes that have one; NaN with a reason where none has."""
    skipped: tuple[str, ...]
    """Names of the scenes of one class."""


@dataclass(frozen=True)
class ScenePoints:
    """What an operator gets with a threshold for each scene.

    Example:
        >>> ScenePoints({"gate": 0.9, "yard": 0.4}, tpr=0.5, event_recall=1.0).thresholds["yard"]
        0.4
    """

    thresholds: Mapping[str, float]
    """Scene -> threshold; infinite where nothing raises an alarm."""
    tpr: float
    """Share of the abnormal frames of all scenes that are alarms."""
    event_recall: float
    """Share of the events of all scenes in which at least one frame is an alarm."""


def in_scenes(values: ByVideo, scenes: Mapping[str, str]) -> dict[str, dict[str, Array]]:
    """Scene -> the values of its videos, video -> (T,); scenes in the order of their names.

    Raises PagenError: a video of which `scenes`, video -> scene, says nothing.

    Example:
        >>> list(in_scenes({"a": [1], "b": [2], "c": [3]}, {"a": "yard", "b": "gate", "c": "yard"})["yard"])
        ['a', 'c']
    """
    missing = [video for video in values if video not in scenes]
    if missing:
        raise PagenError(f"expected the scene of every video, found none for {missing[0]}; name it")
    names = sorted({scenes[video] for video in values})
    return {name: {video: values[video] for video in values if scenes[video] == name} for name in names}


def scene_auroc(scores: ByVideo, labels: ByVideo, scenes: Mapping[str, str]) -> SceneAreas:
    """Micro AUROC of each scene, and their mean; scenes of one class have none and are left out of it.

    Scores and labels are video -> (T,), `scenes` video -> scene. Raises PagenError as `auroc` and `in_scenes`.

    Example:
        >>> scores, labels = {"a": [0.1, 0.9], "b": [0.9, 0.8], "c": [7.0]}, {"a": [0, 1], "b": [0, 1], "c": [0]}
        >>> found = scene_auroc(scores, labels, {"a": "gate", "b": "yard", "c": "hall"})
        >>> found.value, found.skipped
        (0.5, ('hall',))
    """
    marks = in_scenes(labels, scenes)
    areas = {name: micro_auroc(part, marks[name]) for name, part in in_scenes(scores, scenes).items()}
    used = [area for area in areas.values() if area == area]
    value = float(np.mean(used)) if used else Undefined("every scene holds one class only")
    return SceneAreas(areas, value, tuple(name for name, area in areas.items() if area != area))


def at_false_alarms_by_scene(
    scores: ByVideo, labels: ByVideo, scenes: Mapping[str, str], per_hour: float, fps: float
) -> ScenePoints:
    """Every scene at a threshold of its own, that of `at_false_alarms` for the scene's videos and hours.

    False alarms of all scenes together keep to `per_hour`, since those of each do. Arguments and errors are those of
    `scene_auroc` and `at_false_alarms`.

    Example:
        >>> scores, labels = {"a": [0.5, 0.1, 0.9], "b": [6.0, 5.0, 8.0]}, {"a": [0, 0, 1], "b": [0, 0, 1]}
        >>> found = at_false_alarms_by_scene(scores, labels, {"a": "gate", "b": "yard"}, per_hour=0, fps=25)
        >>> found.thresholds, found.tpr
        ({'gate': 0.9, 'yard': 8.0}, 1.0)
    """
    marks = in_scenes(labels, scenes)
    parts = in_scenes(scores, scenes)
    points = {name: at_false_alarms(part, marks[name], per_hour, fps) for name, part in parts.items()}
    abnormal = {name: sum(int(np.sum(np.asarray(each) == 1)) for each in part.values()) for name, part in marks.items()}
    events = {name: point.events for name, point in points.items()}
    recalls = {name: point.event_recall for name, point in points.items()}
    return ScenePoints(
        {name: point.threshold for name, point in points.items()},
        _of_all({name: point.tpr for name, point in points.items()}, abnormal, "no abnormal frame"),
        _of_all(recalls, events, "no event"),
    )


def _of_all(shares: Mapping[str, float], counts: Mapping[str, int], why: str) -> float:
    """The share of all, out of each scene's and of how many that is one; a scene with none has no share."""
    total = sum(counts.values())
    return sum(shares[name] * count for name, count in counts.items() if count) / total if total else Undefined(why)
