from __future__ import annotations

import csv
import json
import socket
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pagen.cli import main
from pagen.errors import PagenError
from pagen.eval.camera.score import Score, score
from pagen.eval.fusion import fused
from pagen.folders import Folder, digests, write_json
from pagen.footage.clip_input import FlowInput, FrameInput
from pagen.footage.flow import dis
from pagen.footage.images import image_frames
from pagen.footage.listing import IMAGES, listing
from pagen.footage.resize import resized_frame
from pagen.models.luss import LUSSAE
from pagen.models.runs import open_run
from pagen.papers.all_papers import FUSED
from pagen.scoring.baselines import flow_speed
from pagen.scoring.rescale import calibrated
from pagen.scoring.sliding import Slider
from pagen.scoring.stream import Streamer, open_streamer
from pagen.scoring.zones import Zones

pytestmark = pytest.mark.slow

MakeRun = Callable[..., Path]
SIZE = (20, 36)


class Frames(FrameInput):
    """Frames uint8 (T, H, W, C) that lie nowhere."""

    def source(self, clip: Any) -> Any:
        return clip


class Flow(FlowInput):
    """Flow float16 (T - 1, 2, H, W) that lies nowhere."""

    def source(self, clip: Any) -> Any:
        return clip


def frames_of(footage: Path) -> list[np.ndarray]:
    return list(image_frames(listing(footage / "testing/x", IMAGES)))


def scores_of(streamer: Streamer, frames: list[np.ndarray]) -> np.ndarray:
    streamer.reset()
    return np.array([streamer(frame).value for frame in frames])


def luss_run(path: Path, **calibration: dict[str, float]) -> Path:
    torch.manual_seed(0)
    folder = Folder.begin(path, "run", {}, {})
    recipe = {"recipe": "luss", "size": SIZE, "colour": False, "source": "frames", "window": 16}
    write_json(path / "recipe.json", recipe)
    write_json(path / "calibration.json", calibration)
    LUSSAE(1, "tiny", prp="conv").save_pretrained(path / "model")
    folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
    folder.finish()
    return path


def test_frames_score_as_the_last_of_their_window(footage: Path, make_run: MakeRun) -> None:
    path, frames = make_run(), frames_of(footage)
    prepared = np.stack([resized_frame(frame, SIZE, False) for frame in frames])
    expected = Slider(open_run(path).network, Frames(), 16).scores(prepared)
    for indicator in ("psnr_local", "psnr"):
        found = scores_of(open_streamer(str(path), indicator, device="cpu"), frames)
        np.testing.assert_allclose(found, expected[indicator], rtol=1e-5)
    default = open_streamer(str(path), device="cpu")
    assert default.indicator == "psnr_local"
    whole, part = scores_of(default, frames), scores_of(default, frames[:18])
    np.testing.assert_array_equal(whole[:18], part)  # what is to come changes nothing


def test_flow_scores_the_frame_that_it_leads_to(footage: Path, make_run: MakeRun) -> None:
    path, frames = make_run(source="flow", channels=3), frames_of(footage)
    maps = np.stack(list(dis(iter([resized_frame(frame, SIZE, False)[..., 0] for frame in frames])))).astype(np.float16)
    expected = Slider(open_run(path).network, Flow(None, "dis", "uvm", 8.0), 16).scores(maps)
    for indicator in (None, "flow"):
        found = scores_of(open_streamer(str(path), indicator, device="cpu"), frames)
        assert np.isnan(found[0])
        np.testing.assert_allclose(found[1:], expected[indicator or "flow_local"][1:], rtol=1e-5)
    with pytest.raises(PagenError, match="expected flow that can be computed of a stream, found file:"):
        open_streamer(str(make_run(source="flow", channels=3, flow=f"file:{footage}/labels")), device="cpu")


