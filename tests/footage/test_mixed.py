from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.folders import folder_name
from pagen.footage.catalogue import DATASETS
from pagen.footage.check import check, require
from pagen.footage.clips import Footage
from pagen.footage.list_datasets import Datasets, run
from pagen.footage.locate import locate
from pagen.footage.mixed import known_normal
from pagen.footage.prepare import prepare
from pagen.seeds import generator

WriteFolder = Callable[..., Path]
LENGTHS = {"training/a": 5, "testing/c": 6, "testing/d": 4, "testing/e": 5}


def names(footage: Footage, split: str) -> list[str]:
    return [clip.name for clip in footage.clips if clip.split == split]


@pytest.mark.parametrize("name", ["street", "street:square"])
def test_half_of_the_test_clips_come_after_the_training_clips(name: str) -> None:
    plain, mixed = locate(name), locate(f"{name}:mixed")
    assert (mixed.name, mixed.dataset.name, mixed.fps) == (f"{name}:mixed", f"{name}:mixed", plain.fps)
    training, tests = names(plain, "train"), names(plain, "test")
    moved = names(mixed, "train")[len(training) :]
    drawn = set(generator(0, "mixed", name).permutation(len(tests))[: len(tests) // 2])
    assert names(mixed, "train")[: len(training)] == training
    assert moved == [clip for index, clip in enumerate(tests) if index in drawn]
    assert names(mixed, "test") == [clip for clip in tests if clip not in moved]
    assert len(moved) == len(tests) // 2


def test_the_split_never_changes() -> None:
    moved = {name: names(locate(f"{name}:mixed"), "train")[12:] for name in ("street", "street:square")}
    assert moved == {
        "street": ["test_02", "test_03", "test_04", "test_06"],
        "street:square": ["test_01", "test_03", "test_07", "test_08"],
    }
    drawn = sorted(generator(0, "mixed", "ped2").permutation(12)[:6] + 1)
    assert drawn == [1, 2, 3, 4, 7, 9]


def test_clips_are_the_same_but_for_their_split(official: Path, tiny_street: None) -> None:
    for root, name in ((official, "ped2"), (None, "street")):
        plain = {clip.name: clip for clip in locate(name, root).clips}
        mixed = locate(f"{name}:mixed", root)
        assert {clip.name for clip in mixed.clips} == set(plain)
        for clip in pickle.loads(pickle.dumps(mixed.clips)):
            assert clip.identity() == plain[clip.name].identity()
            np.testing.assert_array_equal(clip.labels(), plain[clip.name].labels())
            assert clip.has_masks == plain[clip.name].has_masks
            np.testing.assert_array_equal(next(clip.frames()), next(plain[clip.name].frames()))


def test_of_three_test_clips_one_moves(common: Path) -> None:
    footage = locate("ped2:mixed", common)
    assert len(names(footage, "train")) == 2 + 1
    assert len(names(footage, "test")) == 2
    assert (footage.root, footage.layout) == (common, "common")


def test_a_check_counts_the_clips_as_they_were_found(official: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Datasets(("check", "ped2:mixed"), root=official, json=True))
    value = json.loads(capsys.readouterr().out)
    assert value["problems"] == []
    assert set(value["expected"].values()) == {None}
    assert (value["found"]["train clips"], value["found"]["test clips"]) == (3, 2)
    (official / "Train/Train001/003.tif").unlink()
    assert check(locate("ped2:mixed", official)) == check(locate("ped2", official)) != []
    with pytest.raises(PagenError, match=r"^ped2:mixed: .*'pagen datasets check ped2:mixed --root .*' lists all"):
        require(locate("ped2:mixed", official))


def test_the_list_tells_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    run(Datasets())
    assert "NAME:mixed: any of them with half of the test clips" in capsys.readouterr().out


def test_one_s_own_clips_are_mixed_and_prepared(
    write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "own", LENGTHS)
    plain = prepare("folder", root, None, workers=0)
    mixed = prepare("folder:mixed", root, None, workers=0)
    assert mixed.path.name.startswith("folder-mixed-native-grey-")
    assert mixed.path != plain.path
    assert mixed.dataset == "folder:mixed"
    assert sorted(mixed.clips()) == sorted(plain.clips())
    moved = [name for name in mixed.clips("train") if name.startswith("test_")]
    assert len(moved) == 1
    for name in mixed.clips():
        np.testing.assert_array_equal(mixed.frames(name), plain.frames(name))
        ours, theirs = mixed.labels(name), plain.labels(name)
        assert (ours is None) == (theirs is None) == (name == "train_a")
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs)  # type: ignore[arg-type]
    assert prepare("folder:mixed", root, None, workers=0).fingerprint() == mixed.fingerprint()


def test_rows_of_mixed_data_sets() -> None:
    plain, mixed = DATASETS["ped2"], DATASETS["ped2:mixed"]
    assert (mixed.name, mixed.layouts, mixed.fps, mixed.size) == ("ped2:mixed", plain.layouts, plain.fps, plain.size)
    assert (mixed.train, mixed.test, mixed.abnormal) == ((), (), None)
    assert "ped2:mixed" not in DATASETS.names()
    assert folder_name("ped2:mixed") == "ped2-mixed"


def test_what_cannot_be_mixed(write_folder: WriteFolder, tmp_path: Path) -> None:
    for wrong in ("pde2:mixed", "ped2:mixed:mixed", "ped2:mixd"):
        with pytest.raises(PagenError, match="did you mean 'ped2"):
            locate(wrong)
    root = write_folder(tmp_path / "own", {"training/a": 3, "testing/c": 4})
    with pytest.raises(PagenError, match="expected two test clips at least in folder to mix them, found 1; add some"):
        locate("folder:mixed", root)
    with pytest.raises(PagenError, match="found no ped1 in"):
        locate("ped1:mixed", root)


def test_training_clips_have_labels_by_their_folder_alone(write_folder: WriteFolder, tmp_path: Path) -> None:
    """A test clip of the same name has labels of its own."""
    root = write_folder(tmp_path / "own", {"training/a": 9, "training/b": 9, "testing/a": 9})
    header = "video,start_frame,end_frame\n"
    (root / "labels.csv").write_text(f"{header}a,0,4\ntraining/b,,\n")
    clips = {clip.name: clip.labels() for clip in locate("folder", root).clips}
    assert clips["train_a"] is None
    assert [int(marks.sum()) for name in ("train_b", "test_a") if (marks := clips[name]) is not None] == [0, 4]
    assert check(locate("folder", root)) == []
    (root / "labels.csv").write_text(f"{header}a,0,4\ntraining/c,,\n")
    (problem,) = check(locate("folder", root))
    assert "found training/c, of which there is no clip" in problem
    assert known_normal(locate("folder:mixed", write_folder(tmp_path / "two", LENGTHS))) == {"train_a"}
    assert known_normal(locate("folder", root)) == frozenset()
