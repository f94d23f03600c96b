"""What a row can say of its clips: splits by list, scenes, editions, subsets, bounds, parts of other kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, DataSet, Subset
from pagen.footage.check import check, looked_at, notes_of, problems_of, require
from pagen.footage.clips import LEFT_OUT, FileClip, Footage
from pagen.footage.editions import editions_of
from pagen.footage.known_clips import KnownClip
from pagen.footage.layout import LISTED, LabelSource, Layout, Part, SplitList
from pagen.footage.locate import locate
from pagen.footage.mixed import known_normal
from pagen.footage.prepare import Prepared, open_prepared, prepare
from pagen.footage.prepare_dataset import Prepare
from pagen.footage.prepare_dataset import run as run_prepare

NAME = r"(?P<scene>[ab])_(?:odd)?\d"
LABELS = (
    LabelSource("npy", "labels/{clip}.npy", "first", slack=1),
    LabelSource("npy", "elsewhere/{clip}.npy", "first", slack=1),
    LabelSource("npy", "strict/{clip}.npy", "strict"),
)
KNOWN = (
    KnownClip("train", "a_1", 4, abnormal=False),
    KnownClip("train", "b_2", 4, abnormal=False),
    KnownClip("train", "a_odd3", 4, abnormal=True),
    KnownClip("validation", "b_4", 4),
    KnownClip("test", "a_5", 4, abnormal=False),
    KnownClip("test", "a_odd6", 4, abnormal=True),
    KnownClip("test", "b_odd7", 5, most=6, abnormal=True),
)
MARKS = st.lists(st.integers(0, 1), min_size=4, max_size=4)
ABNORMAL = {"a_odd3": [0, 1, 1, 1], "b_4": [0, 0, 0, 1], "a_odd6": [0, 1, 1, 0], "b_odd7": [1, 1, 0, 0, 0]}


@pytest.fixture(autouse=True)
def yard(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """A row whose clips of all splits lie together."""
    layout = Layout("official", (Part(LISTED, ("clips/*",), NAME, first=0),), LABELS, train_labels=LABELS)
    row = DataSet(
        *("yard", "a yard", 25, "ours", "ask us"),
        layouts=(layout,),
        aliases=("yard",),
        known="yard",
        abnormal=4,
        scene_names=("a", "b"),
        subsets={"hr": Subset("some frames less", ("a_5",), {"a_odd6": ((0, 1), (3, 4))})},
    )
    monkeypatch.setattr("pagen.footage.catalogue.read_known", lambda name: KNOWN)
    monkeypatch.setitem(DATASETS._table, "yard", row)
    return row


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of it, whole, with both editions of labels, and a clip that no list names."""
    root = tmp_path / "yard"
    for clip in KNOWN:
        write_frames(root / "clips" / clip.clip[0] / clip.clip, clip.frames or 0)
    write_frames(root / "clips/b/b_9", 3)
    for clip, labels in ABNORMAL.items():
        save(root / "labels" / f"{clip}.npy", labels)
        save(root / "strict" / f"{clip}.npy", [1, *labels[1:]])
    return root


def write_frames(folder: Path, count: int, first: int = 0) -> None:
    folder.mkdir(parents=True)
    for number in range(first, first + count):
        Image.fromarray(np.full((24, 32), 10 * number, np.uint8)).save(folder / f"{number:03d}.jpg")


def save(path: Path, labels: list[int]) -> None:
    path.parent.mkdir(exist_ok=True)
    np.save(path, np.array(labels, np.uint8))


def names(footage: Footage, split: str) -> list[str]:
    return [clip.name for clip in footage.split(split)]


def test_lists_tell_the_splits_and_training_is_on_normal_clips(copy: Path) -> None:
    footage = locate("yard", copy)
    assert names(footage, "train") == ["train_a_1", "train_b_2"]
    assert names(footage, "test") == ["test_a_5", "test_a_odd6", "test_b_odd7"]
    assert {clip.name for clip in footage.aside} == {"train_a_odd3", "validation_b_4"}
    assert [clip.abnormal for clip in footage.clips] == [False, False, False, True, True]
    assert [clip.scene for clip in footage.clips] == ["a", "b", "a", "a", "b"]
    assert (footage.unlisted, check(footage), footage.missing) == (("b_9",), [], {})
    assert notes_of(footage, looked_at(footage)) == ["1 clips are not read, since no list names them: b_9"]
    assert known_normal(footage) == {"train_a_1", "train_b_2"}


