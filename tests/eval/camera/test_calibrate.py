from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import poisson

from pagen.cli import main
from pagen.errors import PagenError
from pagen.eval.camera.alerts import AlertTracker
from pagen.eval.camera.calibrate import Calibrate, calibrate
from pagen.eval.camera.shots import Shot
from pagen.eval.camera.threshold import Threshold, event_counts, read_threshold, tail_margin, upper_bound
from pagen.scoring.zones import Zones

MakeRun = Callable[..., Path]


@pytest.mark.parametrize("events", [1, 4, 20])
def test_the_bound_is_where_so_few_become_rare(events: int) -> None:
    assert poisson.cdf(events, 3.5 * upper_bound(events, 3.5)) == pytest.approx(0.05)


def test_without_events_the_rule_of_three_holds() -> None:
    assert upper_bound(0, 6.0) == 0.5
    assert poisson.cdf(0, 6.0 * upper_bound(0, 6.0)) == pytest.approx(0.05, abs=1e-3)


def test_the_bound_holds_though_the_threshold_was_chosen_on_the_same_events() -> None:
    """Peaks of a Poisson process of rate 1 with exponential heights, of which k lie above the threshold."""
    rng = np.random.default_rng(0)
    hours, allowed, kept = 40.0, 2, []
    for _ in range(1000):
        heights = np.sort(rng.exponential(size=rng.poisson(hours)))[::-1]
        rate_above = np.exp(-heights[allowed])  # of further footage, an hour
        kept.append(rate_above <= upper_bound(allowed, hours))
    assert np.mean(kept) == pytest.approx(0.95, abs=0.025)


def test_the_margin_extrapolates_an_exponential_tail() -> None:
    rng = np.random.default_rng(0)
    margins = []
    for _ in range(200):
        clip = np.zeros(400)
        clip[::2] = rng.exponential(2.0, size=200)
        margins.append(tail_margin(*event_counts([clip], 0, 1), expected=0.1))
    assert np.mean(margins) == pytest.approx(2.0 * np.log(10), rel=0.1)
    assert tail_margin(*event_counts([np.ones(5)], 0, 1), expected=0.1) == 0.0


def config(footage: Path, run: str, **changes: object) -> Calibrate:
    normal = footage / "testing/x"
    return replace(Calibrate(run, (normal,), 1.0, fps=10.0, device="cpu"), **changes)  # type: ignore[arg-type]


def test_the_threshold_gives_as_many_alerts_as_it_says(footage: Path, tmp_path: Path) -> None:
    wanted = config(footage, "flow_speed", false_alarms_per_hour=2500.0, smooth=0.0, merge=0.0, out=tmp_path / "out")
    threshold = calibrate(wanted)
    assert (threshold.run, threshold.fingerprint, threshold.indicator) == ("flow_speed", "", "flow_speed")
    assert threshold.hours == pytest.approx(30 / 36_000)
    assert threshold.events <= 2
    assert threshold.margin == 0
    assert threshold.bound == upper_bound(threshold.events, threshold.hours)
    from pagen.footage.images import image_frames
    from pagen.footage.listing import IMAGES, listing
    from pagen.scoring.baselines import flow_speed

    scores = flow_speed(image_frames(listing(footage / "testing/x", IMAGES)))
    tracker, changes = AlertTracker(threshold), []
    for index, score in enumerate(scores[1:].tolist(), 1):
        changes += tracker.update(Shot(np.zeros((1, 1), np.uint8), index, index / 10, ""), score, None)
    assert sum(what == "begin" for what, _ in changes) == threshold.events


def test_too_few_hours_are_told_and_get_a_margin(footage: Path, tmp_path: Path) -> None:
    threshold = calibrate(config(footage, "flow_speed", out=tmp_path / "out"))
    assert threshold.events == 0
    assert threshold.margin >= 0
    assert threshold.bound == pytest.approx(3 / threshold.hours)
    first, second = threshold.text().split("\n")
    assert "0 alerts in 0.000833 hours" in first
    assert second.startswith("0.000833 hours are too short for 1 an hour, which takes 1 (and 3 to show it)")


def test_a_run_keeps_its_threshold_and_a_camera_one_of_its_own(
    footage: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run()
    flags = ["--normal", str(footage / "testing/x"), "--false-alarms-per-hour", "1", "--fps", "10", "--device", "cpu"]
    main(["calibrate", str(path), *flags, "--json"])
    there = read_threshold(path)
    assert json.loads(capsys.readouterr().out) == asdict(there)
    assert (there.run, there.indicator, there.zones) == (".", "psnr_local", None)
    zones = tmp_path / "zones.json"
    zones.write_text('{"include": [[[0, 0], [20, 0], [20, 20]]]}')
    camera = tmp_path / "camera"
    main(["calibrate", str(path), *flags, "--out", str(camera), "--zones", str(zones)])
    other = read_threshold(camera)
    assert (other.run, other.fingerprint) == (str(path), there.fingerprint)
    assert other.zones == Zones([[(0.0, 0.0), (20.0, 0.0), (20.0, 20.0)]])
    assert other.threshold < there.threshold


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"run": "flow_speed"}, "expected --out with flow_speed"),
        ({"run": "none"}, "expected a run folder"),
        ({"false_alarms_per_hour": 0.0}, "expected --false-alarms-per-hour and --fps above 0"),
        ({"merge": -1.0}, "expected --smooth, --merge and --least of 0"),
        ({"normal": ()}, "expected normal footage"),
        ({"normal": (Path("0"),)}, "expected recordings as --normal"),
        ({"indicator": "psnr_locl"}, "no indicator named 'psnr_locl'; did you mean 'psnr_local'?"),
        ({"fps": None}, "expected --fps for the images"),
        ({"least": 60.0}, "expected 600 frames and more of normal footage"),
    ],
)
def test_slips_get_one_line(
    changes: dict[str, object], line: str, footage: Path, make_run: MakeRun, tmp_path: Path
) -> None:
    with pytest.raises(PagenError, match=line.replace("?", r"\?")):
        calibrate(replace(config(footage, str(make_run())), **changes))  # type: ignore[arg-type]


def test_what_is_not_calibrated_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected alarms.json in .*run 'pagen calibrate"):
        read_threshold(tmp_path)
    (tmp_path / "alarms.json").write_text('{"run": "."}')
    with pytest.raises(PagenError, match=r"a value for fingerprint in .*alarms\.json, found none; calibrate again"):
        read_threshold(tmp_path)
    threshold = Threshold("flow_speed", "", "flow_speed", 1, 2, 2, 0.2, 10, 1, 1, 0, 3, 0, 0, None, None)
    threshold.write(tmp_path)
    assert read_threshold(tmp_path) == threshold
