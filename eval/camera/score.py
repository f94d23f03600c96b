"""The verb `score`: alerts out of a file, a folder, a camera or a stream."""

from __future__ import annotations

import math
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from pagen import console
from pagen.errors import PagenError


@dataclass(frozen=True)
class Score:
    """Watch a recording, a camera or a stream: alerts as they happen, scores, an annotated video."""

    run: tyro.conf.Positional[Path]
    """Folder that `pagen calibrate` left its alarms.json in: the run's, or the one named by --out there."""
    source: tyro.conf.Positional[str]
    """Video file, folder of images or videos, number of a camera, or URL (rtsp://...)."""
    out: Path | None = None
    """Folder for alerts.jsonl, alerts.csv and scores.csv; by default RUN/live/SOURCE."""
    annotate: Path | None = None
    """Also write a video with heat map, regions and timeline (.mp4, .mkv, .mov)."""
    zones: Path | None = None
    """The zones that were calibrated with, which hold anyway; others are refused."""
    blur: bool = False
    """Pixelate what moves in the annotated video. It hides no one who stands still."""
    timeout: float = 10.0
    """Seconds that a stream may take to answer."""
    limit: float = math.inf
    """Seconds of the source after which to stop."""
    device: str = "auto"
    """Where the run works: cpu, cuda, cuda:1, or the best there is."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Score) -> None:
    """The verb `score`."""
    result = score(config)
    lost = f", {result['dropped']} dropped while others were looked at" if result["live"] else ""
    text = f"{result['alerts']} alerts in {result['seconds']:.1f} s, {result['frames']} frames{lost}; "
    text += f"{result['frames_per_second']:.1f} frames a second\n{result['path']}"
    console.result(result, config.json, text)


def score(config: Score) -> dict[str, Any]:
    """Watch a source to its end, or until Ctrl-C or `limit`; returns what was found.

    Raises:
        PagenError: nothing calibrated, another run or other zones than then, or a source that gives no frames.
    """
    from pagen.eval.camera.alerts import AlertLog, watch
    from pagen.eval.camera.calibrate import fingerprint_of
    from pagen.eval.camera.film import Film
    from pagen.eval.camera.sources import Recording, open_source
    from pagen.eval.camera.threshold import read_alarms
    from pagen.eval.streamer import open_streamer
    from pagen.scoring.zones import read_zones, zones_of

    alarms = read_alarms(config.run)
    zones = None if alarms.zones is None else zones_of(alarms.zones)
    if config.zones is not None and read_zones(config.zones) != zones:
        raise PagenError(f"expected the zones that {config.run} was calibrated with, found others; calibrate with them")
    if config.blur and config.annotate is None:
        raise PagenError("expected --annotate OUT.mp4 with --blur, found none; nothing else holds pictures")
    where = str(config.run / alarms.run) if alarms.fingerprint else alarms.run
    if alarms.fingerprint != fingerprint_of(where):
        raise PagenError(f"expected the run that {config.run} was calibrated on, found another; calibrate again")
    source = open_source(config.source, alarms.fps, config.timeout)
    if isinstance(source, Recording) and source.fps < 0.9 * alarms.fps:
        rates = f"{source.fps:g} frames a second, not {alarms.fps:g}"
        console.say(f"{source.name} has {rates}: all moves faster than when this was calibrated; calibrate on its like")
    streamer = open_streamer(where, alarms.indicator, zones, config.device)
    out = config.out or config.run / "live" / re.sub(r"[^\w.]+", "-", source.name).strip("-.")
    with ExitStack() as files:
        film = files.enter_context(Film(config.annotate, alarms, config.blur)) if config.annotate else None
        ledger = files.enter_context(AlertLog(out, source.name, alarms, source.live))
        found = watch(source, streamer, alarms, ledger, film, config.limit)
    return {**found, "alerts": ledger.alerts, "dropped": source.dropped, "live": source.live, "path": str(out)}
