"""Scores of footage, frame by frame: of normal footage for a threshold, and held against one."""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.alerts import AlertLog, AlertTracker
from pagen.eval.camera.film import Film
from pagen.eval.camera.sources import Footage, Gap, Recording, Shot, thinned
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
    footage: Footage, streamer: Streamer, fps: float, sigma: float, limit: float = math.inf
) -> Iterator[Scored | Gap]:
    """The frames of footage as they come, at most `fps` a second, scored and smoothed; after a gap both begin anew.

    `sigma` is that of the causal smoothing in frames, 0 for none; `limit`, seconds of the footage after which to stop.
    """
    smooth = Smooth(sigma)
    within = takewhile(lambda item: item.seconds < limit, thinned(footage, fps))
    for item in console.progress(within, footage.name, unit="frames"):
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
    """Smoothed scores (T,) of every piece of footage between gaps, and how hot normal frames are: quantile 0.99."""
    clips: list[array[float]] = []
    hottest = array("d")
    for each in footage:
        streamer.reset()
        clips.append(array("d"))
        for item in scored(each, streamer, fps, sigma):
            if isinstance(item, Gap):
                clips.append(array("d"))
                continue
            clips[-1].append(item.smoothed)
            if item.score.heat is not None:
                hottest.append(float(item.score.heat.max()))
    return [np.array(clip) for clip in clips], float(np.quantile(hottest, 0.99)) if hottest else None


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

    Returns `frames`, `seconds`, and `frames_per_second`: of a recording with reading it, of a camera without waiting.
    """
    tracker = AlertTracker(threshold)
    frames, seconds, spent, since = 0, 0.0, 0.0, time.perf_counter()
    try:
        with answered():  # a service that is stopped, a terminal that closes: as Ctrl-C
            for item in scored(footage, streamer, threshold.fps, threshold.smooth, limit):
                if isinstance(item, Gap):
                    log.write(tracker.finish())
                    log.gap(item)
                    continue
                _keep(item, threshold, tracker, log, film)
                frames, seconds, now = frames + 1, item.shot.seconds, time.perf_counter()
                spent, since = spent + now - (item.came if footage.live else since), now
    except KeyboardInterrupt:
        if not footage.live:  # a camera has no other end
            raise
    finally:
        log.write(tracker.finish())
    return {"frames": frames, "seconds": seconds, "frames_per_second": frames / spent if frames else 0.0}


def _keep(item: Scored, threshold: Threshold, tracker: AlertTracker, log: AlertLog, film: Film | None) -> None:
    """Write what a frame gives: its scores, the alerts that it changes, its picture."""
    shot, heat = item.shot, item.score.heat
    region = region_of(heat, shot.frame.shape[:2]) if item.smoothed > threshold.threshold else None
    log.score(shot, item.score.value, item.smoothed)
    log.write(tracker.update(shot, item.smoothed, region))
    if film:
        film.add(shot, item.smoothed, heat, region)
