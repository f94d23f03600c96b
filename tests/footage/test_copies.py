"""Every data set in every way in which it circulates: found, whole, with the clips and labels it should have."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from copies import COPIES
from miniature import Mini, clips_of, of

from pagen.footage.catalogue import DATASETS
from pagen.footage.check import check
from pagen.footage.clips import Footage
from pagen.footage.layout import LISTED
from pagen.footage.other_layouts import other_layouts

pytestmark = pytest.mark.slow

CASES = [(name, form) for name, forms in COPIES.items() for form in forms]
ROWS = sorted(COPIES)


Copy = Callable[[str, str], Footage]


def named(clips: list[Mini]) -> dict[str, Mini]:
    return {f"{clip.split}_{clip.name}": clip for clip in clips}


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_a_copy_is_whole(name: str, form: str, copy: Copy) -> None:
    footage = copy(name, form)
    clips = clips_of(footage.dataset)
    assert footage.layout == form.split(",")[0]
    assert check(footage, decode_all=True) == []
    assert other_layouts(footage) == []
    found = {clip.name: clip for clip in (*footage.clips, *footage.aside)}
    assert set(found) == set(named(clips))
    for clip, mini in ((found[key], mini) for key, mini in named(clips).items()):
        assert clip.length() == mini.frames
        assert clip.fps == pytest.approx(mini.fps)
        if mini.split != "train":
            np.testing.assert_array_equal(clip.labels(), mini.labels)


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_training_clips_are_the_normal_ones(name: str, form: str, copy: Copy) -> None:
    footage = copy(name, form)
    clips = clips_of(footage.dataset)
    normal = [key for key, mini in named(clips).items() if mini.split == "train" and not mini.abnormal]
    assert {clip.name for clip in footage.split("train")} == set(normal)
    assert {clip.name for clip in footage.split("test")} == {f"test_{clip.name}" for clip in of(clips, "test")}


@pytest.mark.parametrize("name", [name for name in ROWS if DATASETS[name].known])
def test_every_known_name_is_one_of_a_part(name: str) -> None:
    row = DATASETS[name]
    for layout in row.layouts:
        for clip in row.known_clips:
            parts = [part for part in layout.parts if part.split in (clip.split, LISTED)]
            number = re.fullmatch(r"(?P<number>\d+)", clip.clip)
            spelt = [clip.clip, *(f"{word}{clip.clip:>03}" for word in ("Train", "Test") if number)]
            assert any(re.fullmatch(part.clip, stem) for part in parts for stem in spelt), clip


@pytest.mark.parametrize("name", ROWS)
def test_every_layout_has_a_copy(name: str) -> None:
    assert {form.split(",")[0] for form in COPIES[name]} == {layout.name for layout in DATASETS[name].layouts}
