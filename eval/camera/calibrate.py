"""The verb `calibrate`: a threshold for one's own camera, from normal footage that the run was not trained on.

The threshold is the lowest with which, and above which, normal footage of T hours keeps to X T alerts; k remain.
If these come by chance (Poisson), the rate above the (k + 1)-th highest of all events is Gamma(k + 1, T), however the
threshold was chosen among them: its upper 95 % bound is chi2(0.95; 2 k + 2) / 2 T, or 3 / T with none.

What falls due less than once in T hours has not been seen: where X T < 1 the threshold is the highest score and a
margin of b ln(1 / X T), b the mean by which the nine highest events exceed the tenth. That extrapolates an
exponential tail, and the bound stays 3 / T.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.threshold import FILE, Threshold

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pagen.eval.camera.sources import Source
    from pagen.eval.streamer import Streamer

    Values = npt.NDArray[np.float64]


TAIL = 9
"""How many of the highest events the margin rests on."""


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
    out: Path | None = None
    """Folder for alarms.json, one for each camera; by default the run's."""
    device: str = "auto"
    """Where the run works: cpu, cuda, cuda:1, or the best there is."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Calibrate) -> None:
    """The verb `calibrate`."""
    alarms = calibrate(config)
    folder = config.out or Path(config.run)
    alarms.write(folder)
    console.say(f"wrote {folder / FILE}")
    console.result(asdict(alarms), config.json, as_text(alarms))


def calibrate(config: Calibrate) -> Threshold:
    """The threshold for a camera.

    Raises:
        PagenError: a run or footage that is not there, values out of range, or no frame that has a score.
    """
    from pagen.eval.camera.sources import open_source
    from pagen.eval.camera.threshold import event_counts, lowest_threshold
    from pagen.eval.streamer import open_streamer
    from pagen.scoring.zones import read_zones

    _check(config)
    zones = None if config.zones is None else read_zones(config.zones)
    sources = [open_source(str(path), config.fps) for path in config.normal]
    streamer = open_streamer(config.run, config.indicator, zones, config.device)
    fps = _rate(config, sources)
    clips, heat = _scored(streamer, sources, fps, config.smooth)
    hours = sum(map(len, clips)) / fps / 3600
    gap, least = math.floor(config.merge * fps + 0.5), max(1, math.ceil(config.least * fps - 0.5))
    thresholds, counts = event_counts(clips, gap, least)
    if len(thresholds) == 0:
        raise PagenError(f"expected {least} frames and more of normal footage with a score, found none; give more")
    expected = config.false_alarms_per_hour * hours
    threshold, events = lowest_threshold(thresholds, counts, math.floor(expected + 1e-9))
    margin = tail_margin(thresholds, counts, expected) if expected < 1 else 0.0
    return Threshold(
        _from(config),
        fingerprint_of(config.run),
        streamer.indicator,
        threshold + margin,
        config.smooth,
        config.merge,
        config.least,
        fps,
        config.false_alarms_per_hour,
        hours,
        events,
        upper_bound(events, hours),
        margin,
        _median(clips),
        heat,
        None if zones is None else asdict(zones),
    )


def as_text(alarms: Threshold) -> str:
    """What a person wants to know of it."""
    lines = [
        f"threshold {alarms.threshold:.6g} on {alarms.indicator}: {alarms.events} alerts in {alarms.hours:.3g} hours "
        f"of normal footage; at most {alarms.bound:.3g} an hour with 95 % confidence, {alarms.wanted:g} wanted"
    ]
    if alarms.wanted * alarms.hours < 1:
        lines.append(
            f"{alarms.hours:.3g} hours are too short for {alarms.wanted:g} an hour, which takes "
            f"{1 / alarms.wanted:.3g} (and {3 / alarms.wanted:.3g} to show it): the threshold is the highest score "
            f"and a margin of {alarms.margin:.3g}, extrapolated; give more normal footage"
        )
    return "\n".join(lines)


def fingerprint_of(run: str) -> str:
    """What tells a run from another; empty for a baseline. Raises PagenError when there is no such run."""
    from pagen.folders import Folder
    from pagen.scoring.baselines import BASELINES

    return "" if run in BASELINES else Folder.open(Path(run), "run", verify=False).fingerprint()


def tail_margin(thresholds: Values, counts: npt.NDArray[np.int64], expected: float) -> float:
    """What lies between the highest event and one that falls due `expected` times, below 1; see the module.

    Args:
        thresholds, counts: as `event_counts` gives them.
    """
    from pagen.eval.camera.threshold import lowest_threshold

    most = min(TAIL, int(counts.max()))
    *highest, last = (lowest_threshold(thresholds, counts, allowed)[0] for allowed in range(most + 1))
    excess = sum(highest) / len(highest) - last if highest else 0.0
    return excess * math.log(1 / expected)


def upper_bound(events: int, hours: float) -> float:
    """The highest rate (an hour) with which so few events in so many hours are no rarer than 5 %.

    With none by the rule of three, else exact for a Poisson process (Garwood 1936).
    """
    from scipy.stats import chi2

    return 3 / hours if events == 0 else float(chi2.ppf(0.95, 2 * events + 2)) / 2 / hours


def _scored(
    streamer: Streamer, sources: Sequence[Source], fps: float, sigma: float
) -> tuple[list[Values], float | None]:
    """Smoothed scores of every piece of footage, and how hot normal frames are."""
    import numpy as np

    from pagen.eval.camera.sources import Gap, thinned
    from pagen.eval.camera.threshold import Smooth

    clips: list[array[float]] = []
    hottest = array("d")
    for source in sources:
        smooth = Smooth(sigma)
        streamer.reset()
        clips.append(array("d"))
        for item in console.progress(thinned(source, fps), f"score {source.name}", unit="frames"):
            if isinstance(item, Gap):
                smooth.reset()
                streamer.reset()
                clips.append(array("d"))
                continue
            seen = streamer(item.frame)
            clips[-1].append(smooth(seen.value))
            if seen.heat is not None:
                hottest.append(float(seen.heat.max()))
    return [np.array(clip) for clip in clips], float(np.quantile(hottest, 0.99)) if hottest else None


def _rate(config: Calibrate, sources: Sequence[Any]) -> float:
    rates = [source.fps for source in sources if not source.live]
    if len(rates) < len(sources):
        raise PagenError("expected recordings as --normal, found a camera or stream; record it first")
    if config.fps is None and max(rates) > 1.1 * min(rates):
        raise PagenError(f"expected --normal of one frame rate, found {min(rates):g} to {max(rates):g}; give --fps")
    return config.fps or float(rates[0])


def _median(clips: Sequence[Values]) -> float:
    import numpy as np

    return float(np.nanmedian(np.concatenate(clips)))


def _from(config: Calibrate) -> str:
    """The run, seen from the folder that the threshold is kept in."""
    from pagen.scoring.baselines import BASELINES

    if config.run in BASELINES:
        return config.run
    return "." if config.out is None else str(Path(config.run).absolute())


def _check(config: Calibrate) -> None:
    from pagen.scoring.baselines import BASELINES

    if config.run in BASELINES and config.out is None:
        raise PagenError(f"expected --out with {config.run}, which has no folder of its own, found none; name one")
    if not config.normal:
        raise PagenError("expected normal footage, found none; give --normal VIDEO ...")
    numbers = (config.false_alarms_per_hour, 1.0 if config.fps is None else config.fps)
    if not all(0 < number < math.inf for number in numbers):
        raise PagenError(f"expected --false-alarms-per-hour and --fps above 0, found {numbers[0]:g} and {config.fps}")
    if min(config.smooth, config.merge, config.least) < 0:
        raise PagenError("expected --smooth, --merge and --least of 0 and more, found less")
