"""The verb `calibrate`: a `threshold` for one's own camera, from normal footage that the run was not trained on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.flags import Device, Json, Rounding

if TYPE_CHECKING:
    from pagen.eval.camera.threshold import Threshold


@dataclass(frozen=True)
class Calibrate:
    """Find the threshold that keeps a run to so many false alarms an hour, on normal footage."""

    run: tyro.conf.Positional[str]
    """Run folder, or a baseline that learns nothing: flow_speed, frame_difference (then with --out)."""
    normal: tuple[Path, ...]
    """Videos, or folders of images or videos, without anything abnormal, that the run was not trained on."""
    false_alarms_per_hour: float
    """How many false alarms an hour are tolerable."""
    indicator: str | None = None
    """What is looked at; by default what the run fuses, else its first indicator (psnr_local, flow, vcr_local)."""
    smooth: float = 2.0
    """Width of the causal smoothing in frames; 0 for none."""
    merge: float = 2.0
    """Seconds between two alarms that still are one."""
    least: float = 0.2
    """Seconds that an alarm must last."""
    fps: float | None = None
    """Frames a second that are looked at, here and by `score`; by default all. Needed for a folder of images."""
    zones: Path | None = None
    """JSON file of polygons in source pixels: {"include": [[[x, y], ...], ...], "exclude": [...]}."""
    deinterlace: bool = False
    """De-interlace interlaced frames, here and by `score`; of a camera's number all, as it says of none."""
    out: Path | None = None
    """Folder for alarms.json, one for each camera; by default the run's."""
    device: Device = "auto"
    rounding: Rounding = "fp32"
    json: Json = False

    def __post_init__(self) -> None:
        if not self.normal:
            raise PagenError("expected normal footage, found none; give --normal VIDEO ...")
        wanted, fps = self.false_alarms_per_hour, 1.0 if self.fps is None else self.fps
        if not (0 < wanted < math.inf and 0 < fps < math.inf):
            raise PagenError(f"expected --false-alarms-per-hour and --fps above 0, found {wanted:g} and {self.fps}")
        if min(self.smooth, self.merge, self.least) < 0:
            raise PagenError("expected --smooth, --merge and --least of 0 and more, found less")


def run(config: Calibrate) -> None:
    """The verb `calibrate`."""
    from pagen.eval.camera.threshold import FILE

    threshold = calibrate(config)
    folder = config.out or Path(config.run)
    threshold.write(folder)
    console.say(f"wrote {folder / FILE}")
    console.result(asdict(threshold), config.json, threshold.text())


def calibrate(config: Calibrate) -> Threshold:
    """The threshold for a camera.

    Raises PagenError: a run or footage that is not there, values out of range, or no frame that has a score.
    """
    from pagen.eval.camera.sources import open_footage
    from pagen.eval.camera.threshold import Threshold, fingerprint_of
    from pagen.eval.camera.watch import common_rate, scored_normal
    from pagen.scoring.stream import open_streamer
    from pagen.scoring.zones import read_zones

    fingerprint = fingerprint_of(config.run)
    if not fingerprint and config.out is None:
        raise PagenError(f"expected --out with {config.run}, which has no folder of its own, found none; name one")
    zones = None if config.zones is None else read_zones(config.zones)
    footage = [open_footage(str(path), config.fps, deinterlace=config.deinterlace) for path in config.normal]
    streamer = open_streamer(config.run, config.indicator, zones, config.device, config.rounding)
    fps = common_rate(footage, config.fps)
    clips, heat = scored_normal(streamer, footage, fps, config.smooth)
    own = "." if config.out is None else str(Path(config.run).absolute())  # seen from the folder of the threshold
    return Threshold.chosen(
        clips,
        run=own if fingerprint else config.run,
        fingerprint=fingerprint,
        indicator=streamer.indicator,
        **{name: getattr(config, name) for name in ("smooth", "merge", "least")},
        fps=fps,
        wanted=config.false_alarms_per_hour,
        heat=heat,
        zones=zones,
        deinterlace=config.deinterlace,
        precision=config.rounding,
    )
