"""Alerts: events out of scores as they come, and the files that keep them.

A frame alarms where its smoothed score is above the threshold. Alarms with at most `merge` seconds between them are
one event, and an event that is at least `least` seconds long is an alert.
"""

from __future__ import annotations

import csv
import json
import math
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pagen.eval.camera.shots import Gap, Shot
from pagen.eval.camera.threshold import Threshold
from pagen.scoring.frame_score import Box


@dataclass(frozen=True)
class Moment:
    """A time in a source: seconds, frame and clock as in `Shot`."""

    seconds: float
    frame: int
    clock: str


@dataclass(frozen=True)
class Alert:
    """An event; `last` is its last alarm so far, `region` where it was worst."""

    start: Moment
    last: Moment
    peak: float
    peak_at: Moment
    region: Box | None


Changes = list[tuple[str, Alert]]
"""`begin` and an event that has become an alert, `end` and an alert with which nothing merges any more."""


class AlertTracker:
    """Alerts out of smoothed scores that come one by one."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold, self._half = threshold, 0.5 / threshold.fps
        self._event: Alert | None = None
        self._alerted = False

    def update(self, shot: Shot, score: float, region: Box | None) -> Changes:
        """The changes that the newest frame makes; a score of NaN alarms nothing."""
        if score > self._threshold.threshold:
            return self._extend(Moment(shot.seconds, shot.index, shot.clock), score, region)
        if self._event and shot.seconds - self._event.last.seconds > self._threshold.merge + self._half:
            return self.finish()
        return []

    def finish(self) -> Changes:
        """The changes where no frame follows."""
        changes: Changes = [("end", self._event)] if self._event and self._alerted else []
        self._event, self._alerted = None, False
        return changes

    def _extend(self, now: Moment, score: float, region: Box | None) -> Changes:
        event = self._event or Alert(now, now, -math.inf, now, None)
        event = replace(event, last=now)
        if score > event.peak:
            event = replace(event, peak=score, peak_at=now, region=region)
        self._event = event
        if self._alerted or now.seconds - event.start.seconds + 3 * self._half < self._threshold.least:
            return []
        self._alerted = True
        return [("begin", event)]


class AlertLog(AbstractContextManager["AlertLog"]):
    """`alerts.jsonl`, `alerts.csv` and `scores.csv` in a folder, line by line as things happen.

    Each line is handed to the system at once, so that killing this process loses none. `alerts.jsonl` holds
    beginnings, ends and gaps, `alerts.csv` alerts that have ended, in half-open intervals. The name of the `source` may
    be shown; one that `goes_on`, as a camera does, keeps the alerts of earlier sessions.
    """

    def __init__(self, folder: Path, source: str, threshold: Threshold, goes_on: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines, table, mode = folder / "alerts.jsonl", folder / "alerts.csv", "a" if goes_on else "w"
        before = lines.read_text(encoding="utf-8").splitlines() if goes_on and lines.exists() else []
        headless = mode == "w" or not table.exists() or table.stat().st_size == 0
        self._threshold, self._source = threshold, source
        self._begun = sum('"what": "begin"' in line for line in before)
        self.alerts = 0
        self._files = ExitStack()
        self._lines, alerts, scores = (
            self._files.enter_context(path.open(opening, 1, "utf-8", newline=""))
            for path, opening in ((lines, mode), (table, mode), (folder / "scores.csv", "w"))
        )
        self._table = csv.DictWriter(alerts, COLUMNS)
        if headless:
            self._table.writeheader()
        self._scores = csv.writer(scores)
        self._scores.writerow(["frame", "seconds", "clock", "score", "smoothed", "alarm"])

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def score(self, shot: Shot, score: float, smoothed: float) -> None:
        """Write a line about a frame and its scores."""
        alarm = int(smoothed > self._threshold.threshold)
        self._scores.writerow([shot.index, f"{shot.seconds:.3f}", shot.clock, repr(score), repr(smoothed), alarm])

    def write(self, changes: Changes) -> None:
        """Write the changes of an `AlertTracker`."""
        for what, alert in changes:
            self.alerts += what == "begin"
            row = self._row(alert)
            self._line({"what": what, **row})
            if what == "end":
                self._table.writerow(row | {"region": " ".join(map(str, alert.region or ()))})

    def gap(self, gap: Gap) -> None:
        """Write that the source broke off."""
        self._line({"what": "gap", "source": self._source, **asdict(gap)})

    def _line(self, content: dict[str, Any]) -> None:
        self._lines.write(json.dumps(content) + "\n")

    def _row(self, alert: Alert) -> dict[str, Any]:
        start, last, peak = alert.start, alert.last, alert.peak_at
        seconds = round(start.seconds, 3), round(last.seconds + 1 / self._threshold.fps, 3)
        span = *seconds, start.frame, last.frame + 1, start.clock, last.clock
        peaked = alert.peak, round(peak.seconds, 3), peak.frame, self._threshold.threshold, alert.region
        values = self._begun + self.alerts, self._source, *span, *peaked
        return dict(zip(COLUMNS, values, strict=True))


COLUMNS = (
    "id", "source", "start", "end", "start_frame", "end_frame", "start_clock", "end_clock",
    "peak", "peak_seconds", "peak_frame", "threshold", "region",
)  # fmt: skip