def test_a_normal_clip_needs_no_file_of_labels(copy: Path) -> None:
    clips = {clip.name: clip for clip in (*locate("yard", copy).clips, *locate("yard", copy).aside)}
    assert clips["test_a_5"].labels().tolist() == clips["train_a_1"].labels().tolist() == [0] * 4  # type: ignore[union-attr]
    assert clips["train_a_odd3"].labels().tolist() == ABNORMAL["a_odd3"]  # type: ignore[union-attr]
    for file in (*(copy / "labels").iterdir(), *(copy / "strict").iterdir()):
        file.unlink()
    footage = locate("yard", copy)
    assert (footage.label_edition, [clip.labels() for clip in footage.clips]) == ("none", [None] * 5)
    (problem,) = check(footage)
    assert "expected labels of all test clips, found none for test_a_5, test_a_odd6, test_b_odd7" in problem


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("yard:all", ["a_1", "b_2", "a_odd3"], ["a_5", "a_odd6", "b_odd7"]),
        ("yard:validation", ["a_1", "b_2"], ["validation_b_4"]),
        ("yard:a", ["a_1"], ["a_5", "a_odd6"]),
        ("yard:without-a", ["b_2"], ["b_odd7"]),
        ("yard:a:all", ["a_1", "a_odd3"], ["a_5", "a_odd6"]),
        ("yard:b:validation", ["b_2"], ["validation_b_4"]),
        ("yard:hr", ["a_1", "b_2"], ["a_odd6", "b_odd7"]),
    ],
)
def test_modifiers_of_the_name(name: str, train: list[str], test: list[str], copy: Path) -> None:
    footage = locate(name, copy)
    assert (footage.name, footage.dataset.name, footage.missing) == (name, name, {})
    assert names(footage, "train") == [f"train_{clip}" for clip in train]
    assert [clip.removeprefix("test_") for clip in names(footage, "test")] == test
    assert check(footage) == check(locate("yard", copy)) == []
    assert name not in DATASETS.names()


def test_modifiers_that_find_nothing_or_that_nobody_knows(copy: Path) -> None:
    for clip in ("b/b_4", "a/a_odd3", "b/b_odd7"):
        (copy / "clips" / clip).rename(copy / clip.partition("/")[2])
    for name, what in (
        ("yard:validation", "validation clips in yard"),
        ("yard:all", "abnormal training clips in yard"),
        ("yard:b", "test clips of scene b in yard"),
        ("yard:without-a", "test clips without scene a in yard"),
    ):
        with pytest.raises(PagenError, match=f"^expected {what} .*found none; name it without the modifier"):
            locate(name, copy)
    for wrong, near in (("yard:c", "yard:"), ("yard:with-a", "yard:without-a"), ("yard:hr:hr", "yard:hr")):
        with pytest.raises(PagenError, match=f"did you mean '{near}"):
            locate(wrong, copy)


def test_a_subset_leaves_clips_and_frames_out(copy: Path) -> None:
    whole, less = ({clip.name: clip for clip in locate(name, copy).clips} for name in ("yard", "yard:hr"))
    assert less["test_a_odd6"].labels().tolist() == [LEFT_OUT, 1, 1, LEFT_OUT]  # type: ignore[union-attr]
    assert less["test_a_odd6"].labels("strict").tolist() == [LEFT_OUT, 1, 1, LEFT_OUT]  # type: ignore[union-attr]
    assert less["test_a_odd6"].identity() != whole["test_a_odd6"].identity()
    assert less["test_b_odd7"].identity() == whole["test_b_odd7"].identity()


def test_editions_of_labels_beside_each_other(copy: Path) -> None:
    footage = locate("yard", copy)
    assert (footage.editions, footage.label_edition) == (("first", "strict"), "first")
    clip = next(clip for clip in footage.clips if clip.name == "test_a_odd6")
    assert [clip.labels(edition).tolist() for edition in (None, "first", "strict")] == [  # type: ignore[union-attr]
        [0, 1, 1, 0],
        [0, 1, 1, 0],
        [1, 1, 1, 0],
    ]
    first, strict = editions_of(footage, looked_at(footage, decode_all=True))
    assert (first.clips, first.abnormal, first.expected, first.differs) == (3, 4, 4, {})
    assert (strict.abnormal, strict.differs) == (5, {"test_a_odd6": 1})
    assert strict.line("first").endswith("5 abnormal frames in 3 clips; 1 differ from first, in 1 clip: test_a_odd6")
    (problem,) = check(footage, decode_all=True)
    assert problem == "expected 4 abnormal test frames, found 5 (strict); an old file?"


def test_an_edition_lies_in_several_places_and_is_one(copy: Path) -> None:
    (copy / "elsewhere").mkdir()
    (copy / "labels/b_odd7.npy").rename(copy / "elsewhere/b_odd7.npy")
    footage = locate("yard", copy)
    assert footage.editions == ("first", "strict")
    assert check(footage) == []
    assert footage.clips[-1].labels().tolist() == ABNORMAL["b_odd7"]  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [-2, -1, 0, 1, 2])
