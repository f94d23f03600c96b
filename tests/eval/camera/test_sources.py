from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera import sources as camera
from pagen.eval.camera.sources import Gap, Live, Recording, Shot, masked, open_footage, thinned, timecode
from pagen.footage.video import video_frames

FRAMES = [np.full((32, 48, 3), 8 * index, np.uint8) for index in range(12)]


def write_video(path: Path, ticks: list[int], fps: int = 10) -> Path:
    """A video whose frame i is shown at ticks[i] / fps seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for tick, frame in zip(ticks, FRAMES, strict=False):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = tick, Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_a_file_gives_the_frames_that_are_prepared_and_their_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", list(range(12)))
    source = open_footage(str(path))
    assert isinstance(source, Recording)
    assert (source.name, source.fps, source.live, source.dropped) == ("a.mp4", 10.0, False, 0)
    for _ in range(2):  # it begins anew
        shots = [item for item in source if isinstance(item, Shot)]
        np.testing.assert_array_equal([shot.frame for shot in shots], list(video_frames(path)))
        assert [shot.index for shot in shots] == list(range(12))
        np.testing.assert_allclose([shot.seconds for shot in shots], np.arange(12) / 10)
    assert shots[11].clock == "0:00:01.100"


def test_irregular_times_are_kept(tmp_path: Path) -> None:
    ticks = [0, 1, 2, 7, 8, 15]
    source = open_footage(str(write_video(tmp_path / "a.mkv", ticks)))
    np.testing.assert_allclose([item.seconds for item in source], np.array(ticks) / 10, atol=2e-3)


def test_a_folder_of_videos_is_one_recording_with_gaps(tmp_path: Path) -> None:
    for name in ("2.avi", "10.avi"):
        write_video(tmp_path / name, list(range(4)))
    items = list(open_footage(str(tmp_path)))
    assert [type(item) for item in items] == [Shot] * 4 + [Gap] + [Shot] * 4
    assert [item.index for item in items if isinstance(item, Shot)] == list(range(8))
    np.testing.assert_allclose([item.seconds for item in items], [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.5, 0.6, 0.7])
    assert isinstance(items[4], Gap)
    assert items[4].reason == "10.avi begins"


def test_a_folder_of_images_has_the_rate_that_is_given(tmp_path: Path) -> None:
    for index, frame in enumerate(FRAMES[:3]):
        cv2.imwrite(str(tmp_path / f"{index}.png"), frame)
    assert [item.seconds for item in open_footage(str(tmp_path), 5.0)] == [0, 0.2, 0.4]
    with pytest.raises(PagenError, match=r"expected --fps for the images in .*, which have no clock"):
        open_footage(str(tmp_path))
    write_video(tmp_path / "a.avi", [0, 1])
    with pytest.raises(PagenError, match=r"expected images or videos in .*, found both"):
        open_footage(str(tmp_path), 5.0)


def test_what_is_no_source_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video" * 200)
    (tmp_path / "empty").mkdir()
    for spec, line in {
        tmp_path / "text.mp4": "expected a video in .*cut short or damaged",
        tmp_path / "none.mp4": "found nothing at .*none.mp4",
        tmp_path / "empty": "expected images or videos in .*, found neither",
        "gopher://host/x": "expected a URL of rtsp .*, found gopher",
    }.items():
        with pytest.raises(PagenError, match=line):
            open_footage(str(spec))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:secret@cam:554/a/b", "rtsp://***@cam:554/a/b"),
        ("rtsp://user:se@cr/et@cam/a", "rtsp://***@cam/a"),
        ("http://cam/video?user=u&pwd=secret", "http://cam/video?***"),
        ("rtsp://cam/user=u_password=secret_channel=1.sdp", "rtsp://cam/***"),
        ("rtsp://cam:554/a", "rtsp://cam:554/a"),
    ],
)
def test_credentials_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert open_footage(url).name == shown


def test_a_stream_that_never_answers_is_told_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rtsp://user:secret@127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(PagenError, match=r"no answer within 0.1 s") as error:
            next(iter(open_footage(url, timeout=0.1)))
    assert "secret" not in str(error.value)
    with pytest.raises(PagenError, match=r"rtsp://\*\*\*@127.0.0.1:1/x, found none \(Connection refused\)"):
        next(iter(open_footage("rtsp://user:secret@127.0.0.1:1/x", timeout=0.1)))


@given(st.sampled_from([5, 8, 10, 25]), st.sampled_from([5.0, 10.0, 25.0, 50.0]))
@settings(max_examples=20, deadline=None)
def test_thinning_keeps_a_slower_source_and_an_even_share_of_a_faster_one(wanted: int, rate: float) -> None:
    shots = [Shot(FRAMES[0], index, index / rate, "") for index in range(200)]
    kept = [item.seconds for item in thinned(shots, wanted)]
    if rate <= wanted:
        assert len(kept) == 200
    else:
        assert len(kept) == pytest.approx(200 * wanted / rate, abs=1.01)
        assert np.max(np.abs(np.array(kept) - np.arange(len(kept)) / wanted)) <= 0.5 / rate + 0.5 / wanted


class Flaky:
    """Opened again and again: a number is how many frames come before it breaks off; None, that it does not answer."""

    def __init__(self, *sessions: int | None) -> None:
        self.sessions = list(sessions)

    def __call__(self) -> Iterator[np.ndarray]:
        if not self.sessions:
            time.sleep(0.01)  # else the reader would spin until it is left
            raise PagenError("it is over")
        frames = self.sessions.pop(0)
        if frames is None:
            raise PagenError("no answer")
        yield from FRAMES[:frames]


def stepping() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at."""
    times = iter(range(1_000_000, 2_000_000))
    return lambda: float(next(times))


