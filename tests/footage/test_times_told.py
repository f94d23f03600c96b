"""Irregular times, by which frames are left off, and breaks are told by `prepare` and `datasets check`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pagen.footage import video
from pagen.footage.clips import FileClip
from pagen.footage.clock import told_breaks
from pagen.footage.dataset_report import checked
from pagen.footage.prepare import prepare

Videos = Callable[..., Path]
REGULAR = [index / 25 for index in range(12)]
UNEVEN = [0.0, 0.04, 0.08, 0.4, 0.44, 0.48, 0.8, 0.84, 0.88, 1.2, 1.24, 1.28]
PAUSED = [*REGULAR[:6], *(600 + time for time in REGULAR[6:])]
IRREGULAR = " frames are left off, and others shown more than once: they come at irregular times"
PAUSE = "nothing for 600.0 s before frame 6"


def images(folder: Path, times: list[float]) -> None:
    folder.mkdir(parents=True)
    for index, time in enumerate(times):
        name = f"{1_690_000_000_000 + round(1000 * time)}.png"
        Image.fromarray(np.full((48, 64), 5 * index, np.uint8)).save(folder / name)


def write(top: Path, times: list[float], form: str, videos: Videos) -> None:
    """A data set `folder` of a regular training clip and a test clip of these times, both of this form."""
    for split, each in (("training", REGULAR), ("testing", times)):
        if form == "images":
            images(top / split / "a", each)
        else:
            videos(top / split / f"a.{form}", each)


@pytest.mark.parametrize(
    ("form", "times", "expected"),
    [
        ("mp4", UNEVEN, "5 of 12" + IRREGULAR),
        ("mkv", UNEVEN, "5 of 12" + IRREGULAR),
        ("mp4", PAUSED, PAUSE),
        ("mkv", PAUSED, PAUSE),
        ("images", PAUSED, PAUSE),
        ("images", UNEVEN, None),  # none is left off: images are no grid
        ("mp4", REGULAR, None),
        ("images", REGULAR, None),
    ],
)
def test_check_and_prepare_tell_irregular_times_and_breaks(
    tmp_path: Path,
    videos: Videos,
    form: str,
    times: list[float],
    expected: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "data", times, form, videos)
    report = checked("folder", tmp_path / "data")
    assert report["problems"] == []
    assert report["notes"] == ([f"{expected}: test_a"] if expected else [])
    prepared = prepare("folder", tmp_path / "data", (48, 64), out=tmp_path / "out", workers=0)
    assert [prepared.length(name) for name in prepared.clips()] == [12, 12]
    assert capsys.readouterr().err == (f"test_a: {expected}\n" if expected else "")


def test_where_joined_files_meet_is_told(tmp_path: Path, videos: Videos) -> None:
    parts = [videos(tmp_path / f"{name}.mpg", [index / 25 for index in range(40)], "mpeg2video") for name in "ab"]
    both = tmp_path / "both.mpg"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    (note,) = FileClip("test_a", "test", both, True, (), None, None).notes()
    assert re.fullmatch(r"its clock goes back by 1\.[56] s before frame 40", note)


def test_of_many_breaks_the_first_are_told() -> None:
    (told,) = told_breaks(dict.fromkeys(range(10, 80, 10), "nothing for 9.0 s"))
    assert told.count("nothing for 9.0 s before frame") == 5
    assert told.endswith(" before frame 50; and 2 more breaks")


@given(st.lists(st.sampled_from([40, 40, 40, 80, 200, 900, 3000]), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_frames_that_are_shown_and_frames_that_are_told_are_all(videos: Videos, steps: list[int]) -> None:
    """Whatever the times of a whole video: each frame is shown, or told as left off."""
    with tempfile.TemporaryDirectory() as folder:
        path = videos(Path(folder, "a.mkv"), (np.cumsum([0, *steps]) / 1000).tolist())
        told = [int(note.split()[0]) for note in video.video_notes(path) if note.endswith(IRREGULAR)]
        pictures = [frame.tobytes() for frame in video.video_frames(path)]
        assert len(pictures) == len(steps) + 1
        assert len(set(pictures)) + sum(told) == len([*video.decoded_frames(path)])
