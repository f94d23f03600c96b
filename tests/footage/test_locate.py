from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pagen.errors import PagenError
from pagen.footage import locate as module
from pagen.footage import video
from pagen.footage.catalogue import DATASETS, DataSet
from pagen.footage.check import check, require
from pagen.footage.clips import Footage
from pagen.footage.locate import locate
from pagen.footage.street.preset import preset_named

REAL = Path(__file__).resolve().parents[2].parent / "shared/data/ped2"


@pytest.fixture(autouse=True)
def _no_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "listed_file", lambda: tmp_path / "nowhere/data.json")
    monkeypatch.delenv("PAGEN_DATA", raising=False)


@pytest.fixture
def own(tmp_path: Path, videos: Callable[..., Path]) -> Path:
    """A folder of somebody's own: two videos and a folder of images in each split."""
    root = tmp_path / "own"
    for split in ("training", "testing"):
        videos(root / split / "b.mp4", [index / 25 for index in range(4)])
        videos(root / split / "a.avi", [index / 25 for index in range(3)], "mpeg4")
        for number in range(3):
            path = root / split / "c" / f"frame{number * 5}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((48, 64), number, np.uint8)).save(path)
    return root


def _same(a: Footage, b: Footage) -> None:
    assert [(clip.name, clip.split) for clip in a.clips] == [(clip.name, clip.split) for clip in b.clips]
    for left, right in zip(a.clips, b.clips, strict=True):
        np.testing.assert_array_equal(list(left.frames()), list(right.frames()))
        assert (left.labels() is None) == (right.labels() is None) == (left.masks() is None) == (right.masks() is None)
        if left.split == "test":
            np.testing.assert_array_equal(left.labels(), right.labels())
            np.testing.assert_array_equal(list(left.masks() or ()), list(right.masks() or ()))


def test_both_layouts_give_the_same_clips(official: Path, common: Path) -> None:
    one, other = locate("ped2", official), locate("ped2", common)
    assert (one.layout, other.layout) == ("official", "common")
    assert one.label_edition == other.label_edition == "UCSDped2.m (UCSD v1p2)"
    assert [clip.name for clip in one.clips] == ["train_01", "train_02", "test_01", "test_02", "test_03"]
    assert check(one, decode_all=True) == check(other, decode_all=True) == []
    assert one.fps == other.fps == 10
    _same(one, other)
    _same(pickle.loads(pickle.dumps(one)), other)


