"""Alarms: events out of scores as they come, and the threshold that keeps them to so many an hour.

A frame alarms where its smoothed score is above the threshold. Alarms with at most `merge` seconds between them are
one event, and an event that is at least `least` seconds long is an alert. At every threshold at once: closing the
scores by the gap and opening them by the length (flat grey morphology commutes with thresholding) leaves as many
alerts as there are peaks above it, so that the counts are exact, without a grid.
"""

from __future__ import annotations

import csv
import json
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.eval.camera.sources import Gap, Shot, Source, thinned
from pagen.eval.camera.threshold import Smooth
from pagen.scoring.frame_score import Box

if TYPE_CHECKING:
    from pagen.eval.camera.film import Film
    from pagen.eval.camera.threshold import Threshold
    from pagen.eval.streamer import Streamer


Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moment:
    """When something was."""

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


Told = list[tuple[str, Alert]]
"""`begin` when an event has become an alert, `end` when nothing merges with it any more."""


class AlertTracker:
    """Alerts out of smoothed scores that come one by one."""

    def __init__(self, alarms: Threshold) -> None:
        self._alarms, self._half = alarms, 0.5 / alarms.fps
        self._event: Alert | None = None
        self._told = False

    def look(self, shot: Shot, score: float, region: Box | None) -> Told:
        """What a frame changes; a score of NaN alarms nothing."""
        if score > self._alarms.threshold:
            return self._extend(Moment(shot.seconds, shot.index, shot.clock), score, region)
        if self._event and shot.seconds - self._event.last.seconds > self._alarms.merge + self._half:
            return self.finish()
        return []

    def finish(self) -> Told:
        """What ends because nothing goes on."""
        told: Told = [("end", self._event)] if self._event and self._told else []
        self._event, self._told = None, False
        return told

    def _extend(self, now: Moment, score: float, region: Box | None) -> Told:
        event = self._event or Alert(now, now, -math.inf, now, None)
        event = replace(event, last=now)
        if score > event.peak:
            event = replace(event, peak=score, peak_at=now, region=region)
        self._event = event
        if self._told or now.seconds - event.start.seconds + 3 * self._half < self._alarms.least:
            return []
        self._told = True
        return [("begin", event)]


class AlertLog(AbstractContextManager["AlertLog"]):
    """`alerts.jsonl`, `alerts.csv` and `scores.csv` in a folder, line by line as things happen.

    Each line is handed to the system at once, so that killing this process loses none. `alerts.jsonl` tells of
    beginnings, ends and gaps, `alerts.csv` of alerts that have ended, in half-open intervals. `source` may be shown;
    `goes_on` keeps the alerts of earlier sessions, as a camera wants it.
    """

    def __init__(self, folder: Path, source: str, alarms: Threshold, goes_on: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines, table, mode = folder / "alerts.jsonl", folder / "alerts.csv", "a" if goes_on else "w"
        before = lines.read_text(encoding="utf-8").splitlines() if goes_on and lines.exists() else []
        headless = mode == "w" or not table.exists() or table.stat().st_size == 0
        self._alarms, self._source = alarms, source
        self._begun = sum('"what": "begin"' in line for line in before)
        self.alerts = 0
        self._files = ExitStack()
        self._lines, alerts, scores = (
            self._files.enter_context(path.open(how, 1, "utf-8", newline=""))
            for path, how in ((lines, mode), (table, mode), (folder / "scores.csv", "w"))
        )
        self._table = csv.DictWriter(alerts, COLUMNS)
        if headless:
            self._table.writeheader()
        self._scores = csv.writer(scores)
        self._scores.writerow(["frame", "seconds", "clock", "score", "smoothed", "alarm"])

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def score(self, shot: Shot, score: float, smoothed: float) -> None:
        """A frame and its scores."""
        alarm = int(smoothed > self._alarms.threshold)
        self._scores.writerow([shot.index, f"{shot.seconds:.3f}", shot.clock, repr(score), repr(smoothed), alarm])

    def tell(self, told: Told) -> None:
        """What a `AlertTracker` told."""
        for what, alert in told:
            self.alerts += what == "begin"
            row = self._row(alert)
            self._line({"what": what, **row})
            if what == "end":
                self._table.writerow(row | {"region": " ".join(map(str, alert.region or ()))})

    def gap(self, gap: Gap) -> None:
        """The source broke off."""
        self._line({"what": "gap", "source": self._source, **asdict(gap)})

    def _line(self, content: dict[str, Any]) -> None:
        self._lines.write(json.dumps(content) + "\n")

    def _row(self, alert: Alert) -> dict[str, Any]:
        values = (
            self._begun + self.alerts,
            self._source,
            round(alert.start.seconds, 3),
            round(alert.last.seconds + 1 / self._alarms.fps, 3),
            alert.start.frame,
            alert.last.frame + 1,
            alert.start.clock,
            alert.last.clock,
            alert.peak,
            round(alert.peak_at.seconds, 3),
            alert.peak_at.frame,
            self._alarms.threshold,
            alert.region,
        )
        return dict(zip(COLUMNS, values, strict=True))


COLUMNS = (
    "id", "source", "start", "end", "start_frame", "end_frame", "start_clock", "end_clock",
    "peak", "peak_seconds", "peak_frame", "threshold", "region",
)  # fmt: skip


def watch(
    source: Source, streamer: Streamer, alarms: Threshold, ledger: AlertLog, film: Film | None, limit: float
) -> dict[str, float]:
    """Score a source to its end, or until Ctrl-C of a camera, or for `limit` seconds of it.

    Returns `frames`, `seconds`, and `frames_per_second`: of a recording with reading it, of a camera without waiting.
    """
    from pagen.scoring.frame_score import region_of

    smooth, watchman = Smooth(alarms.smooth), AlertTracker(alarms)
    frames, seconds, spent = 0, 0.0, 0.0
    since = time.perf_counter()
    try:
        with _stoppable():
            for item in console.progress(thinned(source, alarms.fps), source.name, unit="frames"):
                if item.seconds >= limit:
                    break
                if isinstance(item, Gap):
                    ledger.tell(watchman.finish())
                    ledger.gap(item)
                    smooth.reset()
                    streamer.reset()
                    continue
                since = time.perf_counter() if source.live else since
                seen = streamer(item.frame)
                smoothed = smooth(seen.value)
                box = region_of(seen.heat, item.frame.shape[:2]) if smoothed > alarms.threshold else None
                ledger.score(item, seen.value, smoothed)
                ledger.tell(watchman.look(item, smoothed, box))
                if film:
                    film.add(item, smoothed, seen.heat, box)
                frames, seconds = frames + 1, item.seconds
                spent += time.perf_counter() - since
                since = time.perf_counter()
    except KeyboardInterrupt:
        if not source.live:  # a camera has no other end
            raise
    finally:
        ledger.tell(watchman.finish())
    return {"frames": frames, "seconds": seconds, "frames_per_second": frames / spent if frames else 0.0}


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends what runs inside as Ctrl-C does; only the main thread hears of it."""
    heard = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if heard else None
    try:
        yield
    finally:
        if heard:
            signal.signal(signal.SIGTERM, before)
