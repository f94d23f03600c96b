"""The verb `score`: alerts out of a file, a folder, a camera or a stream."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.flags import Device, Json

if TYPE_CHECKING:
    from pagen.eval.camera.threshold import Threshold
    from pagen.scoring.zones import Zones


@dataclass(frozen=True)
class Score:
    """Watch a recording, a camera or a stream: alerts as they happen, scores, an annotated video."""

    run: tyro.conf.Positional[Path]
    """Folder that `pagen calibrate` left its alarms.json in: the run's, or the one named by --out there."""
    source: tyro.conf.Positional[str]
    """Video file, folder of images or videos, number of a camera, or URL (rtsp://...); with a password, env:NAME or
    file:PATH, an environment variable or a file that holds the URL."""
    name: str | None = None
    """What to call the camera, in its folder and its alerts; by default as the source is called."""
    out: Path | None = None
    """Folder for alerts.jsonl, alerts.csv and scores.csv, of one camera; by default RUN/live/NAME."""
    annotate: Path | None = None
    """Also write a video with heat map, regions and timeline (.mp4, .mkv, .mov); of a camera one a session."""
    zones: Path | None = None
    """The zones that were calibrated with, which hold anyway; others are refused."""
    blur: bool = False
    """Pixelate what moves in the annotated video. It hides no one who stands still."""
    timeout: float = 10.0
    """Seconds that a stream may take to answer."""
    limit: float = math.inf
    """Seconds of the source after which to stop."""
    keep: float = 1.0
    """Gigabytes of a camera's scores that are kept, some five days at 25 frames a second; the oldest go."""
    device: Device = "auto"
    json: Json = False

    def __post_init__(self) -> None:
        if self.blur and self.annotate is None:
            raise PagenError("expected --annotate OUT.mp4 with --blur, found none; nothing else holds pictures")
        if not self.keep > 0:
            raise PagenError(f"expected --keep above 0, found {self.keep:g}; 1 is usual")


def run(config: Score) -> None:
    """The verb `score`."""
    result = score(config)
    told = {
        "dropped": "dropped while others were looked at",
        "lost": "lost to damage",
        "passed_over": "passed over at the rate that was calibrated",
        "gaps": "gaps, told in alerts.jsonl",
    }
    more = "".join(f", {result[name]} {what}" for name, what in told.items() if result[name])
    text = f"{result['alerts']} alerts in {result['seconds']:.1f} s, {result['frames']} frames{more}; "
    text += f"{result['frames_per_second']:.1f} frames a second\n{result['path']}"
    console.result(result, config.json, text)


def score(config: Score) -> dict[str, Any]:
    """Watch a source to its end, or until Ctrl-C or `limit`; returns counts, and where the files lie.

    Raises PagenError: nothing calibrated, another run or other zones than then, or a source that gives no frames.
    """
    from pagen.eval.camera.address import name_of
    from pagen.eval.camera.alerts import AlertLog
    from pagen.eval.camera.camera_folder import folder_of, folder_of_camera
    from pagen.eval.camera.film import Film
    from pagen.eval.camera.sources import Recording, open_footage
    from pagen.eval.camera.threshold import read_threshold
    from pagen.eval.camera.watch import watch
    from pagen.scoring.stream import open_streamer

    threshold = read_threshold(config.run)
    run, zones = _calibrated(config, threshold)
    name = config.name or name_of(config.source)
    footage = open_footage(config.source, threshold.fps, config.timeout, threshold.deinterlace, name)
    if isinstance(footage, Recording) and footage.fps < 0.9 * threshold.fps:
        rate = f"{footage.fps:g} frames a second, not {threshold.fps:g}"
        console.say(f"{footage.name} has {rate}: all moves faster than when this was calibrated; calibrate on its like")
    streamer = open_streamer(run, threshold.indicator, zones, config.device, threshold.precision)
    out = config.out or config.run / "live" / folder_of(footage.name)
    recording = None if footage.live else Path(config.source)
    with ExitStack() as files:
        files.enter_context(folder_of_camera(out, footage.name, recording))
        wanted = Film(config.annotate, threshold, config.blur, footage.live) if config.annotate else None
        film = files.enter_context(wanted) if wanted else None
        log = files.enter_context(AlertLog(out, footage.name, threshold, footage.live, config.keep * 1e9))
        counts = watch(footage, streamer, threshold, log, film, config.limit)
    told = {"alerts": log.alerts, "lost": footage.lost, "live": footage.live, "path": str(out)}
    return {**counts, **told}


def _calibrated(config: Score, threshold: Threshold) -> tuple[str, Zones | None]:
    """The run, or baseline, and the zones that were calibrated. Raises PagenError where either is another by now."""
    from pagen.eval.camera.threshold import fingerprint_of
    from pagen.scoring.zones import read_zones

    zones = threshold.zones
    if config.zones is not None and read_zones(config.zones) != zones:
        raise PagenError(f"expected the zones that {config.run} was calibrated with, found others; calibrate with them")
    run = str(config.run / threshold.run) if threshold.fingerprint else threshold.run
    if threshold.fingerprint != fingerprint_of(run):
        raise PagenError(f"expected the run that {config.run} was calibrated on, found another; calibrate again")
    return run, zones