@pytest.mark.parametrize("fixture", ["official", "common"])
def test_labels_agree_with_masks(fixture: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(fixture)
    footage = locate("ped2", root)
    published = [clip.labels() for clip in footage.clips if clip.split == "test"]
    next(root.rglob("UCSDped2.m")).unlink()
    derived = locate("ped2", root)
    assert derived.label_edition == "derived from pixel masks"
    assert check(derived, decode_all=True) == []
    for left, right in zip(published, [clip.labels() for clip in derived.clips if clip.split == "test"], strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("fixture", ["official", "common"])
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_folder_above_will_do(fixture: str, levels: int, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(fixture)
    assert locate("ped2", [root, *root.parents][levels]).root == root


def test_a_given_folder_may_have_any_name(common: Path, tmp_path: Path) -> None:
    renamed = common.rename(tmp_path / "walkway")
    assert locate("ped2", tmp_path).root == renamed  # the label file marks it
    (renamed / "UCSDped2.m").unlink()
    assert locate("ped2", renamed).root == renamed
    with pytest.raises(PagenError, match="found no ped2"):
        locate("ped2", tmp_path)


def test_the_environment_and_the_file_of_the_user(
    common: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data.json"
    file.write_text(json.dumps({"ped2": str(common)}))
    monkeypatch.setattr(module, "listed_file", lambda: file)
    assert locate("ped2").root == common
    above = shutil.copytree(common, tmp_path / "above/ped2").parent
    monkeypatch.setenv("PAGEN_DATA", str(above))
    assert locate("ped2").root == above / "ped2"
    monkeypatch.delenv("PAGEN_DATA")
    file.write_text("[]")
    with pytest.raises(PagenError, match=r"as an object in .*data\.json, found a list"):
        locate("ped2")


def test_what_is_not_there_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        PagenError, match=r"found no ped2 .*training/frames.*SVCL.*--root DIR or .*transfer: --roots DIR"
    ):
        locate("ped2")
    with pytest.raises(PagenError, match="found no ped1 in"):
        locate("ped1", tmp_path)
    with pytest.raises(PagenError, match="found none; is the path right"):
        locate("ped1", tmp_path / "nowhere")
    monkeypatch.setenv("PAGEN_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(PagenError, match="found none; is the path right"):
        locate("ped1")


def _spoil_pointer(root: Path) -> None:
    (root / "Train/Train001/002.tif").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")


def _spoil_cut(root: Path) -> None:
    path = root / "Train/Train001/002.tif"
    path.write_bytes(path.read_bytes()[:-200])


def _spoil_size(root: Path) -> None:
    Image.fromarray(np.zeros((24, 35), np.uint8)).save(root / "Train/Train001/002.tif")


def _spoil_mask(root: Path) -> None:
    for path in (root / "Test/Test001_gt").iterdir():
        Image.fromarray(np.zeros((48, 72), np.uint8)).save(path)


def _spoil_old_labels(root: Path) -> None:
    shutil.copy(root / "Test/UCSDped2.m~", root / "Test/UCSDped2.m")


def _spoil_labels(root: Path) -> None:
    text = (root / "Test/UCSDped2.m").read_text()
    (root / "Test/UCSDped2.m").write_text(text.replace("[3:6]", "[3:7]"))


def _spoil_few_labels(root: Path) -> None:
    text = (root / "Test/UCSDped2.m").read_text()
    (root / "Test/UCSDped2.m").write_text("\n".join(text.splitlines()[:-1]))


def _spoil_many_labels(root: Path) -> None:
    with open(root / "Test/UCSDped2.m", "a") as file:
        file.write("TestVideoFile{end+1}.gt_frame = [1:2];\n")


def _spoil_all_labels(root: Path) -> None:
    (root / "Test/UCSDped2.m").unlink()
    shutil.rmtree(root / "Test/Test002_gt")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda root: shutil.rmtree(root / "Train/Train001"), r"expected 2 train clips .*found 1; missing: train_01$"),
        (lambda root: shutil.copytree(root / "Train/Train001", root / "Train/Train007"), "not expected: train_07$"),
        (lambda root: shutil.rmtree(root / "Train"), "expected 2 train clips .*found 0; missing: train_01, train_02$"),
        (
            lambda root: (root / "Train/Train001/003.tif").unlink(),
            r"train_01: expected 5 frames .*found 4; missing: 3$",
        ),
        (
            lambda root: (root / "Train/Train001/005.tif").unlink(),
            r"train_01: expected 5 frames .*found 4; missing: 5$",
        ),
        (
            lambda root: shutil.copy(root / "Train/Train001/001.tif", root / "Train/Train001/006.tif"),
            "not expected: 6$",
        ),
        (
            lambda root: (root / "Train/Train001/001.tif").rename(root / "Train/Train001/000.tif"),
            "missing: 1; not expected: 0$",
        ),
        (
            lambda root: shutil.copy(root / "Train/Train001/001.tif", root / "Train/Train001/1.tif"),
            "more than once: 1$",
        ),
        (
            lambda root: [path.unlink() for path in (root / "Train/Train001").glob("*.tif")],
            "train_01: expected frames .*none$",
        ),
        (_spoil_pointer, "train_01: .*002.tif, found a git-LFS pointer"),
        (_spoil_cut, "train_01: .*002.tif, found it cut short or damaged"),
        (_spoil_size, "train_01: expected frames of one size in .*Train001, found 24x35 and 24x36$"),
        (_spoil_mask, "test_01: expected masks of the frames' size 24x36 in .*Test001_gt, found 48x72$"),
        (lambda root: (root / "Test/Test001_gt/004.bmp").unlink(), "test_01: expected 6 masks, one a frame, found 5$"),
        (_spoil_old_labels, r"expected 8 abnormal test frames, found 10 \(UCSDped2\.m"),
        (_spoil_labels, "test_01: expected abnormal frames within the clip's 6, found 3 to 7"),
        (_spoil_few_labels, "test_03: expected labels of test clip 3 in .*found those of 2 clips"),
        (
            _spoil_many_labels,
            "expected labels of clips that are there in .*UCSDped2.m, found 4, of which there",
        ),
        (_spoil_all_labels, "expected labels of all test clips, found none for test_02$"),
    ],
)
def test_what_is_odd_is_reported_without_decoding(
    official: Path, spoil: Callable[[Path], object], problem: str
) -> None:
    spoil(official)
    footage = locate("ped2", official)
    problems = check(footage)
    assert len(problems) == 1, problems
    with pytest.raises(PagenError, match=problem):
        raise PagenError(problems[0])
    with pytest.raises(
        PagenError, match=r"^ped2: .*; 'pagen datasets check ped2 --root .*' lists all(; --partial .*)?$"
    ):
        require(footage)


def test_require_counts_the_rest(common: Path) -> None:
    require(locate("ped2", common))
    for number in ("01", "02"):
        (common / f"training/frames/{number}/000.jpg").unlink()
    with pytest.raises(PagenError, match=r"train_01: .*missing: 0 \(and 1 more\)"):
        require(locate("ped2", common))


def test_damage_inside_a_file_shows_when_it_is_decoded(common: Path) -> None:
    path = common / "training/frames/01/002.jpg"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    footage = locate("ped2", common)
    with pytest.raises(PagenError, match=r"002\.jpg, found it cut short"):
        list(footage.clips[0].frames())


def test_one_folder_holds_one_data_set_among_others(official: Path, common: Path, tmp_path: Path) -> None:
    shutil.copytree(official, tmp_path / "many/UCSDped1")
    (tmp_path / "many/UCSDped1/Test/UCSDped2.m").rename(tmp_path / "many/UCSDped1/Test/UCSDped1.m")
    shutil.move(official, tmp_path / "many/UCSDped2")
    assert locate("ped1", tmp_path / "many").root == tmp_path / "many/UCSDped1"
    assert locate("ped2", tmp_path / "many").root == tmp_path / "many/UCSDped2"


def test_identity_follows_the_source(common: Path) -> None:
    before = {clip.name: clip.identity() for clip in locate("ped2", common).clips}
    assert len(set(before.values())) == len(before)
    assert before == {clip.name: clip.identity() for clip in locate("ped2", common).clips}
    m = common / "UCSDped2.m"
    m.write_text(m.read_text().replace("[3:6]", "[2:6]"))  # as many bytes as before
    (common / "training/frames/02/003.jpg").write_bytes(b"more")
    after = {clip.name: clip.identity() for clip in locate("ped2", common).clips}
    assert {name for name in before if before[name] != after[name]} == {"train_02", "test_01", "test_02", "test_03"}


def test_own_videos_and_image_folders(own: Path) -> None:
    footage = locate("folder", own)
    assert [clip.name for clip in footage.clips] == [f"{split}_{stem}" for split in ("train", "test") for stem in "abc"]
    assert [clip.length() for clip in footage.clips] == [3, 4, 3] * 2
    assert [len(list(clip.frames())) for clip in footage.clips] == [3, 4, 3] * 2
    assert [clip.labels() for clip in footage.clips] == [None] * 6
    assert (footage.fps, footage.label_edition, check(footage, decode_all=True)) == (25, "none", [])


def test_own_labels_as_csv(own: Path) -> None:
    (own / "labels.csv").write_text("video,start_frame,end_frame\na,1,3\nc,,\n")
    footage = locate("folder", own)
    found = {clip.name: clip.labels() for clip in footage.clips}
    assert {name: array.tolist() for name, array in found.items() if array is not None} == {
        "test_a": [0, 1, 1],
        "test_c": [0, 0, 0],
    }
    assert (footage.label_edition, check(footage, decode_all=True)) == ("labels.csv", [])
    (own / "labels.csv").write_text("video,start_frame,end_frame\na,1,4\nd,0,1\n")
    long, strange = check(locate("folder", own), decode_all=True)
    assert "found d, of which there is no clip; mend the name" in strange
    assert "test_a: expected abnormal frames within the clip's 3" in long


def test_own_labels_as_npy(own: Path) -> None:
    (own / "labels").mkdir()
    np.save(own / "labels/b.npy", np.array([[0, 1, 0, 1]]))
    np.save(own / "labels/c.npy", np.array([0, 1]))
    footage = locate("folder", own)
    clips = {clip.name: clip for clip in footage.clips}
    assert clips["test_a"].labels() is None
    np.testing.assert_array_equal(clips["test_b"].labels(), [0, 1, 0, 1])
    (problem,) = check(footage)
    assert "test_c: expected one label a frame, (3,)" in problem


def test_own_masks(own: Path) -> None:
    for index in range(4):
        path = own / "masks/b" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 64), 255 * (index == 2), np.uint8)).save(path)
    footage = locate("folder", own)
    clip = next(clip for clip in footage.clips if clip.name == "test_b")
    np.testing.assert_array_equal(clip.labels(), [0, 0, 1, 0])
    assert [mask.mean() for mask in clip.masks() or ()] == [0, 0, 1, 0]
    assert (footage.label_edition, check(footage, decode_all=True)) == ("derived from pixel masks", [])


