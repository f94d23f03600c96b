"""Nothing is left out in silence: what is read, and what is told."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pagen import cli
from pagen.footage import images, video
from pagen.footage.check import check, looked_at, notes_of
from pagen.footage.dataset_report import checked
from pagen.footage.known_clips import read_known
from pagen.footage.listing import IMAGES, VIDEOS, counted, listing, unread
from pagen.footage.locate import locate

UNWRITTEN = (".dav",)
"""Of what FFmpeg has no writer."""
CODECS = {".webm": "libvpx", ".ogv": "libtheora", ".wmv": "wmv2", ".asf": "wmv2", ".flv": "flv", ".3gp": "mpeg4"}
FORMS = {".wmv": "asf", ".f4v": "mp4", ".m2t": "mpegts", ".ogv": "ogg", ".vob": "vob", ".3g2": "mp4", ".m4v": "mp4"}


def picture(value: int = 0) -> np.ndarray:
    return np.full((48, 64, 3), 20 + value, np.uint8)


def frames(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        form = {"form": "JPEG"} if name.endswith((".jpe", ".jfif")) else {"form": None}
        Image.fromarray(picture(index)).save(folder / name, format=form["form"])
    return folder


def write_video(path: Path) -> Path:
    codec = CODECS.get(path.suffix, "mpeg2video" if path.suffix in (".vob", ".mpg", ".mpeg", ".mxf") else "mpeg4")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=FORMS.get(path.suffix)) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(12):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def told(footage_root: Path) -> list[str]:
    footage = locate("folder", footage_root)
    return [note for note in notes_of(footage, looked_at(footage)) if note.startswith("not read")]


@pytest.mark.parametrize("extension", [each for each in VIDEOS if each not in UNWRITTEN])
def test_every_extension_of_videos_is_read(tmp_path: Path, extension: str) -> None:
    if CODECS.get(extension) == "libtheora" and "libtheora" not in av.codecs_available:
        pytest.skip("no encoder of Theora in this PyAV")
    path = write_video(tmp_path / f"training/a{extension}")
    assert video.video_length(path) == 12
    footage = locate("folder", tmp_path)
    assert [clip.name for clip in footage.clips] == ["train_a"]
    assert check(footage, decode_all=True) == []


@pytest.mark.parametrize("extension", IMAGES)
def test_every_extension_of_images_is_read(tmp_path: Path, extension: str) -> None:
    folder = frames(tmp_path / "training/walk", f"1{extension}", f"2{extension}")
    assert images.read_image(folder / f"1{extension}").shape == (48, 64, 3)
    (clip,) = locate("folder", tmp_path).clips
    assert clip.length() == 2


def test_no_known_clip_ends_as_a_video_does() -> None:
    names = [clip.clip for table in ("avenue", "shanghaitech", "ubnormal") for clip in read_known(table)]
    assert not [name for name in names if name.lower().endswith(VIDEOS)]


def test_every_other_frame_of_another_form_is_a_frame(tmp_path: Path) -> None:
    names = [f"{index:03d}.{'webp' if index % 2 else 'jpg'}" for index in range(10)]
    frames(tmp_path / "training/walk", *names)
    (clip,) = locate("folder", tmp_path).clips
    values = [float(frame.mean()) for frame in clip.frames()]
    np.testing.assert_allclose(values, 20 + np.arange(10), atol=2)


def test_a_second_copy_is_no_frame_and_no_clip_and_is_told(tmp_path: Path) -> None:
    folder = frames(tmp_path / "training/walk", *(f"{index:03d}.jpg" for index in range(10)))
    for name in ("007 (1).jpg", "007 - Copy.jpg", "008 copy.jpg"):
        (folder / name).write_bytes((folder / f"{name[:3]}.jpg").read_bytes())
    write_video(tmp_path / "training/run.mp4")
    (tmp_path / "training/run (2).mp4").write_bytes((tmp_path / "training/run.mp4").read_bytes())
    footage = locate("folder", tmp_path)
    assert [(clip.name, clip.length()) for clip in footage.clips] == [("train_run", 12), ("train_walk", 10)]
    assert told(tmp_path) == ["not read: 1 .mp4 (training/run (2).mp4), 3 .jpg (training/walk/007 (1).jpg)"]
    assert check(footage, decode_all=True) == []


def test_a_copy_that_differs_is_a_problem_and_a_series_is_none(tmp_path: Path) -> None:
    frames(tmp_path / "training/walk", "006.png", "007.png", "008.png", "007 (1).png")
    frames(tmp_path / "training/series", "a.png", *(f"a ({index}).png" for index in range(1, 9)))
    (problem,) = check(locate("folder", tmp_path), decode_all=True)
    assert problem.startswith("train_walk: expected one file a frame in ")
    assert problem.endswith("found 007 (1).png beside 007.png, which differs; remove one")
    assert {clip.name: clip.length() for clip in locate("folder", tmp_path).clips}["train_series"] == 9


def test_whatever_is_not_read_is_told_by_kind(tmp_path: Path) -> None:
    frames(tmp_path / "training/walk", "1.png", "2.png")
    for name in ("2.xcf", "3.xcf", "readme.txt", "._2.png", ".DS_Store", "1.png~"):
        (tmp_path / "training/walk" / name).touch()
    (tmp_path / "training/walk/thumbs").mkdir()
    for name in ("old.rmvb", "older.rmvb"):
        (tmp_path / "training" / name).touch()
    line = (
        "not read: 2 .rmvb (training/old.rmvb), 2 .xcf (training/walk/2.xcf), "
        "1 .txt (training/walk/readme.txt), 1 folder (training/walk/thumbs)"
    )
    assert told(tmp_path) == [line]
    assert line in checked("folder", tmp_path)["notes"]


def test_labels_and_masks_are_read(tmp_path: Path) -> None:
    frames(tmp_path / "training/walk", "1.png")
    frames(tmp_path / "testing/run", "1.png", "2.png")
    (tmp_path / "labels").mkdir()
    np.save(tmp_path / "labels/run.npy", np.array([0, 1]))
    assert told(tmp_path) == []


NAMES = st.from_regex(r"[a-c]?[0-9]{1,2}( \([1-3]\)| copy)?\.(jpg|png|webp|xcf|txt)~?", fullmatch=True)


@given(st.dictionaries(NAMES, st.sampled_from([b"x", b"y"]), max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_file_is_read_or_told_or_a_backup(files: dict[str, bytes]) -> None:
    """And none is both; what is passed over as a copy has the bytes of a file that is read."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        read = {path.name for path in listing(folder, IMAGES)}
        left = {path.name for path in unread(folder, read)}
        assert read | left == {name for name in files if not name.endswith("~")}
        assert not read & left
        for name in left:
            if name.endswith(IMAGES):
                assert files[name] in {files[each] for each in files}
                assert " " in name
        assert sum(
            int(part.split()[0]) for part in counted(sorted(map(folder.joinpath, left)), folder).split(", ") if part
        ) == len(left)


@pytest.mark.parametrize(
    "words", [("score", "runs/a", ""), ("prepare", "ped2", "--root", ""), ("prepare", "ped2", "--root=")]
)
def test_an_empty_word_is_no_value(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 2
    assert "found an empty word; is a variable not set?" in capsys.readouterr().err
