"""Measures of events: what an operator gets at one threshold, false alarms an hour, and how late.

An event is a maximal run of frames of label 1. A frame is an alarm where its score reaches the threshold (>=). Alarms
with at most `gap` frames between them are one alarm event, which holds those frames too. A false alarm is an alarm
event without an abnormal frame: what begins before an event, or outlasts it, without a break is no false alarm. Hours
are those of all frames, normal and abnormal.

No source defines all of it; these are the definitions of this module. Frames count from 0, intervals are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import runs
from pagen.errors import PagenError
from pagen.eval.metrics.roc import ByVideo, check_videos
from pagen.eval.metrics.undefined import Undefined

Scores = npt.NDArray[np.float64]
Intervals = npt.NDArray[np.int64]
"""(E, 2): first frame, and the one after the last."""


@dataclass(frozen=True)
class OperatingPoint:
    """The measures of one threshold; one without a value is NaN with a reason.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> operating_point(scores, labels, threshold=0.5, fps=25).mean_delay
        1.0
    """

    threshold: float
    """Infinite where nothing raises an alarm."""
    false_alarms: int
    false_alarms_per_hour: float
    tpr: float
    """Share of the abnormal frames that are alarms."""
    event_recall: float
    """Share of the events in which at least one frame is an alarm."""
    mean_delay: float
    """Frames from an event's start to its first alarm, over the events that have one."""
    events: int


def events(labels: npt.NDArray[Any]) -> Intervals:
    """The maximal runs of label 1 among labels (T,).

    Example:
        >>> events(np.array([0, 1, 1, 0, 1]))
        array([[1, 3],
               [4, 5]])
    """
    return runs(np.asarray(labels) == 1)


def alarm_events(scores: npt.NDArray[Any], threshold: float, gap: int = 0) -> Intervals:
    """The runs of scores (T,) of at least `threshold`, joined where at most `gap` frames lie between them.

    Example:
        >>> alarm_events(np.array([0.9, 0.1, 0.9, 0.1, 0.1]), threshold=0.5, gap=1)
        array([[0, 3]])
    """
    alarms = runs(np.asarray(scores) >= threshold)
    apart = np.append(alarms[1:, 0] - alarms[:-1, 1] > gap, np.ones(min(len(alarms), 1), bool))
    return np.column_stack([alarms[np.roll(apart, 1), 0], alarms[apart, 1]])


def event_recall(scores: ByVideo, labels: ByVideo, threshold: float) -> float:
    """Share of the events of all videos in which a frame is an alarm, of scores and labels video -> (T,).

    In [0, 1]; NaN with a reason where there is no event.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> event_recall(scores, labels, threshold=0.85)
        1.0
    """
    delays = np.concatenate(list(detection_delays(scores, labels, threshold).values()))
    return float(np.mean(~np.isnan(delays))) if len(delays) else Undefined("no event")


def detection_delays(scores: ByVideo, labels: ByVideo, threshold: float) -> dict[str, Scores]:
    """Frames from the start of each event to the first alarm in it: video -> (E,), NaN for a missed event.

    An alarm that stands when the event begins gives 0. Raises PagenError: not the same videos, or what `auroc` refuses.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> detection_delays(scores, labels, threshold=0.5)
        {'a': array([1.])}
    """
    check_videos(scores, labels)
    return {
        name: np.array([_delay(scores[name][start:end], threshold) for start, end in events(labels[name])])
        for name in scores
    }


def operating_point(scores: ByVideo, labels: ByVideo, threshold: float, fps: float, gap: int = 0) -> OperatingPoint:
    """Alarms, delays and false alarms at one threshold, of scores and labels video -> (T,), with a gap in frames.

    Raises PagenError as `detection_delays`, a frame rate that is not above 0, or a gap below 0.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> point = operating_point(scores, labels, threshold=0.5, fps=25)
        >>> point.false_alarms, point.tpr, point.event_recall
        (1, 0.5, 1.0)
    """
    hours = _hours(labels, fps, gap)
    delays = np.concatenate(list(detection_delays(scores, labels, threshold).values()))
    detected = delays[~np.isnan(delays)]
    abnormal = np.concatenate([np.asarray(scores[name])[np.asarray(labels[name]) == 1] for name in scores])
    false = sum(_false_alarms(scores[name], labels[name], threshold, gap) for name in scores)
    return OperatingPoint(
        threshold,
        false,
        false / hours if hours else Undefined("no frames"),
        float(np.mean(abnormal >= threshold)) if len(abnormal) else Undefined("no abnormal frame"),
        len(detected) / len(delays) if len(delays) else Undefined("no event"),
        float(np.mean(detected)) if len(detected) else Undefined("no event was detected"),
        len(delays),
    )


