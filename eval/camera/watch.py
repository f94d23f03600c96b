"""Scores of footage, frame by frame: of normal footage for a threshold, and held against one."""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.alerts import AlertLog, AlertTracker
from pagen.eval.camera.film import Film
from pagen.eval.camera.shots import Gap, Shot, Thinned
from pagen.eval.camera.sources import Footage, Recording
from pagen.eval.camera.threshold import Smooth, Threshold
from pagen.scoring.frame_score import FrameScore, region_of
from pagen.scoring.stream import Streamer
from pagen.signals import answered


@dataclass(frozen=True)
class Scored:
    """A frame that was scored, smoothed causally; it `came` by the clock that `time.perf_counter` reads."""

    shot: Shot
    score: FrameScore
    smoothed: float
    came: float


def scored(
    items: Thinned, streamer: Streamer, sigma: float, limit: float = math.inf
) -> Generator[Scored | Gap, None, None]:
    """The frames of a source as they come, scored and smoothed; after a gap both begin anew.

    `sigma` is that of the causal smoothing in frames, 0 for none; `limit`, seconds of the footage after which to stop.
    """
    smooth = Smooth(sigma)
    for item in console.progress(items.until(limit), items.source.name, unit="frames"):
        if isinstance(item, Gap):
            smooth.reset()
            streamer.reset()
            yield item
            continue
        came = time.perf_counter()
        score = streamer(item.frame)
        yield Scored(item, score, smooth(score.value), came)


def scored_normal(
    streamer: Streamer, footage: Sequence[Footage], fps: float, sigma: float
) -> tuple[list[npt.NDArray[np.float64]], float | None]:
    """Smoothed scores (T,) of every piece of footage between gaps, and how hot normal frames are: quantile 0.99.

    T counts places of a constant grid of `fps` a second, so that T / fps is the time that was watched.
    """
    clips: list[Laid] = []
    hottest = array("d")
    for each in footage:
        streamer.reset()
        clips.append(Laid(fps))
        gaps = list[Gap]()
        for item in scored(Thinned(each, fps), streamer, sigma):
            if isinstance(item, Gap):
                gaps.append(item)
                clips.append(Laid(fps))
                continue
            clips[-1].put(item.shot.seconds, item.smoothed)
            if item.score.heat is not None:
                hottest.append(float(item.score.heat.max()))
        if gaps:
            console.say(f"{each.name}: {len(gaps)} gaps, the first at {gaps[0].clock} ({gaps[0].reason})")
    return [np.array(clip.scores) for clip in clips], float(np.quantile(hottest, 0.99)) if hottest else None


class Laid:
    """Scores between two gaps on a constant grid: a place has the highest of its frames, or that of the one before."""

    def __init__(self, fps: float) -> None:
        self.scores, self._fps, self._first = array("d"), fps, 0.0

    def put(self, seconds: float, score: float) -> None:
        """The score of the next frame."""
        if not self.scores:
            self._first = seconds
        place = math.floor((seconds - self._first) * self._fps + 0.5)
        if place < len(self.scores):
            self.scores[place] = np.fmax(self.scores[place], score)
            return
        self.scores.extend(self.scores[-1:] * (place - len(self.scores)))
        self.scores.append(score)


def common_rate(footage: Sequence[Footage], fps: float | None) -> float:
    """Frames a second that are looked at. Raises PagenError for cameras, and rates that differ where none is given."""
    rates = [each.fps for each in footage if isinstance(each, Recording)]
    if len(rates) < len(footage):
        raise PagenError("expected recordings as --normal, found a camera or stream; record it first")
    if fps is None and max(rates) > 1.1 * min(rates):
        raise PagenError(f"expected --normal of one frame rate, found {min(rates):g} to {max(rates):g}; give --fps")
    return fps or float(rates[0])


def watch(
    footage: Footage, streamer: Streamer, threshold: Threshold, log: AlertLog, film: Film | None, limit: float
) -> dict[str, float]:
    """Score footage to its end, or until Ctrl-C of a camera, or for `limit` seconds of it.

    Returns `frames`, `gaps`, frames `passed_over` as `Thinned` counts them, frames `dropped` as the source does, with
    one that Ctrl-C found half looked at, `seconds`, and `frames_per_second`: of a recording with reading it, of a
    camera without waiting.
    """
    tracker, items = AlertTracker(threshold), Thinned(footage, threshold.fps)
    frames, gaps, seconds, spent, since = 0, 0, 0.0, 0.0, time.perf_counter()
    try:
        with answered(), closing(scored(items, streamer, threshold.smooth, limit)) as found:
            for item in found:
                if isinstance(item, Gap):
                    log.write(tracker.finish())
                    log.gap(item)
                    gaps += 1
                    continue
                _keep(item, threshold, tracker, log, film)
                frames, seconds, now = frames + 1, item.shot.seconds, time.perf_counter()
                spent, since = spent + now - (item.came if footage.live else since), now
    except KeyboardInterrupt:
        if not footage.live:  # a camera has no other end
            raise
    finally:
        log.write(tracker.finish())
    dropped = footage.dropped + items.given - frames
    counts = {"frames": frames, "gaps": gaps, "passed_over": items.passed_over, "dropped": dropped, "seconds": seconds}
    return {**counts, "frames_per_second": frames / spent if frames else 0.0}


def _keep(item: Scored, threshold: Threshold, tracker: AlertTracker, log: AlertLog, film: Film | None) -> None:
    """Write what a frame gives: its scores, the alerts that it changes, its picture."""
    shot, heat = item.shot, item.score.heat
    region = region_of(heat, shot.frame.shape[:2]) if item.smoothed > threshold.threshold else None
    log.score(shot, item.score.value, item.smoothed)
    log.write(tracker.update(shot, item.smoothed, region))
    if film:
        film.add(shot, item.smoothed, heat, region)