def test_own_folders_may_be_called_train_and_test_or_hold_frames(own: Path) -> None:
    (own / "training").rename(own / "train")
    (own / "testing").rename(own / "frames")
    (own / "testing").mkdir()
    (own / "frames").rename(own / "testing/frames")
    footage = locate("folder", own)
    assert [clip.name for clip in footage.clips] == [f"{split}_{stem}" for split in ("train", "test") for stem in "abc"]


def test_odd_things_in_own_folders(own: Path, videos: Callable[..., Path]) -> None:
    (own / "testing/a.avi").write_bytes(b"")
    shutil.copy(own / "testing/b.mp4", own / "testing/c.mp4")
    videos(own / "training/b.mp4", [index / 5 for index in range(4)])
    (own / "training/c/frame5.png").rename(own / "training/c/frame6.png")
    (own / "testing/empty").mkdir()
    problems = check(locate("folder", own))
    for expected in (
        "expected one clip of the name test_c, found 2",
        "found an empty file",
        "numbered from 0 without gaps",
        "test_empty: expected frames",
    ):
        assert sum(expected in problem for problem in problems) == 1, problems


def test_videos_of_different_rates_are_odd(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "video_rate", lambda path: 25.0 if path.suffix == ".avi" else 30.0)
    (problem,) = check(locate("folder", own))
    assert "one frame rate, found 25 (train_a) and 30 (train_b)" in problem