def at_false_alarms(scores: ByVideo, labels: ByVideo, per_hour: float, fps: float, gap: int = 0) -> OperatingPoint:
    """The operating point of the lowest threshold with which, and above which, false alarms an hour keep to `per_hour`.

    Above as well: as the threshold falls, false alarms run into events and into one another, until a single alarm from
    the first frame to the last one counts as none. Other arguments and errors are those of `operating_point`.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> at_false_alarms(scores, labels, per_hour=0, fps=25).threshold
        0.9
    """
    allowed = per_hour * _hours(labels, fps, gap)
    thresholds, false = false_alarm_counts(scores, labels, gap)
    kept = int(np.argmax(np.r_[false > allowed, True]))
    return operating_point(scores, labels, float(thresholds[kept - 1]) if kept else float("inf"), fps, gap)


def false_alarm_counts(scores: ByVideo, labels: ByVideo, gap: int = 0) -> tuple[Scores, npt.NDArray[np.int64]]:
    """(K,) distinct scores, falling, and (K,) the false alarms at each as the threshold, in O(n log n).

    Closing the scores (the highest of gap + 1 frames, then the lowest) closes the gaps at every threshold at once.
    Alarm events are then alarms less pairs of neighbours that both are; those that touch an event are abnormal alarms
    less pairs of successive abnormal frames with nothing but alarms from one to the other. Raises PagenError as
    `detection_delays`, or a gap below 0.

    Example:
        >>> scores, labels = {"a": [0.1, 0.8, 0.2, 0.9, 0.1]}, {"a": [0, 0, 1, 1, 0]}
        >>> thresholds, false = false_alarm_counts(scores, labels)
        >>> thresholds.tolist(), false.tolist()
        ([0.9, 0.8, 0.2, 0.1], [0, 1, 0, 0])
    """
    check_videos(scores, labels)
    _require_gap(gap)
    parts = [_gains_and_losses(closed(scores[name], gap), labels[name]) for name in scores if len(scores[name])]
    thresholds = np.unique(np.concatenate([np.asarray(scores[name], np.float64) for name in scores]))[::-1]
    gains, losses = ([part[side] for part in parts] for side in (0, 1))
    return thresholds, _reaching(gains, thresholds) - _reaching(losses, thresholds)


def _gains_and_losses(closed: Scores, labels: npt.NDArray[Any]) -> tuple[Scores, Scores]:
    """The thresholds from which on there is one false alarm more, and those from which on there is one less."""
    abnormal = np.flatnonzero(np.asarray(labels) == 1)
    neighbours = np.minimum(closed[1:], closed[:-1])
    successive = np.minimum(np.minimum.reduceat(closed, abnormal)[:-1], closed[abnormal[1:]])
    return np.concatenate([closed, successive]), np.concatenate([neighbours, closed[abnormal]])


def _reaching(values: list[Scores], thresholds: Scores) -> npt.NDArray[np.int64]:
    """The number of values that are at least each threshold."""
    rising = np.sort(np.concatenate([*values, np.empty(0)]))
    return len(rising) - np.searchsorted(rising, thresholds, "left")


def closed(scores: npt.NDArray[Any], gap: int) -> Scores:
    """Scores (T,) closed (morphologically) by gap + 1 frames, -inf beyond the ends.

    What lies above any threshold then are its alarms, joined where at most `gap` frames lie between them.

    Example:
        >>> closed(np.array([0.9, 0.1, 0.8, 0.2]), gap=1).tolist()
        [0.9, 0.8, 0.8, 0.2]
    """
    padded = np.pad(np.asarray(scores, np.float64), gap, constant_values=-np.inf)
    return slid(slid(padded, gap + 1, "max"), gap + 1, "min")


def slid(values: Scores, size: int, extreme: str) -> Scores:
    """Highest (`max`) or lowest (`min`) of every `size` neighbours: (T,) -> (T - size + 1,).

    Example:
        >>> slid(np.array([0.9, 0.1, 0.8]), 2, "max").tolist()
        [0.9, 0.8]
    """
    extremes: Scores = getattr(np.lib.stride_tricks.sliding_window_view(values, size), extreme)(axis=-1)
    return extremes


def _false_alarms(scores: npt.NDArray[Any], labels: npt.NDArray[Any], threshold: float, gap: int) -> int:
    before = np.concatenate([[0], np.cumsum(labels, dtype=np.int64)])
    start, end = alarm_events(scores, threshold, gap).T
    return int(np.sum(before[end] == before[start]))


def _delay(scores: npt.NDArray[Any], threshold: float) -> float:
    alarms = np.flatnonzero(np.asarray(scores) >= threshold)
    return float(alarms[0]) if len(alarms) else float("nan")


def _hours(labels: ByVideo, fps: float, gap: int) -> float:
    _require_gap(gap)
    if not 0 < fps < float("inf"):
        raise PagenError(f"expected a frame rate above 0, found {fps}; give the footage's frames a second")
    return sum(len(marks) for marks in labels.values()) / fps / 3600


def _require_gap(gap: int) -> None:
    if gap < 0:
        raise PagenError(f"expected a gap of 0 frames and more, found {gap}; 0 joins nothing")