def test_luss_predicts_once_a_frame_and_is_fused(footage: Path, tmp_path: Path) -> None:
    parts = FUSED["luss"]
    known = {name: {"p1": -float(i), "median": 0.5, "p99": 1.0 + i} for i, name in enumerate(parts)}
    path, frames = luss_run(tmp_path / "luss", vcr={}, ffp={}, **known), frames_of(footage)
    prepared = np.stack([resized_frame(frame, SIZE, False) for frame in frames])
    slid = Slider(open_run(path).network, Frames(), 16).scores(prepared)
    expected = {name: slid[name] for name in ("vcr", "ffp", "prp", *parts)}
    for name in ("vcr", "ffp", "prp"):
        found = scores_of(open_streamer(str(path), name, device="cpu"), frames)
        np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-6)
    calibrated_ = {name: {"x": calibrated(expected[name], known[name])} for name in parts}
    together = fused(calibrated_, dict.fromkeys(parts, 1.0))["x"]
    streamer = open_streamer(str(path), device="cpu")
    assert streamer.indicator == "fused"
    np.testing.assert_allclose(scores_of(streamer, frames), together, rtol=1e-4)
    zoned = open_streamer(str(path), zones=Zones([], [[[0, 0], [9, 0], [9, 9]]]), device="cpu")
    assert list(zoned._parts) == ["vcr_local", "ffp_local"]
    with pytest.raises(PagenError, match="expected an indicator with a map of errors for --zones, found prp"):
        open_streamer(str(path), "prp", Zones([], [[[0, 0], [9, 0], [9, 9]]]), "cpu")


def test_a_baseline_scores_as_its_table(footage: Path) -> None:
    frames = frames_of(footage)
    found = scores_of(open_streamer("flow_speed"), frames)
    np.testing.assert_allclose(found[1:], flow_speed(iter(frames))[1:], rtol=1e-4, atol=1e-6)


def test_nothing_is_held_beyond_the_window(footage: Path, make_run: MakeRun) -> None:
    streamer, gone = open_streamer(str(make_run(window=8)), device="cpu"), []
    for frame in (frame.copy() for frame in frames_of(footage)):
        gone.append(weakref.ref(frame))
        streamer(frame)
        del frame
    assert [reference() is None for reference in gone[:-9]] == [True] * (len(gone) - 9)