def test_a_third_party_may_add_a_row(common: Path, miniature: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS._table, "mine", miniature)
    assert locate("mine", common).clips == locate("ped2", common).clips


def test_the_street_needs_no_folder() -> None:
    footage = locate("street")
    assert (footage.root, footage.layout, check(footage, decode_all=True)) == (None, "procedural", [])
    assert {clip.split for clip in footage.clips} == {"train", "test"}
    assert len({clip.identity() for clip in footage.clips}) == len(footage.clips)
    clip = pickle.loads(pickle.dumps(next(clip for clip in footage.clips if clip.split == "test")))
    labels, masks = clip.labels(), clip.masks()
    assert labels.shape == (clip.length(),)
    assert next(masks).shape == next(clip.frames()).shape
    assert {preset_named(clip.drawn.preset).fps for clip in footage.clips} == {footage.fps}  # type: ignore[attr-defined]


def test_the_square_is_found_by_a_name_of_its_own(tiny_street: None) -> None:
    street, square = locate("street"), locate("street:square")
    assert (square.name, square.root, square.layout) == ("street:square", None, "procedural")
    assert check(square, decode_all=True) == []
    assert [clip.name for clip in square.clips] == [clip.name for clip in street.clips]
    assert not {clip.identity() for clip in square.clips} & {clip.identity() for clip in street.clips}


def test_ped2_itself_or_its_miniature(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels of UCSDped2.m are those of the masks, on all test frames."""
    row = DATASETS["ped2"]
    root = common
    if REAL.exists():
        monkeypatch.undo()
        row, root = DATASETS["ped2"], REAL
    footage = locate("ped2", root)
    assert check(footage) == []
    tests = [clip for clip in footage.clips if clip.split == "test"]
    published = np.concatenate([clip.labels() for clip in tests])
    derived = np.array([mask.any() for clip in tests for mask in clip.masks() or ()])
    np.testing.assert_array_equal(published, derived)
    assert (len(published), int(published.sum())) == (sum(row.test), row.abnormal)


def test_only_folders_with_a_mark_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_into = list[Path]()
    place = module._place
    monkeypatch.setattr(module, "_place", lambda row, folder: looked_into.append(folder) or place(row, folder))
    for index in range(30):
        (tmp_path / f"home/letters/{index}").mkdir(parents=True)
    for name in ("avenue", "ucf_crime", "xd_violence", "shanghaitech"):
        assert module.find(DATASETS[name], tmp_path / "home") is None
    assert looked_into == [tmp_path / "home"] * 4, "the given one alone"
    (tmp_path / "home/letters/7/annotations.txt").touch()  # a mark, and no clip
    assert module.find(DATASETS["xd_violence"], tmp_path / "home", marked=True) is None


def test_a_folder_of_another_name_is_told_which_names_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "holidays/testing_videos").mkdir(parents=True)
    (tmp_path / "holidays/testing_videos/08.avi").touch()
    with pytest.raises(PagenError, match="folders called avenue or avenuedataset or cuhkavenue or given themselves"):
        locate("avenue", tmp_path)
    assert locate("avenue", tmp_path / "holidays").root == tmp_path / "holidays"


@pytest.mark.parametrize("name", ["", "+", "ped2+", "+ped2", ":ped2", "ped2:", "ped2::mixed", "ped2++a", "ped2+:mixed"])
def test_a_name_with_an_empty_part_is_answered_as_it_was_typed(name: str) -> None:
    with pytest.raises(PagenError, match=re.escape(f"no data set named {name!r}; ")):
        DATASETS[name]
