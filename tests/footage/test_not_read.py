"""What lies beside clips and is not read is told, whatever hides it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from copies import COPIES
from miniature import clips_of

from pagen.footage.catalogue import DATASETS
from pagen.footage.check import looked_at, notes_of
from pagen.footage.clips import Footage
from pagen.footage.locate import locate
from pagen.footage.other_layouts import other_layouts

Copy = Callable[[str, str], Footage]


def top(footage: Footage) -> Path:
    assert footage.root is not None
    return footage.root


@pytest.mark.parametrize(
    ("name", "form", "clip", "other"),
    [
        ("avenue", "official, apart", "testing_videos/08.avi", "testing_videos/08 (1).avi"),
        ("avenue", "official, apart", "testing_videos/08.avi", "testing_videos/8.avi"),
        ("avenue", "common", "testing/frames/08", "testing/frames/08 (1)"),
        ("ped1", "official", "Test/Test004", "Test/Test004 - Copy"),
        ("shanghaitech", "official", "training/videos/01_001.avi", "training/videos/01_001(1).avi"),
        ("umn", "scenes", "lawn/testing/02.mp4", ""),  # where any name will do
    ],
)
def test_a_clip_called_otherwise_is_told(name: str, form: str, clip: str, other: str, copy: Copy) -> None:
    root = top(copy(name, form))
    if other:
        (shutil.copytree if (root / clip).is_dir() else shutil.copy)(root / clip, root / other)
    footage = locate(name, root)
    notes = "\n".join(notes_of(footage, looked_at(footage)))
    assert other_layouts(footage) == []
    assert (f"({other})" in notes) is bool(other)


def test_a_second_layout_in_the_same_folder_is_told(copy: Copy, tmp_path: Path) -> None:
    root = top(copy("avenue", "official, together"))
    common = COPIES["avenue"]["common"](tmp_path / "other", clips_of(DATASETS["avenue"]))
    shutil.move(common / "training", root / "training")
    footage = locate("avenue", root)
    told = "clips in common layout, since those in official layout are"
    assert other_layouts(footage) == [told]
    assert f"not read: {told}" in notes_of(footage, looked_at(footage))


@pytest.mark.parametrize(("name", "form"), [("avenue", "common"), ("shanghaitech", "official"), ("ped1", "official")])
def test_a_split_of_which_nothing_is_there_is_told_with_where_it_was_looked_for(
    name: str, form: str, copy: Copy
) -> None:
    root, row = top(copy(name, form)), DATASETS[name]
    test = next(part for layout in row.layouts if layout.name == form for part in layout.parts if part.split == "test")
    (root / test.folders[0]).rename(root / "elsewhere")
    footage = locate(name, root)
    assert f" test clips are there: none in {' or '.join(test.folders)}" in "\n".join(notes_of(footage, []))
