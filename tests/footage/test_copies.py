"""Every data set in every way in which it circulates: found, whole, and with the clips, labels and scenes it should have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies import COPIES
from miniature import Mini, clips_of, of, short, shortened

from pagen.footage import catalogue
from pagen.footage import locate as module
from pagen.footage.catalogue import DATASETS, DataSet
from pagen.footage.check import check
from pagen.footage.clips import FileClip, Footage
from pagen.footage.known_clips import read_known
from pagen.footage.locate import locate

CASES = [(name, form) for name, forms in COPIES.items() for form in forms]
WHOLE_READ = {"ucf_crime"}
"""Sets of so many clips that reading all of them takes seconds."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], DataSet]:
    """A function that makes a row small: for locate and check its counts are those of its miniature."""
    monkeypatch.setattr(module, "listed_file", lambda: tmp_path / "nowhere/data.json")
    monkeypatch.delenv("PAGEN_DATA", raising=False)
    monkeypatch.setattr(catalogue, "read_known", lambda name: short(read_known(name)))

    def make(name: str) -> DataSet:
        row = shortened(DATASETS[name])
        monkeypatch.setitem(DATASETS._table, name, row)
        return row

    return make


Copy = Callable[[str, str], tuple[Footage, list[Mini]]]


@pytest.fixture
def copy(small: Callable[[str], DataSet], tmp_path: Path) -> Copy:
    """A function that writes a miniature copy, and finds it in the folder above."""

    def write(name: str, form: str) -> tuple[Footage, list[Mini]]:
        clips = clips_of(small(name))
        COPIES[name][form](tmp_path / "data", clips)
        return locate(name, tmp_path / "data"), clips

    return write


def named(clips: list[Mini]) -> dict[str, Mini]:
    return {f"{clip.split}_{clip.name}": clip for clip in clips}


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_a_copy_is_whole(name: str, form: str, copy: Copy) -> None:
    footage, clips = copy(name, form)
    assert check(footage, decode_all=True) == []
    found = {clip.name: clip for clip in (*footage.clips, *footage.aside)}
    assert set(found) == set(named(clips))
    for clip, mini in ((found[key], mini) for key, mini in named(clips).items()):
        assert clip.length() == mini.frames
        assert clip.fps == pytest.approx(mini.fps)
        if mini.split != "train":
            np.testing.assert_array_equal(clip.labels(), mini.labels)


@pytest.mark.parametrize(("name", "form"), CASES, ids=lambda word: word.replace(" ", "_"))
def test_training_clips_are_the_normal_ones(name: str, form: str, copy: Copy) -> None:
    footage, clips = copy(name, form)
    normal = [key for key, mini in named(clips).items() if mini.split == "train" and not mini.abnormal]
    assert {clip.name for clip in footage.split("train")} == set(normal)
    assert {clip.name for clip in footage.split("test")} == {f"test_{clip.name}" for clip in of(clips, "test")}
