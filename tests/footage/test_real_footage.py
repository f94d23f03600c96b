"""The real footage at hand, parts of data sets: what is there is whole, and the labels are those of the facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.check import check, require
from pagen.footage.locate import locate

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
DATA = SHARED / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "avenue").exists(), reason="the real footage is not at hand"),
]


def marked(spans: Sequence[Sequence[int]], frames: int) -> list[int]:
    labels = np.zeros(frames, int)
    for start, end in spans:
        labels[start:end] = 1
    return labels.tolist()


def test_six_clips_of_avenue() -> None:
    footage = locate("avenue", DATA / "avenue")
    tests = footage.split("test")
    assert [clip.name for clip in tests] == [f"test_{number:02d}" for number in (8, 17, 18, 19, 20, 21)]
    assert footage.missing == {"train": [2, 16], "test": [6, 21]}
    assert check(footage, partial=True) == []
    with pytest.raises(PagenError, match=r"expected 16 train clips .* found 2; .*--partial works on the clips"):
        require(footage)
    facts = json.loads((SHARED / "facts/datasets.json").read_text())["avenue"]
    intervals: Mapping[str, Sequence[Sequence[int]]] = facts["editions"]["volLabel"]
    labels = {clip.name[-2:]: [int(mark) for mark in clip.labels()] for clip in tests}
    assert {name: len(marks) for name, marks in labels.items()} == {name: facts["test"][name] for name in labels}
    assert sum(map(sum, labels.values())) == 1061
    assert {name for name, marks in labels.items() if 0 not in marks} == {"08", "18"}, (
        "one class: no AUROC of their own"
    )
    for name in labels.keys() & intervals.keys():
        assert labels[name] == marked(intervals[name], facts["test"][name])
    assert [clip.name for clip in locate("avenue:17", DATA / "avenue").split("test")] == [
        clip.name for clip in tests if clip.name != "test_08"
    ]


def test_the_test_side_of_ped1() -> None:
    footage = locate("ped1", DATA / "ped1")
    assert footage.missing == {"train": [0, 34]}
    assert check(footage, partial=True) == []
    tests = footage.split("test")
    assert sum(int(clip.labels().sum()) for clip in tests) == 4045
    masked = [clip for clip in tests if clip.has_masks]
    assert [clip.name[-2:] for clip in masked] == ["03", "04", "14", "18", "19", "21", "22", "23", "24", "32"]
    assert footage.editions == ("UCSDped1.m (UCSD v1p2)",), "masks of ten clips are no labels of all"
    for clip in masked:
        assert [int(mask.any()) for mask in clip.masks()] == clip.labels().tolist()


@pytest.mark.parametrize(
    ("scene", "frames", "abnormal", "by_text"),
    [("lawn", (504, 808), 129, 103), ("indoor", (1412, 1997), 349, 348), ("plaza", (549, 1442), 111, 44)],
)
def test_scenes_of_umn_in_both_editions(scene: str, frames: tuple[int, int], abnormal: int, by_text: int) -> None:
    footage = locate(f"umn:{scene}", DATA / "umn")
    assert tuple(sum(clip.length() for clip in footage.split(split)) for split in ("train", "test")) == frames
    for edition, count in (("labels", abnormal), ("labels_by_text", by_text)):
        assert sum(int(clip.labels(edition).sum()) for clip in footage.split("test")) == count
    assert check(footage) == []
    assert {clip.fps for clip in footage.clips} == {30}
