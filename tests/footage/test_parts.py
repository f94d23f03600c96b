"""A name that keeps some clips of a data set is checked by these alone, and told of as that part."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from copies import umn_scene

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS
from pagen.footage.check import check, looked_at, notes_of, require
from pagen.footage.clips import FileClip, Footage
from pagen.footage.dataset_report import checked
from pagen.footage.locate import locate

Copy = Callable[[str, str], Footage]
PARTS = [
    ("avenue", "common", "17"),
    ("shanghaitech", "official", "hr"),
    ("shanghaitech", "official", "05"),
    ("chad", "official", "4"),
    ("umn", "scenes", "lawn"),
    ("umn", "scenes", "without-lawn"),
    ("umn", "scenes", "lawn:deinterlaced"),
]


def outside(footage: Footage, part: Footage) -> list[FileClip]:
    """The test clips that a part does not keep."""
    kept = {clip.name for clip in part.clips}
    return [clip for clip in footage.split("test") if clip.name not in kept and isinstance(clip, FileClip)]


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize(("name", "form", "part"), PARTS)
def test_clips_that_a_part_leaves_out_need_not_be_there(name: str, form: str, part: str, copy: Copy) -> None:
    footage = copy(name, form)
    kept = locate(f"{name}:{part}", footage.root)
    left = outside(footage, kept)
    assert left
    before = notes_of(kept, looked_at(kept))
    assert not any("not read" in note for note in before), "what the whole reads is no stranger to a part"
    for clip in left:
        remove(clip.path)
    again = locate(f"{name}:{part}", footage.root)
    assert check(again, decode_all=True) == []
    assert {look.clip.name for look in looked_at(again)} == {clip.name for clip in (*kept.clips, *kept.aside)}


@pytest.mark.parametrize(("name", "form", "part"), PARTS[:4])
def test_a_missing_clip_of_a_part_is_missing_of_that_many(name: str, form: str, part: str, copy: Copy) -> None:
    footage = copy(name, form)
    kept = locate(f"{name}:{part}", footage.root).split("test")
    assert isinstance(kept[0], FileClip)
    remove(kept[0].path)
    again = locate(f"{name}:{part}", footage.root)
    [problem] = check(again)
    assert problem.startswith(f"expected {len(kept)} test clips in ")
    assert problem.endswith(f"missing: {kept[0].name}")
    assert notes_of(again, looked_at(again))[0] == f"{len(kept) - 1} of {len(kept)} test clips are there"
    with pytest.raises(PagenError, match=f"expected {len(kept)} test clips"):
        require(again)
    require(again, partial=True)


def test_editions_are_those_of_a_parts_clips(copy: Copy) -> None:
    footage = copy("umn", "scenes")
    report = checked("umn:lawn", footage.root)
    lawn = [clip.name for clip in footage.split("test") if umn_scene(clip.name.removeprefix("test_")) == "lawn"]
    assert [edition["clips"] for edition in report["editions"]] == [len(lawn)] * 2
    assert report["editions"][0]["abnormal"] == report["found"]["abnormal frames"]
    assert set(report["editions"][1]["differs"]) <= set(lawn)


def test_a_part_wants_labels_of_its_clips_where_the_whole_does(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    footage = copy("shanghaitech", "official")
    monkeypatch.setitem(DATASETS._table, "shanghaitech", replace(footage.dataset, abnormal=17326))
    part = locate("shanghaitech:05", footage.root)
    name = part.split("test")[0].name
    (footage.root / f"testing/test_frame_mask/{name.removeprefix('test_')}.npy").unlink()
    assert check(locate("shanghaitech:05", footage.root)) == [
        f"expected labels of all test clips, found none for {name}"
    ]


def test_a_part_that_leaves_frames_out_and_no_clip_is_checked_as_the_whole(copy: Copy) -> None:
    footage = copy("avenue", "common")
    assert locate("avenue:hr", footage.root).as_found == footage
