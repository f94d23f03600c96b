"""Alerts: events out of scores as they come, and the files that keep them.

A frame alarms where its smoothed score is above the threshold. Alarms with at most `merge` seconds between them are
one event, and an event that is at least `least` seconds long is an alert.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pagen.csv_cell import cell
from pagen.documents import require_form
from pagen.errors import PagenError
from pagen.eval.camera.score_table import NAME, ScoreTable, mend, rows_since
from pagen.eval.camera.shots import Gap, Shot
from pagen.eval.camera.threshold import Threshold
from pagen.manifest import require_no_link
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


MOST = 1e9
"""Bytes of a camera's scores that are kept: some five days at 25 frames a second."""
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


@dataclass(frozen=True)
class Told:
    """What a line of `alerts.jsonl` tells of an alert."""

    id: int
    source: str
    start: float
    end: float
    start_frame: int
    end_frame: int
    start_clock: str
    end_clock: str
    peak: float
    peak_seconds: float
    peak_frame: int
    threshold: float
    region: list[int] | None


MOVE = "move it away, and watching begins a new one"


class AlertLog(AbstractContextManager["AlertLog"]):
    """`alerts.jsonl`, `alerts.csv` and `scores.csv` in a folder, line by line as things happen.

    Each line is handed to the system at once, so that killing this process loses none. `alerts.jsonl` holds
    beginnings, ends and gaps, `alerts.csv` alerts that have ended, in half-open intervals. The name of the `source` may
    be shown; one that `goes_on`, as a camera does, keeps the alerts of earlier sessions and closes the one that was
    open when a session was killed, and keeps `most` bytes of scores.
    """

    def __init__(self, folder: Path, source: str, threshold: Threshold, goes_on: bool, most: float = MOST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines, table, mode = folder / "alerts.jsonl", folder / "alerts.csv", "a" if goes_on else "w"
        for path in (folder, lines, table, folder / NAME):
            require_no_link(path)
        for path in (lines, table) if goes_on else ():
            mend(path)
        before = _lines_of(lines) if goes_on else []
        headless = mode == "w" or not table.exists() or table.stat().st_size == 0
        self._threshold, self._source = threshold, source
        self._begun = sum(line["what"] == "begin" for line in before)
        self.alerts = 0
        kept = set[str]() if headless else _ids_of(table)
        with ExitStack() as files:
            self._lines, rows = (
                files.enter_context(path.open(mode, 1, "utf-8", "backslashreplace", "")) for path in (lines, table)
            )
            self._table = csv.DictWriter(rows, COLUMNS)
            if headless:
                self._table.writeheader()
            self._close(folder, before, kept)
            self._scores = files.enter_context(ScoreTable(folder, goes_on, most))
            self._files = files.pop_all()

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def score(self, shot: Shot, score: float, smoothed: float) -> None:
        """Write a line about a frame and its scores."""
        self._scores.add(shot, score, smoothed, smoothed > self._threshold.threshold)

    def write(self, changes: Changes) -> None:
        """Write the changes of an `AlertTracker`."""
        for what, alert in changes:
            self.alerts += what == "begin"
            row = self._row(alert)
            self._line({"what": what, **row})
            if what == "end":
                self._ended(row)

    def gap(self, gap: Gap) -> None:
        """Write that the source broke off."""
        self._line({"what": "gap", "source": self._source, **asdict(gap)})

    def _close(self, folder: Path, before: Sequence[Mapping[str, Any]], kept: set[str]) -> None:
        """End what a killed session left open, and add ends to the table that it did not come to add."""
        for line in before:
            if line["what"] == "end" and str(line["id"]) not in kept:
                self._ended({name: line[name] for name in COLUMNS})
        if before and before[-1]["what"] == "begin":
            row = self._row(_last_known(before[-1], folder, self._threshold)) | {"id": before[-1]["id"]}
            self._line({"what": "end", **row})
            self._ended(row)

    def _ended(self, row: Mapping[str, Any]) -> None:
        shown = {**row, "region": " ".join(map(str, row["region"] or ()))}
        self._table.writerow({name: cell(value) for name, value in shown.items()})

    def _line(self, content: dict[str, Any]) -> None:
        self._lines.write(json.dumps(content) + "\n")

    def _row(self, alert: Alert) -> dict[str, Any]:
        start, last, peak = alert.start, alert.last, alert.peak_at
        seconds = round(start.seconds, 3), round(last.seconds + 1 / self._threshold.fps, 3)
        span = *seconds, start.frame, last.frame + 1, start.clock, last.clock
        peaked = alert.peak, round(peak.seconds, 3), peak.frame, self._threshold.threshold, alert.region
        values = self._begun + self.alerts, self._source, *span, *peaked
        return dict(zip(COLUMNS, values, strict=True))


def _lines_of(path: Path) -> list[dict[str, Any]]:
    """Beginnings and ends that are told there. Raises PagenError for one that lacks what tells when it was."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(ValueError):
            content = json.loads(line)
            if isinstance(content, dict) and content.get("what") in ("begin", "end"):
                require_form(content, Told, "an alert", path, MOVE)
                lines.append(content)
    return lines


def _ids_of(table: Path) -> set[str]:
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise PagenError(f"expected alerts as pagen writes them in {table}, found other columns; {MOVE}")
        return {row["id"] for row in rows}


def _last_known(begun: Mapping[str, Any], folder: Path, threshold: Threshold) -> Alert:
    """How far an alert came that was never ended: by the scores that are kept, else as its beginning told it."""
    start = Moment(begun["start"], begun["start_frame"], begun["start_clock"])
    last = Moment(begun["end"] - 1 / threshold.fps, begun["end_frame"] - 1, begun["end_clock"])
    peak_at = Moment(begun["peak_seconds"], begun["peak_frame"], begun["start_clock"])
    alert = Alert(start, last, begun["peak"], peak_at, begun["region"])
    for row in rows_since(folder, start.frame, start.clock):
        now = Moment(row["seconds"], row["frame"], row["clock"])
        if row["smoothed"] > threshold.threshold and now.seconds >= alert.last.seconds:
            if now.seconds - alert.last.seconds > threshold.merge + 0.5 / threshold.fps:
                break
            higher = {"peak": row["smoothed"], "peak_at": now} if row["smoothed"] > alert.peak else {}
            alert = replace(alert, last=now, **higher)
    return alert


COLUMNS = (
    "id", "source", "start", "end", "start_frame", "end_frame", "start_clock", "end_clock",
    "peak", "peak_seconds", "peak_frame", "threshold", "region",
)  # fmt: skip
