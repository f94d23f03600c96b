"""A copy of which clips are missing is checked by what is there; what is there is told of, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from copies import COPIES

from pagen.footage.check import check, looked_at, notes_of
from pagen.footage.clips import FileClip, Footage
from pagen.footage.locate import locate

pytestmark = pytest.mark.slow

Copy = Callable[[str, str], Footage]
CASES = [(name, form) for name, forms in COPIES.items() for form in forms]
UNTOLD = "test_pixel_mask"
"""Pixel masks of clips that train in the weak split are read by nobody."""


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_a_whole_copy_lacks_nothing_and_all_of_it_is_read(name: str, form: str, copy: Copy) -> None:
    footage = copy(name, form)
    assert footage.missing == {}
    assert [note for note in notes_of(footage, looked_at(footage)) if UNTOLD not in note] == []


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_files_of_labels_name_clips_that_are_not_there(name: str, form: str, copy: Copy) -> None:
    footage = copy(name, form)
    tests = [clip for clip in footage.split("test") if clip.abnormal is not False]
    for clip in {*footage.clips, *footage.aside} - {*tests[:2]}:
        assert isinstance(clip, FileClip)
        shutil.rmtree(clip.path) if clip.path.is_dir() else clip.path.unlink()
    left = locate(name, footage.root)
    assert [clip.name for clip in left.clips] == [clip.name for clip in tests[:2]]
    assert check(left, decode_all=True, partial=True) == []


@pytest.mark.parametrize(
    ("name", "form", "file", "line"),
    [
        ("xd_violence", "official", "annotations.txt", "\nnonsense 1 3"),
        ("msad", "official", "anomaly_annotation.csv", "\nAssault_999,shop,9,1,3"),
    ],
)
def test_a_name_that_no_clip_can_have_is_still_a_stranger(
    name: str, form: str, file: str, line: str, copy: Copy
) -> None:
    footage = copy(name, form)
    assert footage.root is not None
    path, first = footage.root / file, footage.split("test")[0]
    path.write_text(path.read_text() + line)
    assert isinstance(first, FileClip)
    first.path.unlink()
    problems = check(locate(name, footage.root), partial=True)
    stranger = line.replace(",", " ").split()[0]
    assert [f"found {stranger}, of which there is no clip" in problem for problem in problems] == [True]


def test_clips_that_a_modifier_moves_are_counted_where_they_are(copy: Copy) -> None:
    footage = copy("xd_violence", "official")
    assert locate("xd_violence:mixed", footage.root).missing == {}
    for clip in (footage.split("test")[0], footage.split("train")[0]):
        assert isinstance(clip, FileClip)
        clip.path.unlink()
    left = locate("xd_violence", footage.root)
    assert left.missing == {"train": [3, 4], "test": [3, 4]}
    mixed = locate("xd_violence:mixed", footage.root)
    assert mixed.missing == {"train": [4, 5], "test": [2, 3]}
    assert len(mixed.split("test")) == 2


@pytest.mark.parametrize(
    ("name", "form", "file", "clip"),
    [
        ("xd_violence", "official", "annotations.txt", "v=S-7rRLrxnVQ__#1_label_B4-0-0"),
        ("msad", "official", "anomaly_annotation.csv", "Assault_2"),
        ("ucf_crime", "official", "Temporal_Anomaly_Annotation.txt", "Abuse028_x264"),
    ],
)
def test_an_abnormal_clip_that_the_file_of_labels_does_not_name_is_told(
    name: str, form: str, file: str, clip: str, copy: Copy
) -> None:
    footage = copy(name, form)
    assert footage.root is not None
    path = footage.root / file
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith(clip)))
    told = f"expected labels of all test clips, found none for test_{clip}"
    assert check(locate(name, footage.root), decode_all=True) == [told]