def test_labels_are_made_to_fit_within_the_slack_and_told(count: int, copy: Path) -> None:
    save(copy / "labels/a_odd6.npy", [0, 1, 1, 1, 1, 0, 0, 0][: 4 + count])
    looks = looked_at(locate("yard", copy))
    told = [note for note in notes_of(locate("yard", copy), looks) if "made to fit" in note]
    problems = [problem for problem in problems_of(locate("yard", copy), looks) if "one label a frame" in problem]
    assert len(told) == (abs(count) == 1)
    assert len(problems) == (abs(count) == 2)
    assert all("labels first" in line and "test_a_odd6" in line for line in told)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    one=st.lists(st.integers(0, 1), min_size=4, max_size=4), other=st.lists(st.integers(0, 1), min_size=4, max_size=4)
)
def test_as_many_frames_differ_as_numpy_counts(one: list[int], other: list[int], copy: Path) -> None:
    save(copy / "labels/a_odd6.npy", one)
    save(copy / "strict/a_odd6.npy", other)
    first, strict = editions_of(locate("yard", copy), looked_at(locate("yard", copy), decode_all=True))
    differing = int((np.array(one) != np.array(other)).sum())
    assert sum(strict.differs.values()) == differing
    assert (first.abnormal, strict.abnormal) == (2 + sum(one), 2 + sum(other))


