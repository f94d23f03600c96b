"""The frames of a report that stand out: highest scored, false alarms, misses.

What is a false alarm, and which event is found, is as `events` has it. At a threshold that allows no false alarm the
highest-scored normal frames are shown all the same, and called what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.eval.metrics.events import alarm_events, events, operating_point
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.protocol import Protocol
from pagen.eval.results import Series

Values = npt.NDArray[np.float64]
LISTED = 12
"""Frames in each list."""


@dataclass(frozen=True)
class Pick:
    """A frame that stands out, and what it is called."""

    video: str
    frame: int
    note: str


def peaks(values: ByVideo, among: ByVideo, apart: int, most: int = LISTED) -> list[tuple[str, int]]:
    """The highest values, falling: (video, index), those of a video at least `apart` from one another.

    `values` and `among`, what may be taken, are video -> (T,).
    """
    frames = [(name, int(index)) for name in values for index in np.flatnonzero(among[name])]
    frames.sort(key=lambda frame: -values[frame[0]][frame[1]])
    highest: list[tuple[str, int]] = []
    for name, index in frames:
        if all(other != name or abs(index - taken) >= apart for other, taken in highest):
            highest.append((name, index))
        if len(highest) == most:
            break
    return highest


def stand_out(
    protocol: Protocol, series: Series, threshold: float, fps: float, alarms: float
) -> tuple[dict[str, list[Pick]], dict[str, str]]:
    """The highest-scored frames, false alarms and misses, and what is said above each list.

    The series is as the protocol leaves it; the threshold is that of the operating point with no more than `alarms`
    false alarms an hour, `fps` the footage's own.
    """
    final, labels = series.final, series.labels
    apart = max(round(fps / protocol.every), 1)
    every = {name: np.ones(len(values), bool) for name, values in final.items()}
    normal = {name: labels[name] == 0 for name in final}
    missed = {name: (labels[name] == 1) & (final[name] < threshold) for name in final}
    lists = {
        "highest": (_label, peaks(final, every, apart)),
        "false": (_of_normal, peaks(final, normal, apart)),
        "missed": (_of_abnormal, peaks({name: -values for name, values in final.items()}, missed, apart)),
    }

    def picked(note: Callable[..., str], name: str, index: int) -> Pick:
        return Pick(name, int(series.frames[name][index]), note(final[name], labels[name], index, threshold))

    picks = {kind: [picked(note, *place) for place in places] for kind, (note, places) in lists.items()}
    false = operating_point(final, labels, threshold, fps / protocol.every).false_alarms
    unseen, abnormal = _count(missed), _count(labels)
    lowest = f"the threshold, the lowest that keeps to {alarms:g} false alarms an hour"
    return picks, {
        "highest": f"Whatever they are labelled; those of a video at least {apart / fps * protocol.every:.2g} s apart.",
        "false": f"{false or 'No'} false alarm{'' if false == 1 else 's'} at {lowest}. Shown are the highest-scored "
        "normal frames, alarms or not; beside an event: an alarm that an abnormal frame shares, which is not counted.",
        "missed": f"{unseen:,} of {abnormal:,} abnormal frames lie below {lowest}."
        + (" Shown are the lowest-scored." if unseen else ""),
    }


def _count(marks: ByVideo) -> int:
    return sum(int((values == 1).sum()) for values in marks.values())


def _label(scores: Values, labels: npt.NDArray[Any], index: int, threshold: float) -> str:
    return "abnormal" if labels[index] else "normal"


def _of_normal(scores: Values, labels: npt.NDArray[Any], index: int, threshold: float) -> str:
    if scores[index] < threshold:
        return "below threshold"
    start, end = _around(alarm_events(scores, threshold), index)
    return "beside an event" if np.any(labels[start:end]) else "false alarm"


def _of_abnormal(scores: Values, labels: npt.NDArray[Any], index: int, threshold: float) -> str:
    start, end = _around(events(labels), index)
    return "event found" if np.any(scores[start:end] >= threshold) else "event missed"


def _around(intervals: npt.NDArray[np.int64], index: int) -> tuple[int, int]:
    """The interval that holds the index."""
    start, end = next(interval for interval in intervals.tolist() if interval[0] <= index < interval[1])
    return start, end
