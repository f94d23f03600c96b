"""Time in real recordings: every frame is looked at or told, and seconds and hours are those of the stamps."""

from __future__ import annotations

import json
import re
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.cli import main
from pagen.eval.camera.alerts import AlertLog
from pagen.eval.camera.sources import Recording
from pagen.eval.camera.threshold import Threshold
from pagen.eval.camera.watch import watch
from pagen.footage.clock import rate_of, timed
from pagen.scoring.stream import open_streamer

pytestmark = pytest.mark.slow


def write(path: Path, times: list[float], codec: str = "mpeg4") -> Path:
    """Frames (48, 64) at these seconds; the header says 25 a second, but of an MP4 what they are on an average."""
    base = Fraction(1, 1000) if path.suffix == ".mp4" else Fraction(1, 25)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = base
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * index % 250, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def copied(path: Path, to: Path) -> Path:
    """The packets of an H.264 video in an AVI of two ticks a frame, as FFmpeg copies them."""
    with av.open(str(path)) as source, av.open(str(to), "w") as container:
        old = source.streams.video[0]
        stream = container.add_stream_from_template(old)
        stream.time_base = Fraction(1, 50)
        plain = BitStreamFilterContext("h264_mp4toannexb", old)
        for packet in source.demux(old):
            for each in plain.filter(packet if packet.size else None):
                each.stream = stream
                container.mux(each)
    return to


def decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def calibrated(normal: Path, out: Path) -> dict[str, Any]:
    """What `calibrate` leaves of normal footage."""
    main(
        [
            "calibrate",
            "frame_difference",
            "--normal",
            str(normal),
            *["--false-alarms-per-hour", "60", "--out"],
            str(out),
        ]
    )
    found: dict[str, Any] = json.loads((out / "alarms.json").read_text("utf-8"))
    return found


def told_by_score(out: Path, path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, float]:
    """How many frames `score` says that it looked at, passed over and dropped; and in how many seconds."""
    capsys.readouterr()
    main(["score", str(out), str(path)])
    line = capsys.readouterr().out
    counts = re.findall(r"(\d+) (?:frames[,;]|passed over|dropped)", line)
    return sum(map(int, counts)), float(re.findall(r"in ([\d.]+) s", line)[0])


EVEN = [index / 25 for index in range(100)]


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """A folder calibrated with a recording of 25 frames a second."""
    assert calibrated(write(tmp_path / "normal.mp4", EVEN), tmp_path / "camera")["fps"] == pytest.approx(25)
    return tmp_path / "camera"


def test_h264_copied_into_avi_is_looked_at_whole(
    camera: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copied(write(tmp_path / "a.mp4", EVEN, "libx264"), tmp_path / "a.avi")
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 50
    frames, seconds = told_by_score(camera, path, capsys)
    assert (frames, seconds) == (decoded(path), pytest.approx(4, abs=0.15))
    assert calibrated(path, tmp_path / "of_copy")["hours"] == pytest.approx(4 / 3600, rel=0.03)


def test_an_mp4_of_varying_rate_is_looked_at_or_told_and_its_hours_are_real(
    camera: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = np.cumsum([0.0, *[0.04] * 50, *[0.2] * 30, *[0.01] * 100, *[0.12] * 40]).tolist()
    path = write(tmp_path / "varying.mp4", times, "libx264")
    frames, seconds = told_by_score(camera, path, capsys)
    assert (frames, seconds) == (decoded(path), pytest.approx(times[-1], abs=0.15))
    assert calibrated(path, tmp_path / "of_varying")["hours"] == pytest.approx(times[-1] / 3600, rel=0.02)


def test_footage_of_5_frames_a_second_whose_header_says_25_has_its_real_hours(tmp_path: Path) -> None:
    path = write(tmp_path / "slow.avi", [index / 5 for index in range(300)])
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 25
    found = calibrated(path, tmp_path / "camera")
    assert (found["fps"], found["hours"]) == (pytest.approx(5), pytest.approx(60 / 3600, rel=0.02))


PARTS = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(2, 40), st.sampled_from([1, 2, 5])), min_size=1, max_size=4
)


@given(PARTS)
@settings(max_examples=5, deadline=None)
def test_of_files_that_were_joined_every_frame_is_looked_at_or_told(parts: list[tuple[int, int, int]]) -> None:
    """Any segments of a program stream, whatever their clocks say, end to end in one file."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        top, lines = Path(folder), list[str]()
        patch.setattr("pagen.console.result", lambda result, json, text: lines.append(text))
        calibrated(write(top / "normal.mp4", EVEN), top / "camera")
        joined = top / "joined.mpg"
        for start, count, step in parts:
            part = write(top / "part.mpg", [(start + step * index) / 25 for index in range(count)], "mpeg2video")
            with joined.open("ab") as file:
                file.write(part.read_bytes())
        main(["score", str(top / "camera"), str(joined)])
        counts = re.findall(r"(\d+) (?:frames[,;]|passed over|dropped)", lines[-1])
        assert sum(map(int, counts)) == decoded(joined)


STAMPS = st.lists(st.one_of(st.none(), st.floats(-1e5, 1e5), st.integers(-50, 500).map(lambda tick: tick / 25)))
RUNS = st.tuples(st.floats(-1e5, 1e5), st.integers(1, 30), st.sampled_from([0.0, 0.02, 0.04, 0.2])).map(
    lambda run: [run[0] + index * run[2] for index in range(run[1])]
)
SEGMENTS = st.lists(st.tuples(STAMPS | RUNS, st.sampled_from([16, 24])), min_size=1, max_size=4)


@given(SEGMENTS, st.sampled_from([5.0, 25.0, 50.0]))
@settings(max_examples=60, deadline=None)
def test_whatever_the_stamps_frames_looked_at_and_told_as_lost_are_those_that_decode(
    segments: list[tuple[list[float | None], int]], fps: float
) -> None:
    """Any stamps, any segments, pictures of two sizes: what `score` looks at, and what it says that it passes over."""

    def opened(stamps: list[float | None], height: int) -> Any:
        return timed(((stamp, np.zeros((height, 16, 3), np.uint8)) for stamp in stamps), 1 / rate_of(stamps))

    pieces = tuple(
        (str(number), lambda stamps=stamps, height=height: opened(stamps, height))
        for number, (stamps, height) in enumerate(segments)
    )
    footage = Recording("any", rate_of(segments[0][0]), pieces)
    threshold = Threshold("frame_difference", "", "frame_difference", 1, 2, 2, 0.2, fps, 1, 1, 0, 3, 0, 0, None, None)
    with tempfile.TemporaryDirectory() as folder:
        with AlertLog(Path(folder), "any", threshold, goes_on=False) as log:
            found = watch(footage, open_streamer("frame_difference"), threshold, log, None, float("inf"))
        lines = [json.loads(line) for line in Path(folder, "alerts.jsonl").read_text("utf-8").splitlines()]
        rows = Path(folder, "scores.csv").read_text("utf-8").splitlines()[1:]
    assert found["frames"] + found["passed_over"] == sum(len(stamps) for stamps, _ in segments)
    assert len(rows) == found["frames"]
    assert sum(line["what"] == "gap" for line in lines) == found["gaps"]