@pytest.mark.parametrize(
    ("known", "count", "problem", "note"),
    [
        (KnownClip("test", "a_5", 4), 5, "expected 4 frames numbered from 0", ""),
        (KnownClip("test", "a_5", 4, fps=24), 5, "", "as many frames as the container counts"),
        (KnownClip("test", "a_5", 4, fps=25), 6, "", "as many frames as the container counts"),
        (KnownClip("test", "a_5", 4, fps=25), 7, "expected 4 frames numbered from 0", ""),
        (KnownClip("test", "a_5", 4, fps=25), 3, "expected 4 frames numbered from 0", ""),
        (KnownClip("test", "a_5", 4, most=6), 6, "", ""),
        (KnownClip("test", "a_5", 4, most=6), 3, "expected 4 to 6 frames", ""),
        (KnownClip("test", "a_5", 4, most=6), 7, "expected 4 to 6 frames", ""),
    ],
)
def test_lengths_by_name(
    known: KnownClip, count: int, problem: str, note: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (replace(known, abnormal=False), *(clip for clip in KNOWN if clip.name != known.name))
    monkeypatch.setattr("pagen.footage.catalogue.read_known", lambda name: table)
    for file in (copy / "clips/a/a_5").iterdir():
        file.unlink()
    (copy / "clips/a/a_5").rmdir()
    write_frames(copy / "clips/a/a_5", count)
    footage = locate("yard", copy)
    problems, notes = check(footage), notes_of(footage, looked_at(footage))
    assert [line for line in problems if f"test_a_5: {problem}" in line] == problems * bool(problem)
    assert len(problems) == bool(problem)
    assert [line for line in notes if "container" in line] == [line for line in notes if note and line.startswith(note)]
    assert any("container" in line for line in notes) == bool(note)


def test_lists_of_the_user_s_copy(copy: Path, yard: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = (SplitList("train", "train.txt", False), SplitList("test", "test.txt"))
    row = replace(yard, known="", abnormal=None, layouts=(replace(yard.layouts[0], lists=lists),))
    monkeypatch.setitem(DATASETS._table, "yard", row)
    with pytest.raises(PagenError, match=r"lists that tell the splits \(train.txt or test.txt\) in .*found none"):
        locate("yard", copy)
    (copy / "train.txt").write_bytes(b"a/a_1.mp4\r\nb/b_2.mp4 Normal\r\n")
    (copy / "test.txt").write_bytes(b"a_odd6\nb_8")  # no end of the last line
    footage = locate("yard", copy)
    assert (names(footage, "train"), names(footage, "test")) == (["train_a_1", "train_b_2"], ["test_a_odd6"])
    assert set(footage.unlisted) == {"a_5", "a_odd3", "b_4", "b_odd7", "b_9"}
    assert footage.split("train")[0].abnormal is False
    (problem,) = check(footage)
    assert problem == f"expected 2 test clips in {copy}, found 1; missing: test_b_8"


def test_a_name_tells_an_abnormal_clip_where_no_list_does(
    copy: Path, yard: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part("test", ("clips/*",), r"(?P<scene>[ab])_(?P<abnormal>odd)?\d", first=0)
    row = replace(yard, known="", abnormal=None, layouts=(replace(yard.layouts[0], parts=(part,)),))
    monkeypatch.setitem(DATASETS._table, "yard", row)
    assert {clip.name for clip in locate("yard", copy).clips if clip.abnormal} == {
        *("test_a_odd3", "test_a_odd6", "test_b_odd7")
    }


def test_videos_to_train_and_images_to_test(
    copy: Path, yard: DataSet, monkeypatch: pytest.MonkeyPatch, videos: Callable[..., Path]
) -> None:
    parts = (
        Part("train", ("videos",), r"(?P<scene>[ab])_\d", images=()),
        Part("test", ("clips/*",), NAME, first=0, videos=()),
    )
    row = replace(yard, layouts=(replace(yard.layouts[0], parts=parts),))
    monkeypatch.setitem(DATASETS._table, "yard", row)
    for clip in KNOWN[:2]:
        videos(copy / "videos" / f"{clip.clip}.avi", [index / 25 for index in range(4)], "mpeg4")
    (copy / "videos/a_1_frames").mkdir()
    footage = locate("yard", copy)
    assert [(clip.name, clip.video) for clip in footage.split("train") if isinstance(clip, FileClip)] == [
        ("train_a_1", True),
        ("train_b_2", True),
    ]
    tests = [clip for clip in footage.split("test") if isinstance(clip, FileClip)]
    assert not any(clip.video for clip in tests)
    assert [clip.length() for clip in footage.split("train")] == [4, 4]


def test_rates_that_are_known_may_differ(copy: Path, yard: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part(LISTED, ("clips/*",), NAME, images=())
    monkeypatch.setitem(
        DATASETS._table, "yard", replace(yard, abnormal=None, layouts=(replace(yard.layouts[0], parts=(part,)),))
    )
    rates = {"a_1.avi": 24.0, "b_2.avi": 30.0}
    for file in rates:
        (copy / "clips" / file[0] / file).write_bytes(b"video")
    monkeypatch.setattr("pagen.footage.video.video_rate", lambda path: rates[path.name])
    told = [line for line in check(locate("yard", copy), partial=True) if "frame" in line]
    assert told == [
        "expected videos of one frame rate, found 24 (train_a_1) and 30 (train_b_2) frames per second; "
        "encode them alike"
    ]
    for known, problem in (({"a_1": 24.0, "b_2": 30.0}, ""), ({"a_1": 25.0, "b_2": 25.0}, "train_b_2: expected 25")):
        table = tuple(replace(clip, fps=known.get(clip.clip)) for clip in KNOWN)
        monkeypatch.setattr("pagen.footage.catalogue.read_known", lambda name, table=table: table)
        told = [line for line in check(locate("yard", copy), partial=True) if "frame" in line]
        assert [line for line in told if problem and problem in line] == told
        assert len(told) == bool(problem)


def test_a_part_of_the_clips_is_refused_or_told(copy: Path, tmp_path: Path) -> None:
    for clip in ("a/a_1", "b/b_odd7"):
        (copy / "clips" / clip).rename(copy / clip.partition("/")[2])
    footage = locate("yard", copy)
    assert footage.missing == {"train": [1, 2], "test": [2, 3]}
    assert locate("yard:a", copy).missing == {"train": [0, 1]}
    assert locate("yard:mixed", copy).missing == {"train": [2, 3], "test": [1, 2]}
    with pytest.raises(PagenError, match=r"missing: train_a_1 .*; --partial works on the clips that are there$"):
        prepare("yard", copy, (16, 24), workers=0, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    require(footage, partial=True)
    assert notes_of(footage, looked_at(footage))[:2] == ["1 of 2 train clips are there", "2 of 3 test clips are there"]
    run_prepare(Prepare("yard", copy, (16, 24), out=tmp_path / "out", workers=0, partial=True))  # as the line says
    prepared: Prepared = open_prepared(tmp_path / "out")
    assert prepared.missing == {"train": [1, 2], "test": [2, 3]}
    assert [prepared.scene(name) for name in prepared.clips()] == ["b", "a", "a"]
    (copy / "clips/a/a_odd6/002.jpg").unlink()  # what is there is checked as ever
    with pytest.raises(PagenError, match=r"test_a_odd6: expected 4 frames .*missing: 2"):
        require(locate("yard", copy), partial=True)


def test_a_whole_copy_is_prepared_under_the_keys_of_earlier_versions(official: Path, tmp_path: Path) -> None:
    prepared = prepare("ped2", official, (16, 24), workers=0, out=tmp_path / "out")
    assert set(prepared.folder.config) == {"dataset", "size", "colour", "fps", "label_edition", "clips"}
    assert all(set(item) == {"files", "shape"} for item in prepared.folder.items.values())