@pytest.fixture
def camera(footage: Path, tmp_path: Path) -> Path:
    """A folder calibrated with a baseline; in its footage nothing is abnormal but the end of `test.avi`."""
    background = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8), (5, 5), 0)
    for name, length in (("normal", 60), ("test", 60)):
        writer = cv2.VideoWriter(str(tmp_path / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        place = 0
        for index in range(length):
            frame = background.copy()
            place = (place + (5 if name == "test" and 40 <= index < 50 else 1)) % 52
            frame[20:30, place : place + 10] = 220
            writer.write(frame)
        writer.release()
    flags = ["--false-alarms-per-hour", "100", "--merge", "0.5", "--out", str(tmp_path / "camera")]
    main(["calibrate", "flow_speed", "--normal", str(tmp_path / "normal.avi"), *flags])
    return tmp_path / "camera"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_from_a_camera_of_ones_own_to_an_alert(
    camera: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "out.mp4"
    main(["score", str(camera), str(tmp_path / "test.avi"), "--annotate", str(film), "--blur", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert (result["frames"], result["live"], result["dropped"]) == (60, False, 0)
    assert result["frames_per_second"] > 0
    folder = Path(result["path"])
    assert folder == camera / "live/test.avi"
    alerts = rows(folder / "alerts.csv")
    assert len(alerts) == result["alerts"] >= 1
    hit = max(alerts, key=lambda row: float(row["peak"]))
    assert 38 <= int(hit["start_frame"]) <= 42
    assert 48 <= int(hit["end_frame"]) <= 58
    x, y, width, height = map(int, hit["region"].split())
    assert (x >= 0, y <= 22, y + height >= 28, width > 0) == (True, True, True, True)
    capture = cv2.VideoCapture(str(film))
    assert sum(capture.read()[0] for _ in range(61)) == 60
    main(["score", str(camera), str(tmp_path / "test.avi"), "--limit", "2", "--out", str(tmp_path / "part")])
    assert rows(tmp_path / "part/scores.csv") == rows(folder / "scores.csv")[:20]
    assert "20 frames; " in capsys.readouterr().out


def test_zones_that_leave_the_place_out_leave_the_alert_out(camera: Path, tmp_path: Path) -> None:
    zones = tmp_path / "zones.json"
    zones.write_text('{"exclude": [[[0, 8], [64, 8], [64, 44], [0, 44]]]}')
    with pytest.raises(PagenError, match=r"expected the zones that .* was calibrated with, found others"):
        score(Score(camera, str(tmp_path / "test.avi"), zones=zones))
    flags = ["--false-alarms-per-hour", "100", "--zones", str(zones), "--out", str(tmp_path / "zoned")]
    main(["calibrate", "flow_speed", "--normal", str(tmp_path / "normal.avi"), *flags])
    score(Score(tmp_path / "zoned", str(tmp_path / "test.avi"), zones=zones))
    score(Score(camera, str(tmp_path / "test.avi")))
    peaks = [
        max(float(row["score"]) for row in rows(folder / "live/test.avi/scores.csv")[1:])
        for folder in (tmp_path / "zoned", camera)
    ]
    assert peaks[0] < 0.5 * peaks[1]


def test_slips_get_one_line_and_exit_with_two(
    camera: Path,
    footage: Path,
    tmp_path: Path,
    make_run: MakeRun,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATE", "rtsp://user:secret@127.0.0.1:1/x")
    test, other = str(tmp_path / "test.avi"), make_run()
    text = tmp_path / "text.mp4"
    text.write_text("no video" * 200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        never = f"127.0.0.1:{silent.getsockname()[1]}/x"
        slips: dict[tuple[Any, ...], str] = {
            (other, test): "expected alarms.json in",
            (camera, test, "--blur"): "expected --annotate OUT.mp4 with --blur",
            (camera, text): "expected a video in",
            (camera, "rtsp://user:secret@127.0.0.1:1/x"): "expected no password in a command",
            (camera, "rtsp://127.0.0.1:1/x?ch=secret"): "expected --name with a URL that is not shown whole",
            (camera, "rtsp://127.0.0.1:1/x", "--name", "..."): "expected a --name of letters or digits",
            (camera, "env:GATE"): "expected a video stream at rtsp://***@127.0.0.1:1/x",
            (camera, f"rtsp://{never}", "--timeout", "0.2"): (
                f"expected a video stream at rtsp://{never}, found none (no answer within 0.2 s); is it on"
            ),
        }
        for argv, line in slips.items():
            capsys.readouterr()
            with pytest.raises(SystemExit) as end:
                main(["score", *map(str, argv)])
            printed = capsys.readouterr()
            assert (end.value.code, printed.out, printed.err.count("\n")) == (2, "", 1)
            assert printed.err.startswith(f"pagen: {line}")
            assert "secret" not in printed.err
    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert left == []


def test_another_run_than_was_calibrated_is_refused(footage: Path, make_run: MakeRun) -> None:
    path = make_run()
    flags = ["--false-alarms-per-hour", "1", "--fps", "10", "--device", "cpu"]
    main(["calibrate", str(path), "--normal", str(footage / "testing/x"), *flags])
    kept = (path / "alarms.json").read_text()
    found = score(Score(path, str(footage / "testing/x"), device="cpu"))
    assert (found["frames"], found["alerts"]) == (30, 0)
    make_run(weights=1)
    (path / "alarms.json").write_text(kept)
    with pytest.raises(PagenError, match=r"expected the run that .* was calibrated on, found another"):
        score(Score(path, str(footage / "testing/x"), device="cpu"))
