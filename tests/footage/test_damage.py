"""A file is what decodes: damage costs its own frames, whose places are kept; and what else a file may hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera.shots import Shot
from pagen.eval.camera.sources import open_footage
from pagen.footage import video
from pagen.footage.check import looked_at, notes_of
from pagen.footage.clock import NEIGHBOURS
from pagen.footage.dataset_report import checked
from pagen.footage.locate import locate
from pagen.footage.places import held, places
from pagen.footage.prepare import prepare

Videos = Callable[..., Path]


def _pictures(count: int) -> npt.NDArray[np.uint8]:
    """Noise, so that no packet is small, (count, 96, 128, 3); the upper rows hold the number of the frame as a grey."""
    frames = np.random.default_rng(0).integers(60, 190, (count, 96, 128, 3), np.uint8)
    frames[:, :32] = np.arange(count)[:, None, None, None]
    return frames


def write(
    path: Path, codec: str, count: int = 200, options: dict[str, str] | None = None, slots: int = 1, **names: str
) -> list[int]:
    """A video of these pictures, one in so many slots of 1/25 s; the size of each packet in the order of the file."""
    sizes = []
    with av.open(str(path), "w") as container:
        container.metadata.update(names)
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index, picture in enumerate([*_pictures(count), None]):
            frame = None if picture is None else av.VideoFrame.from_ndarray(picture, format="rgb24")
            if frame is not None:
                frame.pts, frame.time_base = slots * index, Fraction(1, 25)
            for packet in stream.encode(frame):
                sizes.append(packet.size)
                container.mux(packet)
    return sizes


def zero(path: Path, start: int, count: int) -> None:
    data = bytearray(path.read_bytes())
    data[start : start + count] = bytes(len(data[start : start + count]))
    path.write_bytes(data)


def numbers(path: Path) -> npt.NDArray[np.int64]:
    return np.array([round(float(frame[4:28].mean())) for frame in video.video_frames(path)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "whole.mp4"
    write(path, "libx264", options={"bf": "2", "g": "25", "qp": "20"})
    return path


def test_zeroed_bytes_in_the_middle_cost_a_few_frames_whose_places_are_kept(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(whole.read_bytes())
    zero(path, path.stat().st_size // 2, 4000)
    shown = numbers(path)
    assert len(shown) == video.video_length(path) == 200
    assert np.sum(np.abs(shown - np.arange(200)) > 3) <= 26, "no more than what hangs on them"
    np.testing.assert_allclose(shown[130:], np.arange(130, 200), atol=3)
    (note,) = video.video_notes(path)
    assert note.partition(" frames are lost")[0] in [f"{count} of 200" for count in range(1, 8)]
    assert video.video_notes(whole) == []


@given(st.floats(0.02, 0.9), st.integers(1, 6000))
@pytest.mark.slow
@settings(max_examples=8, deadline=None)
def test_frames_that_decode_and_frames_that_are_told_as_lost_are_all(whole: Path, where: float, count: int) -> None:
    """Anything zeroed among the packets: 200 places, of which those told as lost hold a neighbour's picture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.mp4")
        path.write_bytes(whole.read_bytes())
        with av.open(str(whole)) as container:
            packets = [packet.pos for packet in container.demux(video=0) if packet.size]
        zero(path, round(where * max(packets)), count)
        timeline, decoded = video._timeline(path), sum(1 for _ in video.decoded_frames(path, careful=True))
        assert decoded + len(timeline.lost) == sum(timeline.shown) == video.video_length(path) == 200
        assert sum(1 for _ in video.video_frames(path)) == 200
        assert bool(timeline.lost) == bool(video.video_notes(path))


GROUPS = {"mpeg4": {"g": "10"}, "mjpeg": {}, "libx265": {"x265-params": "log-level=none:keyint=10"}}


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "mpeg4"), ("a.mkv", "mjpeg"), ("a.mp4", "libx265")])
@pytest.mark.parametrize("packet", [0, 17, 49])
def test_one_damaged_packet_of_any_codec(tmp_path: Path, name: str, codec: str, packet: int) -> None:
    path, damaged = tmp_path / "whole" / name, tmp_path / name
    path.parent.mkdir()
    write(path, codec, 50, GROUPS[codec])
    with av.open(str(path)) as container:
        packets = [each for each in container.demux(video=0) if each.size]
        at = packets[packet]
        data = bytes(at)
    damaged.write_bytes(path.read_bytes())
    zero(damaged, damaged.read_bytes().index(data), len(data))
    shown = numbers(damaged)
    assert len(shown) == 50
    assert np.median(np.abs(shown - np.arange(50))) <= 3
    assert "lost to damage" in video.video_notes(damaged)[0]


