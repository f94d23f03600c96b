from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import pagen
from pagen import console
from pagen.errors import PagenError
from pagen.folders import tree_hash
from pagen.footage import prepare as module
from pagen.footage.catalogue import DataSet
from pagen.footage.clips import Footage
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared, open_prepared, prepare
from pagen.footage.prepare_dataset import Prepare, run
from pagen.footage.scene_clip import SceneClip
from pagen.manifest import cache_folder

WriteFolder = Callable[..., Path]
LENGTHS = {"training/a": 5, "training/b": 7, "testing/x": 6}


@pytest.fixture
def root(write_folder: WriteFolder, tmp_path: Path) -> Path:
    """Grey footage of 32x48."""
    return write_folder(tmp_path / "footage", LENGTHS)


@pytest.fixture
def coloured(write_folder: WriteFolder, tmp_path: Path) -> Path:
    """Footage in colour, of 32x48."""
    return write_folder(tmp_path / "coloured", LENGTHS, colour=True)


def pngs(folder: Path) -> Any:
    """The frames of a folder as OpenCV reads them, RGB."""
    files = sorted(folder.glob("*.png"))
    return np.stack([cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files])


def test_native_frames_are_the_footage_itself(root: Path, coloured: Path, tmp_path: Path) -> None:
    prepared = prepare("folder", root, None, out=tmp_path / "grey", workers=0)
    assert (prepared.size, prepared.channels, prepared.fps, prepared.dataset) == ((32, 48), 1, 25.0, "folder")
    assert prepared.clips() == ["train_a", "train_b", "test_x"]
    assert (prepared.clips("train"), prepared.clips("test")) == (["train_a", "train_b"], ["test_x"])
    assert str(prepared) == "folder: 3 clips, 18 frames, grey, prepared at 32x48"
    frames = prepared.frames("train_b")
    assert (frames.dtype, frames.shape, prepared.length("train_b")) == (np.uint8, (7, 32, 48, 1), 7)
    np.testing.assert_array_equal(frames[..., 0], pngs(root / "training/b")[..., 0])
    both = prepare("folder", coloured, None, colour=True, out=tmp_path / "colour", workers=0)
    assert both.channels == 3
    np.testing.assert_array_equal(both.frames("test_x"), pngs(coloured / "testing/x"))


def test_colours_are_converted_both_ways(root: Path, coloured: Path, tmp_path: Path) -> None:
    to_grey = prepare("folder", coloured, None, out=tmp_path / "grey", workers=0).frames("train_a")
    weights = pngs(coloured / "training/a") @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    np.testing.assert_allclose(to_grey[..., 0], weights, atol=0.51)
    to_colour = prepare("folder", root, None, colour=True, out=tmp_path / "colour", workers=0).frames("train_a")
    np.testing.assert_array_equal(to_colour, np.repeat(pngs(root / "training/a")[..., :1], 3, axis=-1))


@pytest.mark.parametrize("size", [(48, 64), (20, 40), (16, 16), (32, 48)])
def test_frames_are_resized_to_height_and_width(size: tuple[int, int], root: Path, tmp_path: Path) -> None:
    prepared = prepare("folder", root, size, out=tmp_path / "out", workers=0)
    frames = prepared.frames("train_a")
    assert prepared.size == size
    assert frames.shape == (5, *size, 1)
    whole = pngs(root / "training/a")[..., 0]
    assert abs(float(frames.mean()) - float(whole.mean())) < 3
    bright = np.argwhere(frames[0, ..., 0] > 150).mean(axis=0) / size
    np.testing.assert_allclose(bright, np.argwhere(whole[0] > 150).mean(axis=0) / (32, 48), atol=0.03)


def test_arrays_are_mapped_and_read_only(root: Path, tmp_path: Path) -> None:
    prepared = prepare("folder", root, None, out=tmp_path / "out", workers=0)
    for array in (prepared.frames("test_x"), prepared.labels("test_x")):
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.slow
def test_labels_and_masks_are_those_of_the_footage(tiny_street: None, tmp_path: Path) -> None:
    prepared = prepare("street", out=tmp_path / "out", size=None, workers=0)
    assert prepared.fps == 10
    for clip in locate("street").clips:
        frames, labels, masks = (read(clip.name) for read in (prepared.frames, prepared.labels, prepared.masks))
        np.testing.assert_array_equal(frames[..., 0], list(clip.frames()))
        np.testing.assert_array_equal(labels, clip.labels())
        np.testing.assert_array_equal(masks, list(clip.masks() or ()))
        np.testing.assert_array_equal(masks, list(prepared.each_mask(clip.name) or ()))
    assert any(prepared.labels(name).any() for name in prepared.clips("test"))  # type: ignore[union-attr]