def test_a_lost_stream_is_opened_again_with_growing_pauses(capsys: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    source = Live("cam", Flaky(1, None, None, 1, None, *[None] * 6, 1), stepping(), pauses.append)
    items = []
    for item in source:
        items.append(item)
        if len(pauses) >= 12:
            break
    assert pauses[:12] == [1, 2, 4, 1, 2, 4, 8, 16, 30, 30, 30, 1]
    assert isinstance(items[0], Shot | Gap)
    assert "cam is lost (no answer); again in 2 s" in capsys.readouterr().err


def test_gaps_stand_between_the_frames_of_two_connections() -> None:
    taken = []
    opened = Flaky(1, 1)
    source = Live("cam", opened, stepping(), lambda pause: None)
    for item in islice(source, 4):
        taken.append(type(item))
    assert all(first is not second for first, second in pairwise(taken))
    assert Gap in taken


def test_a_stream_that_never_was_there_is_an_error() -> None:
    with pytest.raises(PagenError, match="no answer"):
        next(iter(Live("cam", Flaky(None), stepping(), lambda pause: None)))
    with pytest.raises(PagenError, match="expected more frames from cam, found its end"):
        next(iter(Live("cam", Flaky(0), stepping(), lambda pause: None)))
    with pytest.raises(ZeroDivisionError):  # a bug stays one, and nobody waits for ever
        next(iter(Live("cam", lambda: iter([FRAMES[0] // (1 // 0)]), stepping(), lambda pause: None)))


def test_only_the_newest_frame_waits() -> None:
    source = Live("cam", Flaky(), stepping(), lambda pause: None)
    for frame in FRAMES:
        source._arrive(frame)
    item = source._next()
    assert isinstance(item, Shot)
    assert (item.index, source.dropped, len(source._queue)) == (11, 11, 0)
    assert item.frame is FRAMES[11]
    assert item.seconds > 0
    assert item.clock.startswith("1970-01-1")


def test_what_is_damaged_or_a_backlog_of_the_beginning_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals = [0.0, 0.01, 0.02, 0.03, 0.07, 0.11, 0.15, 0.151, 0.19]  # of frames that are 0.04 s apart
    clock, times = iter(arrivals), iter(range(len(arrivals)))

    def decode() -> list[SimpleNamespace]:
        number = next(times)
        if number == 8:
            raise av.error.InvalidDataError(1, "damaged")
        return [SimpleNamespace(time=0.04 * number, number=number)]

    packets = [SimpleNamespace(decode=decode)] * len(arrivals)
    container = SimpleNamespace(streams=SimpleNamespace(video=[None]), demux=lambda stream: packets)
    monkeypatch.setattr(camera, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(camera, "rgb_or_grey", lambda frame: frame.number)
    assert list(camera._decodable(container)) == [6, 7]


def test_places_are_hours_minutes_seconds() -> None:
    assert [timecode(seconds) for seconds in (0, 59.9996, 3723.25)] == ["0:00:00.000", "0:01:00.000", "1:02:03.250"]
