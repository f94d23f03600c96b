from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera.shots import Gap, Shot, Thinned, timecode
from pagen.eval.camera.sources import Recording, open_footage
from pagen.footage.clock import Tick
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


@given(st.sampled_from([5, 8, 10, 25]), st.sampled_from([5.0, 10.0, 25.0, 50.0]))
@settings(max_examples=20, deadline=None)
def test_thinning_keeps_a_slower_source_and_an_even_share_of_a_faster_one(wanted: int, rate: float) -> None:
    ticks = [Tick(index / rate) for index in range(200)]
    thinned = Thinned(Recording("x", rate, (("x", lambda: ((tick, FRAMES[0]) for tick in ticks)),)), wanted)
    kept = [item.seconds for item in thinned]
    assert len(kept) + thinned.passed_over == 200
    if rate <= wanted:
        assert len(kept) == 200
    else:
        assert len(kept) == pytest.approx(200 * wanted / rate, abs=1.01)
        assert np.max(np.abs(np.array(kept) - np.arange(len(kept)) / wanted)) <= 0.5 / rate + 0.5 / wanted


def test_places_are_hours_minutes_seconds() -> None:
    assert [timecode(seconds) for seconds in (0, 59.9996, 3723.25)] == ["0:00:00.000", "0:01:00.000", "1:02:03.250"]