def test_what_there_is_not_is_none(root: Path, tmp_path: Path) -> None:
    prepared = prepare("folder", root, None, out=tmp_path / "out", workers=0)
    assert prepared.labels("train_a") is None
    assert prepared.masks("test_x") is prepared.each_mask("test_x") is None
    np.testing.assert_array_equal(prepared.labels("test_x"), [0, 0, 0, 1, 1, 1])


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "size", "workers"), [("street", (40, 40), (0, 2)), ("folder", None, (0, 1, 2))])
def test_workers_change_no_byte(
    dataset: str, size: tuple[int, int] | None, workers: tuple[int, ...], root: Path, tiny_street: None, tmp_path: Path
) -> None:
    folders = [prepare(dataset, root, size, out=tmp_path / f"{n}", workers=n).path for n in workers]
    assert len({tree_hash(folder) for folder in folders}) == 1
    assert len({open_prepared(folder).fingerprint() for folder in folders}) == 1


def test_it_is_done_once(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    first = prepare("folder", root, workers=0)
    assert first.path.parent == cache_folder() == tmp_path / "cache"
    assert first.size == (256, 256)
    monkeypatch.setattr(module, "write_slices", None)
    again = prepare("folder", root, workers=0)
    assert (again.path, again.fingerprint()) == (first.path, first.fingerprint())
    (root / "testing/x/005.png").unlink()
    np.save(root / "labels/x.npy", np.zeros(5, np.uint8))
    with pytest.raises(TypeError):  # other footage is prepared, beside the first
        prepare("folder", root, workers=0)
    assert len(list(cache_folder().iterdir())) == 2


def test_the_cache_is_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGEN_CACHE", "cache")
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("PAGEN_CACHE", "")
    assert cache_folder().is_absolute()


def test_another_configuration_is_refused_and_overwritten_on_demand(root: Path, tmp_path: Path) -> None:
    prepare("folder", root, (16, 24), out=tmp_path / "out", workers=0)
    with pytest.raises(PagenError, match=r"size \[16, 24\] there, \[24, 24\] asked"):
        prepare("folder", root, (24, 24), out=tmp_path / "out", workers=0)
    assert prepare("folder", root, (24, 24), out=tmp_path / "out", workers=0, overwrite=True).size == (24, 24)


def test_removed_files_are_made_again_and_damaged_ones_told(root: Path, tmp_path: Path) -> None:
    prepared = prepare("folder", root, None, out=tmp_path / "out", workers=0)
    before = tree_hash(prepared.path)
    (prepared.path / "clips/train_a.npy").unlink()
    with pytest.raises(PagenError, match=r"missing file .*train_a\.npy"):
        open_prepared(prepared.path)
    prepare("folder", root, None, out=tmp_path / "out", workers=0)
    assert tree_hash(prepared.path) == before
    file = prepared.path / "clips/test_x.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(content)
    for attempt in (lambda: open_prepared(file.parents[1]), lambda: prepare("folder", root, None, out=file.parents[1])):
        with pytest.raises(PagenError, match=r"damaged file .*test_x\.npy: its SHA-256 .*; remove the file and run"):
            attempt()
    file.unlink()
    prepare("folder", root, None, out=tmp_path / "out", workers=0)
    assert tree_hash(prepared.path) == before


def test_labels_longer_than_the_video_are_refused(root: Path, tmp_path: Path) -> None:
    np.save(root / "labels/x.npy", np.zeros(9, np.uint8))
    with pytest.raises(PagenError, match=r"expected one label a frame, \(6,\), in .*x\.npy, clip x, found \(9,\)"):
        prepare("folder", root, None, out=tmp_path / "out", workers=0)


def test_clips_of_two_sizes_need_a_size(root: Path, write_folder: WriteFolder, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "other", {"testing/y": 4}, size=(40, 60))
    (other / "testing/y").rename(root / "testing/y")
    for _ in range(2):  # the second time all clips lie there
        with pytest.raises(PagenError, match=r"expected clips of one size, found .*32x48.*; encode them alike"):
            prepare("folder", root, None, out=tmp_path / "native", workers=0)
        with pytest.raises(PagenError, match="not finished"):
            open_prepared(tmp_path / "native")
    assert prepare("folder", root, (24, 36), out=tmp_path / "sized", workers=0).frames("test_y").shape == (4, 24, 36, 1)


@pytest.mark.parametrize("size", [(0, 0), (-4, 64), (64, 15)])
def test_sizes_that_nothing_can_be_seen_at_are_refused(size: tuple[int, int], root: Path, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=f"expected a --size of 16 pixels and more a side, found {size[0]}x{size[1]}"):
        prepare("folder", root, size, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@dataclass(frozen=True)
class Odd:
    """A scene of three frames that says what it is told to."""

    name: str = "test_01"
    split: str = "test"
    length: int = 3
    marks: int = 3
    objects: int = 3
    sizes: tuple[int, ...] = field(default=(20, 20, 20))

    def frames(self) -> Any:
        return (np.zeros((size, 20), np.uint8) for size in self.sizes)

    def labels(self) -> Any:
        return np.zeros(self.marks, np.uint8)

    def masks(self) -> Any:
        return (np.zeros((20, 20), np.bool_) for _ in range(self.objects))


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        (Odd(marks=4), "clip test_01: expected 3 labels, one a frame, found 4"),
        (Odd(objects=2), "clip test_01: expected 3 masks, one a frame, found 2"),
        (Odd(sizes=()), "nothing to write to .*: expected at least one frame, found none"),
        (Odd(sizes=(20,) * 32 + (24,)), r"expected uint8 \(20, 20, 1\) all through .*, found uint8 \(24, 20, 1\)"),
    ],
)
def test_footage_of_others_that_contradicts_itself_is_refused(
    scene: Odd, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = DataSet("odd", "odd", 10, "none", "nowhere")
    footage = Footage("odd", dataset, None, "procedural", ("procedural",), (SceneClip(scene),))
    monkeypatch.setattr("pagen.footage.prepare.locate", lambda name, root: footage)
    with pytest.raises(PagenError, match=message):
        prepare("odd", size=None, out=tmp_path / "out", workers=0)
    assert not list(tmp_path.rglob(".tmp-*"))


def test_the_verb_prints_where_the_clips_lie(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Prepare("folder", root, "native", out=tmp_path / "out", workers=0))
    printed = capsys.readouterr()
    assert printed.out == f"folder: 3 clips, 18 frames, grey, prepared at 32x48\n{tmp_path / 'out'}\n"
    assert printed.err == ""
    run(Prepare("folder", root, "native", out=tmp_path / "out", workers=0, json=True))
    expected = {"path": str(tmp_path / "out"), "size": [32, 48], "channels": 1, "frames": {"train": 12, "test": 6}}
    assert capsys.readouterr().out == console.as_json(expected) + "\n"


def test_the_package_offers_it(root: Path, tmp_path: Path) -> None:
    prepared = pagen.prepare("folder", root, None, out=tmp_path / "out", workers=0)
    assert isinstance(prepared, Prepared)
    assert pagen.open_prepared(tmp_path / "out") == prepared


@pytest.fixture(scope="module")
def long(write_folder: WriteFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage that takes two workers half a second."""
    return write_folder(tmp_path_factory.mktemp("long"), {f"testing/{n:02}": 24 for n in range(16)}, size=(240, 320))


def start(root: Path, out: Path) -> subprocess.Popen[str]:
    """The command line in a process group of its own, as a terminal starts it."""
    words = ["prepare", "--dataset", "folder", "--root", str(root), "--size", "64", "64", "--workers", "2"]
    command = [sys.executable, "-m", "pagen", *words, "--out", str(out)]
    return subprocess.Popen(
        command, cwd=root, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for_clips(process: subprocess.Popen[str], out: Path, count: int) -> None:
    while process.poll() is None and len(list(out.glob("clips/*.npy"))) < count:
        time.sleep(0.002)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(long: Path, tmp_path: Path) -> None:
    undisturbed = prepare("folder", long, (64, 64), out=tmp_path / "undisturbed", workers=0)
    rng = np.random.default_rng(7)
    out, done = tmp_path / "out", [0]
    for more in (1, 3, 4):
        with start(long, out) as process:
            wait_for_clips(process, out, done[-1] + more)
            time.sleep(rng.uniform(0, 0.02))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        with pytest.raises(PagenError, match="not finished"):
            open_prepared(out)
        done.append(len(list(out.glob("clips/*.npy"))))
    assert done == sorted(set(done))  # every time it went on
    with start(long, out) as process:
        assert process.communicate()[1] == ""
    assert process.returncode == 0
    assert tree_hash(out) == tree_hash(undisturbed.path)


@pytest.mark.slow
def test_interrupted_it_says_so_in_one_line_and_goes_on(long: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for clips, later in ((0, 0.1), (1, 0)):  # while workers wait, and work
        with start(long, out) as process:
            while not (out / "manifest.json").exists():  # before, python itself begins
                time.sleep(0.002)
            wait_for_clips(process, out, clips)
            time.sleep(later)
            os.killpg(process.pid, signal.SIGINT)
            assert (
                process.communicate()[1]
                == "pagen: interrupted; what is done is kept, and the same command goes on from there\n"
            )
        assert process.returncode == 130
    again = prepare("folder", long, (64, 64), out=out, workers=0)
    assert tree_hash(out) == tree_hash(prepare("folder", long, (64, 64), out=tmp_path / "undisturbed", workers=0).path)
    assert not list(again.path.rglob(".tmp-*"))
