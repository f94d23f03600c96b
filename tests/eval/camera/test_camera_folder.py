from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagen.cli import main
from pagen.errors import PagenError
from pagen.eval.camera.camera_folder import FILE, folder_of, folder_of_camera


@given(st.text(max_size=120))
def test_a_folder_of_a_camera_is_one_below(name: str) -> None:
    """Or the name is refused: none leads out, none is hidden or empty."""
    with suppress(PagenError):
        folder = folder_of(name)
        assert Path(folder).name == folder
        assert folder[0] not in ".-"


@pytest.mark.parametrize("name", ["", "...", "//", "a" * 101])
def test_a_name_that_no_folder_can_have_is_refused(name: str) -> None:
    with pytest.raises(PagenError, match="expected a --name of letters or digits, at most 100, found"):
        folder_of(name)


def test_a_second_command_on_a_cameras_folder_is_told(tmp_path: Path) -> None:
    with folder_of_camera(tmp_path / "gate", "gate", None):
        with pytest.raises(PagenError, match=r"found one that is writing to .*gate; wait"):
            folder_of_camera(tmp_path / "gate", "gate", None).__enter__()
        with folder_of_camera(tmp_path / "yard", "yard", None):  # as it advises
            pass
    with folder_of_camera(tmp_path / "gate", "gate", None):
        pass
    assert [child.name for child in (tmp_path / "gate").iterdir()] == [FILE]


def test_a_killed_command_lets_go_of_the_folder(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from pagen.eval.camera.camera_folder import folder_of_camera\n"
        "with folder_of_camera(Path(sys.argv[1]), 'gate', None): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        with pytest.raises(PagenError, match="found one that is writing to"):
            folder_of_camera(tmp_path, "gate", None).__enter__()
        os.kill(watching.pid, signal.SIGKILL)
    with folder_of_camera(tmp_path, "gate", None):
        pass
    assert [child.name for child in tmp_path.iterdir()] == [FILE]


def test_a_folder_serves_the_camera_that_it_was_begun_for(tmp_path: Path) -> None:
    first, second = tmp_path / "a/test.avi", tmp_path / "b/test.avi"
    for folder, begun, others in (
        ("cam", ("rtsp://cam/a/b", None), [("rtsp://cam/a-b", None), ("rtsp://cam/a/b", first)]),
        ("film", ("test.avi", first), [("test.avi", second), ("test.avi", None), ("other", first)]),
    ):
        for _ in range(2):
            with folder_of_camera(tmp_path / folder, *begun):
                pass
        for other in others:
            with pytest.raises(PagenError, match=r"found it taken by .*; give another --name or --out"):
                folder_of_camera(tmp_path / folder, *other).__enter__()
    for damaged in ("{", "[]", '{"name": 3, "recording": null}', '{"name": "a"}'):
        (tmp_path / "cam" / FILE).write_text(damaged)
        with pytest.raises(PagenError, match=r"camera\.json, found .*; remove it"):
            folder_of_camera(tmp_path / "cam", "a", None).__enter__()
    (tmp_path / "cam" / FILE).unlink()
    with folder_of_camera(tmp_path / "cam", "a", None):
        pass


@pytest.mark.slow
def test_recordings_of_one_name_and_cameras_of_one_recorder_lose_no_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        writer = cv2.VideoWriter(str(tmp_path / folder / "test.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        for index in range(20):
            writer.write(np.roll(np.full((48, 64, 3), np.arange(64)[None, :, None], np.uint8), index, axis=1))
        writer.release()
    camera, first, second = (str(tmp_path / name) for name in ("camera", "a/test.avi", "b/test.avi"))
    main(["calibrate", "flow_speed", "--normal", first, "--false-alarms-per-hour", "100", "--out", camera])
    main(["score", camera, first])
    kept = {path: path.read_bytes() for path in (tmp_path / "camera/live").rglob("*.*") if path.is_file()}
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["score", camera, second])
    assert f"found it taken by {first}; give another --name or --out" in capsys.readouterr().err
    main(["score", camera, second, "--name", "back door"])
    assert {path: path.read_bytes() for path in kept} == kept
    assert "back door" in (tmp_path / "camera/live/back-door/alerts.csv").read_text() + str(
        (tmp_path / "camera/live/back-door/camera.json").read_text()
    )
    for url in ("rtsp://127.0.0.1:1/x?channel=1", "rtsp://127.0.0.1:1/x?channel=2"):
        with pytest.raises(SystemExit):
            main(["score", camera, url])
        assert "expected --name with a URL" in capsys.readouterr().err
