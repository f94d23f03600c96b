"""What of a video's file is not read is told: other streams, and recordings that were joined to the first."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from pagen.eval.camera.shots import Shot
from pagen.eval.camera.sources import open_footage
from pagen.footage import video

ALONE = "keep each in a file of its own"
JOINED = f"1 more recording is joined to it, and not read whole; {ALONE}"


def write(path: Path, codec: str, streams: int = 1) -> None:
    with av.open(str(path), "w") as container:
        made = [container.add_stream(codec, rate=25) for _ in range(streams)]
        for stream in made:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux([packet for stream in made for packet in stream.encode(frame)])
        container.mux([packet for stream in made for packet in stream.encode(None)])


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mov", "mpeg4"), ("a.flv", "flv"), ("a.wmv", "wmv2")]
)
def test_a_recording_that_was_joined_to_another_is_told(
    tmp_path: Path, name: str, codec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    write(path, codec)
    assert video.video_notes(path) == []
    path.write_bytes(2 * path.read_bytes())
    assert video.video_notes(path) == [JOINED]
    assert sum(isinstance(item, Shot) for item in open_footage(str(path))) == 50
    assert capsys.readouterr().err == f"{name}: {JOINED}\n"


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
def test_a_joined_recording_that_is_read_is_not_said_to_be_left(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, "mpeg2video")
    path.write_bytes(2 * path.read_bytes())
    assert video.video_notes(path) == []
    assert sum(isinstance(item, Shot) for item in open_footage(str(path))) == 100


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_further_streams_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, "mpeg4", streams=2)
    assert video.video_notes(path) == [f"2 video streams are in it, of which the first is read; {ALONE}"]


def test_a_cover_is_no_stream_that_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream, cover = container.add_stream("mpeg4", rate=25), container.add_stream("mjpeg", rate=25)
        cover.disposition = Disposition.attached_pic
        for each, form in ((stream, "yuv420p"), (cover, "yuvj420p")):
            each.width, each.height, each.pix_fmt = 64, 48, form
        for each in (stream, cover):
            container.mux(each.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
            container.mux(each.encode(None))
    assert video.video_notes(path) == []


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"\xff" * 4096, b"\0\0\0\1moov" + b"\0" * 40])
def test_a_damaged_file_has_one_recording(tmp_path: Path, data: bytes) -> None:
    from pagen.footage.rest import _boxes, _objects, _tags

    path = tmp_path / "a"
    path.write_bytes(data)
    for walk in (_boxes, _objects, _tags):
        with path.open("rb") as file:
            assert sum(walk(file)) <= 1