def test_a_hole_of_a_transport_stream_keeps_its_places(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    write(path, "mpeg2video", 100, {"g": "5", "q": "2"})
    data = path.read_bytes()
    cells = len(data) // 188
    path.write_bytes(data[: cells // 2 * 188] + data[(cells // 2 + cells // 20) * 188 :])
    shown = numbers(path)
    assert len(shown) == 100
    np.testing.assert_allclose(shown[70:], np.arange(70, 100), atol=4)
    assert "lost to damage" in video.video_notes(path)[0]


def test_a_stream_without_stamps_keeps_the_number_of_its_frames() -> None:
    found = places([None] * 4, [None] * 6, failed=[0, 2])
    assert [place.there for place in found] == [False, True, True, False, True, True]
    assert held([1] * 6, [place.there for place in found]) == [2, 2, 1, 1]


@given(st.integers(2, 60), st.integers(2, 100), st.integers(1, 3), st.integers(0, 400))
def test_stamps_that_slip_and_come_right_are_no_lost_frames(first: int, count: int, by: int, more: int) -> None:
    stamps = [(index + by * (first <= index < first + count)) / 25 for index in range(first + count + by + more + 400)]
    assert all(place.there for place in places(stamps, stamps, failed=[], torn=[]))
    lost = [stamp for number, stamp in enumerate(stamps) if not first + count + 20 <= number < first + count + 20 + by]
    assert [place.there for place in places(lost, lost, failed=[], torn=[])].count(False) == by


@pytest.mark.parametrize("count", [100, 200, 400])
def test_a_healthy_programme_stream_of_small_frames_has_lost_none(tmp_path: Path, count: int) -> None:
    path, frames = tmp_path / "calm.mpg", np.full((count, 64, 96, 3), 100, np.uint8)
    for index, frame in enumerate(frames):
        frame[20:40, index % 70 : index % 70 + 12] = 220
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    source = open_footage(str(path))
    assert (sum(isinstance(item, Shot) for item in source), source.lost) == (count, 0)


def test_fields_and_hidden_pictures_are_no_lost_frames() -> None:
    frames = [index / 25 for index in range(20)]
    fields = [index / 50 for index in range(39)]
    assert all(place.there for place in places(frames, fields, failed=[3]))
    assert [place.there for place in places([*frames[:5], *frames[7:]], fields, failed=[5])].count(False) == 2


def test_damage_is_told_by_check_and_prepare_and_labels_keep_their_frames(
    tmp_path: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("training", "testing"):
        (tmp_path / "data" / split).mkdir(parents=True)
        (tmp_path / "data" / split / "a.mp4").write_bytes(whole.read_bytes())
    zero(tmp_path / "data/testing/a.mp4", whole.stat().st_size // 2, 4000)
    (tmp_path / "data/labels").mkdir()
    np.save(tmp_path / "data/labels/a.npy", np.arange(200) >= 150)
    report = checked("folder", tmp_path / "data")
    assert report["problems"] == []
    assert any("lost to damage" in note and note.endswith("test_a") for note in report["notes"])
    prepared = prepare("folder", tmp_path / "data", (48, 64), out=tmp_path / "out", workers=0)
    assert [prepared.length(name) for name in prepared.clips()] == [200, 200]
    assert "test_a: " in (told := capsys.readouterr().err)
    assert told.count("lost to damage") == 1
    assert "notes" not in prepared.folder.items["train_a"]


def test_titles_of_any_encoding_open(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write(path, "mpeg4", 5, title="Tuer XXX")
    path.write_bytes(path.read_bytes().replace(b"XXX", "Tür".encode("latin-1")))
    assert video.video_length(path) == 5


DISPLAYED: dict[str, tuple[tuple[int, int, int, int], Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]]] = {
    "as it is": ((1, 0, 0, 1), lambda picture: picture),
    "mirrored": ((-1, 0, 0, 1), lambda picture: picture[:, ::-1]),
    "upside down, mirrored": ((1, 0, 0, -1), lambda picture: picture[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda picture: picture[::-1, ::-1]),
    "a quarter clockwise": ((0, 1, -1, 0), lambda picture: np.rot90(picture, -1)),
    "a quarter back": ((0, -1, 1, 0), lambda picture: np.rot90(picture)),
    "transposed": ((0, 1, 1, 0), lambda picture: picture.swapaxes(0, 1)),
    "transposed the other way": ((0, -1, -1, 0), lambda picture: np.rot90(picture, 2).swapaxes(0, 1)),
}


@pytest.mark.parametrize("name", DISPLAYED)
def test_display_matrices_turn_and_mirror(tmp_path: Path, videos: Videos, name: str) -> None:
    """A step along a row goes (a, b), one along a column (c, d), as ISO 14496-12 has its matrix."""
    path = videos(tmp_path / "a.mp4", [0.0, 0.04])
    plain = next(video.video_frames(path))
    (a, b, c, d), expected = DISPLAYED[name]
    one = 65536
    old = np.array([one, 0, 0, 0, one, 0, 0, 0, 1 << 30], ">i4").tobytes()
    new = np.array([a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30], ">i4").tobytes()
    head, _, tail = path.read_bytes().partition(b"tkhd")
    path.write_bytes(head + b"tkhd" + tail.replace(old, new, 1))
    video._decoded_timeline.cache_clear()
    np.testing.assert_array_equal(next(video.video_frames(path)), expected(plain))


def interlaced(path: Path, count: int = 20) -> Path:
    """A bar that wanders by 4 pixels a field, top field first."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "q": "2", "top": "1"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for index in range(count):
            picture = np.zeros((96, 128, 3), np.uint8)
            for field in (0, 1):
                left = 4 * (2 * index + field) % 100
                picture[field::2, left : left + 20] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _combs(frame: npt.NDArray[np.uint8]) -> float:
    """How much odd rows differ from even ones."""
    rows = frame[..., 0].astype(float)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def test_interlaced_footage_is_told_and_by_a_name_de_interlaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("training", "testing"):
        (tmp_path / split).mkdir()
        interlaced(tmp_path / split / "a.mpg")
    prepared = prepare("folder", tmp_path, (96, 128), out=tmp_path / "as_it_is", workers=0)
    assert capsys.readouterr().err.startswith("train_a, test_a: interlaced: ")
    better = prepare("folder:deinterlaced", tmp_path, (96, 128), out=tmp_path / "better", workers=0)
    assert "interlaced: " not in capsys.readouterr().err
    assert len(better.frames("test_a")) == len(prepared.frames("test_a")) == 20
    combs = [np.mean([_combs(frame) for frame in each.frames("test_a")]) for each in (prepared, better)]
    assert combs[1] < 0.3 * combs[0]
    found = locate("folder", tmp_path)
    assert any(note.startswith("interlaced") for note in notes_of(found, looked_at(found, decode_all=True)))


def test_de_interlacing_leaves_other_frames_as_they_are(tmp_path: Path, videos: Videos) -> None:
    path = videos(tmp_path / "a.mp4", [index / 25 for index in range(12)])
    np.testing.assert_array_equal([*video.video_frames(path)], [*video.video_frames(path, deinterlace=True)])


def test_nothing_that_decodes_is_one_line(tmp_path: Path, whole: Path) -> None:
    path = tmp_path / "a.mp4"
    data = whole.read_bytes()
    start, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])
    with pytest.raises(PagenError, match=r"expected frames in .*a\.mp4, found none that decode"):
        video.video_length(path)


FORMATS = [
    ("a.avi", "libx264"), ("a.avi", "mjpeg"), ("a.avi", "mpeg2video"), ("a.mkv", "libx264"), ("a.mkv", "mpeg4"),
    ("a.mkv", "mjpeg"), ("a.webm", "libvpx"), ("a.flv", "libx264"), ("a.wmv", "mpeg4"), ("a.mpg", "mpeg2video"),
    ("a.mp4", "mpeg2video"), ("a.mxf", "mpeg2video"),
]  # fmt: skip
"""Containers of which damage is lost before anybody sees a packet, and a decoder that says nothing of it."""


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_what_is_passed_over_in_silence_keeps_its_places_and_is_told(
    tmp_path: Path, name: str, codec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    write(path, codec, 100, {"g": "10"})
    assert (video.video_length(path), video.video_notes(path)) == (100, [])
    zero(path, path.stat().st_size // 2, 4000)
    shown = numbers(path)
    assert len(shown) == video.video_length(path) == 100
    np.testing.assert_allclose(shown[80:], np.arange(80, 100), atol=4)
    (note,) = video.video_notes(path)
    assert "of 100 frames are lost to damage" in note
    source = open_footage(str(path))
    assert sum(isinstance(item, Shot) for item in source) + source.lost == 100
    frames = "1 frame is" if source.lost == 1 else f"{source.lost} frames are"
    assert f"{frames} lost to damage, the first at 0:00:0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "codec"), [pair for pair in FORMATS if pair[0].split(".")[1] in ("avi", "mkv", "webm")]
)
def test_a_damaged_end_is_lost_frames_and_a_missing_one_is_refused(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    write(path, codec, 100, {"g": "10"})
    data, size = path.read_bytes(), path.stat().st_size
    zero(path, size - size // 20, size)
    shown = numbers(path)
    assert len(shown) == 100
    np.testing.assert_allclose(shown[20:75], np.arange(20, 75), atol=6)
    (note,) = video.video_notes(path)
    assert note.endswith("to 99), and show the picture before; copy " + name + " again")
    path.write_bytes(data[: -size // 20])
    with pytest.raises(
        PagenError, match=r"expected 4\.00 s of video in .*, found frames up to 3\.\d\d s; copy it again"
    ):
        video.video_length(path)


def looked(path: Path) -> tuple[int, int]:
    """How many frames of a recording a camera's eyes look at, and how many are told as lost."""
    source = open_footage(str(path))
    return sum(isinstance(item, Shot) for item in source), source.lost


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi"])
def test_a_missing_end_is_told_of_a_recording_that_is_watched(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    write(path, "libvpx" if name == "a.webm" else "mjpeg", 100, {"g": "10"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    there, lost = looked(path)
    assert there < 60
    assert there + lost in (99, 100)
    assert f"expected 4.00 s of video in {path}, found frames up to " in capsys.readouterr().err


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_damage_of_an_avi_with_slots_that_hold_no_frame_costs_its_own_frames(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.avi"
    write(path, codec, 100, {"g": "10"}, slots=5)
    zero(path, path.stat().st_size // 2, 4000)
    there, lost = looked(path)
    assert there + lost == video.video_length(path) == 100
    assert 0 < lost < 20
    assert video.video_notes(path)[0].startswith(f"{lost} of 100 frames are lost to damage")


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
def test_what_is_lost_of_one_of_several_joined_recordings_is_not_found_in_another(tmp_path: Path, name: str) -> None:
    whole, damaged, path = tmp_path / "whole" / name, tmp_path / "damaged" / name, tmp_path / name
    for each in (whole, damaged):
        each.parent.mkdir()
        write(each, "mpeg2video", 100, {"g": "10"})
    zero(damaged, damaged.stat().st_size // 2, 4000)
    lost = looked(damaged)[1]
    assert lost
    for order in ((whole, damaged), (damaged, whole), (damaged, damaged), (whole, damaged, whole)):
        path.write_bytes(b"".join(each.read_bytes() for each in order))
        expected = lost * order.count(damaged)
        assert looked(path) == (100 * len(order) - expected, expected)
        assert f"{expected} of {100 * len(order)} frames are lost" in video.video_notes(path)[0]


def test_a_recording_of_another_codec_that_was_joined_is_told_as_lost(tmp_path: Path) -> None:
    for name, codec in (("a.ts", "libx264"), ("b.ts", "libx265")):
        write(tmp_path / name, codec, 100, {"x265-params": "log-level=none"} if codec == "libx265" else {})
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join((tmp_path / name).read_bytes() for name in ("a.ts", "b.ts")))
    there, lost = looked(path)
    assert abs(there + lost - 200) <= NEIGHBOURS


@given(
    st.lists(st.lists(st.booleans(), min_size=40, max_size=80).map(lambda part: [*part, True]), min_size=1, max_size=4)
)
@settings(max_examples=60, deadline=None)
def test_of_joined_recordings_all_packets_are_looked_at_or_lost(parts: list[list[bool]]) -> None:
    packets = [index / 25 for part in parts for index in range(len(part))]
    there = [decodes or index % 3 > 0 for part in parts for index, decodes in enumerate(part)]
    found = places([stamp for stamp, decodes in zip(packets, there, strict=True) if decodes], packets, failed=[3])
    assert [place.there for place in found] == there


def test_frames_that_refer_to_a_lost_one_are_looked_at_whatever_the_codec(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, "libx265", 100, {"x265-params": "log-level=none:keyint=300"})
    with av.open(str(path)) as container:
        data = bytes([each for each in container.demux(video=0) if each.size][30])
    zero(path, path.read_bytes().index(data), len(data))
    there, lost = looked(path)
    assert there + lost == 100
    assert lost <= NEIGHBOURS


def test_frames_that_come_out_of_their_order_after_damage_hide_no_lost_ones() -> None:
    order = [*range(100), 128, 129, 102, *range(130, 200)]
    found = places([index / 25 for index in order], [index / 25 for index in range(200)], failed=[98])
    assert [place.there for place in found] == [index in order for index in range(200)]


def test_a_tear_of_many_seconds_is_lost_frames_and_an_honest_pause_is_none() -> None:
    there = [index / 25 for index in range(400) if not 100 <= index < 250]
    torn = places(there, there, failed=[100], torn=[250 / 25])
    assert [place.there for place in torn] == [not 100 <= index < 250 for index in range(400)]
    assert len(places(there, there, failed=[10], torn=[10 / 25])) == 250
    assert len(places(there, there, failed=[])) == 250
