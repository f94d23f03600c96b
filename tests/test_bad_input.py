"""Through the command line: what the user can mend gets one line, exit code 2, and leaves nothing half-made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pagen.cli import main
from pagen.folders import Folder, tree_hash
from pagen.footage.catalogue import DATASETS

WriteFolder = Callable[..., Path]
LENGTHS = {"training/a": 20, "testing/x": 20}
TINY = "--scale tiny --size 32 48 --crop 16 --steps 1 --epochs 1 --device cpu --workers 0".split()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def footage(write_folder: WriteFolder, tmp_path: Path) -> Path:
    """A sound data set of 32x48, to be spoilt."""
    return write_folder(tmp_path / "footage", LENGTHS)


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, *argv: str | Path) -> str:
    """The one line that the command line answers with; nothing half-written may lie anywhere."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in argv])
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith("pagen: ")
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.rglob(".tmp-*"))
    return printed.err.removeprefix("pagen: ").rstrip("\n")


def _gap(root: Path) -> None:
    (root / "training/a/007.png").unlink()


def _cut_image(root: Path) -> None:
    file = root / "testing/x/003.png"
    file.write_bytes(file.read_bytes()[:-40])


def _empty_image(root: Path) -> None:
    (root / "training/a/000.png").write_bytes(b"")


def _empty_video(root: Path) -> None:
    (root / "training/v.mp4").touch()


def _no_video(root: Path) -> None:
    (root / "training/v.avi").write_text("this is a text file, whatever its name says" * 50)


def _pointer(root: Path) -> None:
    (root / "training/a/000.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def _mixed_frames(root: Path) -> None:
    Image.fromarray(np.zeros((40, 48), np.uint8)).save(root / "training/a/004.png")


def _mixed_colours(root: Path) -> None:
    Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(root / "training/a/004.png")


def _mixed_clips(root: Path) -> None:
    (root / "training/b").mkdir()
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(root / "training/b/000.png")


def _long_labels(root: Path) -> None:
    np.save(root / "labels/x.npy", np.zeros(25, np.uint8))


def _odd_labels(root: Path) -> None:
    np.save(root / "labels/x.npy", np.full(20, 3, np.uint8))


def _no_labels_but_text(root: Path) -> None:
    (root / "labels/x.npy").write_text("0 0 0 1 1")


def _late_interval(root: Path) -> None:
    (root / "labels.csv").write_text("video,start_frame,end_frame\nx,10,21\n")


def _misspelt_video(root: Path) -> None:
    (root / "labels.csv").write_text("video,start_frame,end_frame\nz,10,12\n")


def _no_frames(root: Path) -> None:
    (root / "training/empty").mkdir()


def _few_masks(root: Path) -> None:
    (root / "masks/x").mkdir(parents=True)
    Image.fromarray(np.zeros((32, 48), np.uint8)).save(root / "masks/x/000.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_gap, "folder: train_a: expected 20 frames numbered from 0 without gaps in .*, found 19; missing: 7; "),
        (_cut_image, r"expected an image in .*003\.png, found it cut short or damaged"),
        (_empty_image, r"expected frames in .*000\.png, found an empty file; copy it again"),
        (_empty_video, r"expected frames in .*v\.mp4, found an empty file; copy it again"),
        (_no_video, r"expected a video in .*v\.avi, found it cut short or damaged"),
        (_pointer, r"expected frames in .*000\.png, found a git-LFS pointer; run 'git lfs pull'"),
        (_mixed_frames, "expected frames of one size in .*, found 32x48 and 40x48"),
        (_mixed_colours, r"expected frames of shape \(32, 48\) as in .*, found \(32, 48, 3\) in .*004\.png"),
        (_mixed_clips, "expected clips of one size, found .*; prepare them at a --size"),
        (_long_labels, r"expected one label a frame, \(20,\), in .*x\.npy, found \(25,\)"),
        (_odd_labels, r"expected labels 0 and 1 in .*x\.npy, found \[3\]"),
        (_no_labels_but_text, r"expected an array of 0 and 1 in .*x\.npy, found something else"),
        (_late_interval, r"expected abnormal frames within the clip's 20, found 10 to 21 in .*labels\.csv"),
        (_misspelt_video, r"expected only test clips in .*labels\.csv, found z, which is not among them"),
        (_no_frames, r"expected frames \(.*\) in .*empty, found none"),
        (_few_masks, "expected 20 masks, one a frame, found 1"),
    ],
)
def test_footage_that_is_not_sound(
    spoil: Callable[[Path], None], message: str, footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(footage)
    out = tmp_path / "out"
    flags = ["--dataset", "folder", "--root", footage, "--size", "native", "--workers", "0", "--out", out]
    line = refused(capsys, tmp_path, "prepare", *flags)
    pytest.importorskip("re")
    import re

    assert re.search(message, line)
    assert not out.exists() or not Folder.open(out, "prepared", partial=True).complete
