from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera.shots import Gap, Shot, Thinned, parted, timecode
from pagen.eval.camera.sources import Recording, open_footage
from pagen.eval.camera.streams import camera_frames
from pagen.eval.camera.watch import scored, scored_normal
from pagen.footage.clock import Tick
from pagen.footage.video import video_frames
from pagen.scoring.stream import open_streamer

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


def sized(path: Path, sizes: list[tuple[int, int]]) -> Path:
    """Images, or a raw stream of MJPEG, whose pictures have these sizes (H, W)."""
    pictures = [np.full((*size, 3), 100 + index, np.uint8) for index, size in enumerate(sizes)]
    if path.suffix:
        path.write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures))
        return path
    path.mkdir()
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(path / f"{index}.png"), picture)
    return path


@pytest.mark.parametrize("form", ["folder", "a.avi"])
def test_a_change_of_size_is_a_gap_for_baselines_too(tmp_path: Path, form: str) -> None:
    path = sized(tmp_path / form, [(32, 48)] * 3 + [(64, 96)] * 3 + [(32, 48)] * 2)
    streamer = open_streamer("flow_speed")
    items = list(scored(Thinned(open_footage(str(path), 5.0), 100.0), streamer, 0.0))
    reasons = [item.reason for item in items if isinstance(item, Gap)]
    assert reasons == ["the picture goes from 48x32 to 96x64", "the picture goes from 96x64 to 48x32"]
    assert len(items) == 8 + 2
    assert [item.score.value != item.score.value for item in items if not isinstance(item, Gap)] == [
        *(True, False, False, True, False, False, True, False)
    ]


@given(st.lists(st.tuples(st.sampled_from([(2, 3), (4, 3), (2, 3, 3)]), st.booleans()), max_size=12))
def test_between_gaps_pictures_are_of_one_size_and_none_is_lost(shapes: list[tuple[tuple[int, ...], bool]]) -> None:
    items: list[Shot | Gap] = []
    for index, (shape, gap) in enumerate(shapes):
        items += [Gap(index, "", "before")] if gap else []
        items.append(Shot(np.zeros(shape, np.uint8), index, index, ""))
    given_ = list(parted(items))
    old = {id(item) for item in items}
    assert [id(item) for item in given_ if id(item) in old] == [id(item) for item in items]
    assert all(isinstance(item, Gap) for item in given_ if id(item) not in old)
    for before, after in pairwise(given_):
        assert isinstance(before, Gap) or isinstance(after, Gap) or before.frame.shape == after.frame.shape


def test_what_a_folder_holds_and_is_not_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sized(tmp_path / "day", [(32, 48)] * 3)
    for name in ("3.xcf", "4.xcf", ".5.xcf", "notes.txt"):
        (tmp_path / "day" / name).touch()
    (tmp_path / "day/1 (1).png").write_bytes((tmp_path / "day/1.png").read_bytes())
    assert len(list(open_footage(str(tmp_path / "day"), 5.0))) == 3
    told = "not read: 1 .png (1 (1).png), 2 .xcf (3.xcf), 1 .txt (notes.txt)"
    assert capsys.readouterr().err == f"{tmp_path / 'day'}: {told}\n"
    with pytest.raises(PagenError, match="found an empty word"):
        open_footage("")


def test_a_pause_in_a_recording_is_a_gap_and_no_frame_is_lost(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [*range(6), *range(6000, 6006)])
    items = list(Thinned(open_footage(str(path)), 10))
    assert [type(item) for item in items] == [Shot] * 6 + [Gap] + [Shot] * 6
    assert isinstance(items[6], Gap)
    assert (items[6].seconds, items[6].reason) == (pytest.approx(600), "nothing for 599.5 s")


def test_hours_are_of_real_time_less_its_gaps() -> None:
    """Whatever a header says: an irregular recording, of which 60 s are recorded on either side of a pause."""
    rng = np.random.default_rng(0)
    half = np.cumsum(rng.uniform(0.02, 0.3, 400))
    half *= 60 / half[-1]
    ticks = [Tick(float(second)) for second in half]
    ticks += [Tick(second + 600, "" if index else "nothing for 540 s") for index, second in enumerate(half)]
    source = Recording("x", 7.0, (("x", lambda: ((tick, FRAMES[0]) for tick in ticks)),))
    clips, _ = scored_normal(open_streamer("frame_difference"), [source], 7.0, 0)
    assert sum(map(len, clips)) / 7 == pytest.approx(120, abs=1)


def test_images_that_are_named_by_times_have_a_clock(tmp_path: Path) -> None:
    for index in range(12):
        cv2.imwrite(str(tmp_path / f"{1_690_000_000_000 + 40 * index + 600_000 * (index > 5)}.png"), FRAMES[index])
    source = open_footage(str(tmp_path))
    assert isinstance(source, Recording)
    assert source.fps == pytest.approx(25)
    assert [type(item) for item in source] == [Shot] * 6 + [Gap] + [Shot] * 6


def test_every_frame_of_a_camera_of_this_machine_is_de_interlaced_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does not say which frames are."""
    combs = np.zeros((48, 64, 3), np.uint8)
    combs[1::2, 16:32] = 255

    class Capture:
        def __init__(self, number: int) -> None: ...

        def read(self) -> tuple[bool, np.ndarray]:
            return True, combs

        def release(self) -> None: ...

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    plain, mended = (next(camera_frames(0, deinterlace))[1] for deinterlace in (False, True))
    assert plain is not None
    assert mended is not None
    rows = [picture[4:-4, 20, 0].astype(int) for picture in (plain, mended)]
    assert np.abs(np.diff(rows[0])).min() == 255
    assert np.abs(np.diff(rows[1])).max() < 64
