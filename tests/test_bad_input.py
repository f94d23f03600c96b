"""Through the command line: what the user can mend gets one line, exit code 2, and leaves nothing half-made."""

from __future__ import annotations

import json
import re
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

pytestmark = pytest.mark.slow

WriteFolder = Callable[..., Path]
LENGTHS = {"training/a": 40, "testing/x": 20}
TINY = ["--scale", "tiny", "--size", "32", "48", "--crop", "16", "--steps", "1", "--device", "cpu", "--workers", "0"]


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
        (_gap, "folder: train_a: expected 40 frames numbered from 0 without gaps in .*, found 39; missing: 7; "),
        (_cut_image, r"expected an image in .*003\.png, found it cut short or damaged"),
        (_empty_image, r"expected frames in .*000\.png, found an empty file; copy it again"),
        (_empty_video, r"expected frames in .*v\.mp4, found an empty file; copy it again"),
        (_no_video, r"expected a video in .*v\.avi, found it cut short or damaged"),
        (_pointer, r"expected frames in .*000\.png, found a git-LFS pointer; run 'git lfs pull'"),
        (_mixed_frames, "expected frames of one size in .*, found 32x48 and 40x48"),
        (_mixed_colours, "expected frames all grey or all in colour in .*, found both"),
        (_mixed_clips, "expected clips of one size, found .*; encode them alike, or prepare"),
        (_long_labels, r"expected one label a frame, \(20,\), in .*x\.npy, clip x, found \(25,\)"),
        (_odd_labels, r"expected labels 0 and 1 in .*x\.npy, clip x, found \[3\]"),
        (
            _no_labels_but_text,
            r"expected an array in NumPy's format in .*x\.npy, found something else; is it its name",
        ),
        (_late_interval, r"expected abnormal frames within the clip's 20, found 10 to 21 in .*labels\.csv"),
        (
            _misspelt_video,
            r"expected labels of clips that are there in .*labels\.csv, found z, of which there is",
        ),
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
    assert re.search(message, line)
    assert not out.exists() or not Folder.open(out, "prepared", partial=True).complete
    assert refused(capsys, tmp_path, "prepare", *flags) == line


def _ped2(write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of known counts: two training clips and a test clip, in the layout of Ped2."""
    row = replace(DATASETS["ped2"], train=(5, 4), test=(6,), abnormal=2)
    monkeypatch.setitem(DATASETS._table, "ped2", row)
    lengths = {"training/frames/01": 5, "training/frames/02": 4, "testing/frames/01": 6}
    root = write_folder(tmp_path / "ped2", lengths)
    (root / "UCSDped2.m").write_text("TestVideoFile{end+1}.gt_frame = [2:3];\n")
    return root


def _clip_gone(root: Path) -> None:
    (root / "training/frames/01").rename(root / "elsewhere")


def _frame_gone(root: Path) -> None:
    (root / "training/frames/02/003.png").unlink()


def _frame_more(root: Path) -> None:
    (root / "testing/frames/01/005.png").rename(root / "testing/frames/01/006.png")


def _old_labels(root: Path) -> None:
    (root / "UCSDped2.m").write_text("TestVideoFile{end+1}.gt_frame = [2:4];\n")


def _labels_gone(root: Path) -> None:
    (root / "UCSDped2.m").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            _clip_gone,
            "ped2: expected 2 train clips in .*, found 1; missing: train_01;.*check ped2 --root .*' lists",
        ),
        (_frame_gone, "train_02: expected 4 frames numbered from 0 without gaps in .*, found 3; missing: 3"),
        (_frame_more, "test_01: expected 6 frames numbered from 0 without gaps .*; missing: 5; not expected: 6"),
        (_old_labels, "expected 2 abnormal test frames, found 3"),
        (_labels_gone, "expected labels of all test clips, found none for test_01"),
    ],
)
def test_data_sets_that_are_not_whole(
    spoil: Callable[[Path], None],
    message: str,
    write_folder: WriteFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = _ped2(write_folder, tmp_path, monkeypatch)
    flags = ["--dataset", "ped2", "--root", root, "--size", "native", "--workers", "0", "--out", tmp_path / "out"]
    main([str(word) for word in ("prepare", *flags[:-1], tmp_path / "sound")])
    spoil(root)
    assert re.search(message, refused(capsys, tmp_path, "prepare", *flags))
    assert not (tmp_path / "out").exists()


DATA = "--dataset folder --root {footage} --workers 0"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("prepare --dataset folder --root {tmp}/nowhere --out {out}", "expected the folder of folder, .* found none"),
        (
            "prepare --dataset folder --root {tmp}/empty --out {out}",
            "found no folder in .*: looked for training/frames/",
        ),
        ("prepare --dataset ped2 --out {out}", "found no ped2 in PAGEN_DATA .not set. nor by .*; then say where it is"),
        ("prepare --dataset foldr --out {out}", "no data set named 'foldr'; did you mean 'folder'"),
        (f"prepare {DATA} --size 4 4 --out {{out}}", "expected a --size of 16 pixels and more a side, found 4x4"),
        (f"prepare {DATA[:-1]}-1 --out {{out}}", "expected --workers of 0 and more, found -1"),
        (f"generate {DATA} --size 32 48 --masks motoin --out {{out}}", "no mask named 'motoin'; did you mean 'motion'"),
        (f"generate {DATA} --size 32 48 --masks random:thin --out {{out}}", "no preset of random masks named 'thin'"),
        (
            f"generate {DATA} --size 32 48 --inpainter tela --out {{out}}",
            "no inpainter named 'tela'; did you mean 'tel",
        ),
        (f"generate {DATA} --size 32 48 --flow dos --out {{out}}", "no flow named 'dos'; did you mean 'dis'"),
        (
            f"generate {DATA} --size 32 48 --inpainter {{tmp}}/empty --out {{out}}",
            "found no model_index.json; is the path",
        ),
        (
            f"generate {DATA} --size 32 48 --inpainter telea --matched --out {{out}}",
            "expected a diffusion inpainter for m",
        ),
        (f"generate {DATA} --size 32 48 --device cpu --precision fp16 --out {{out}}", "fp16, which is for a GPU"),
        (f"generate {DATA} --size 32 48 --masks file:{{tmp}}/nowhere --out {{out}}", "nowhere"),
        (
            f"generate {DATA} --size 32 48 --flow file:{{tmp}}/nowhere --out {{out}}",
            "folder of flow files CLIP.npy, found n",
        ),
        (f"generate {DATA} --size 32 48 --address head:1 --out {{out}}", "expected --engine ray with --address"),
        (
            "convert ldm-inpaintin a b {out}",
            "no form of checkpoint named 'ldm-inpaintin'; did you mean 'ldm-inpainting'",
        ),
        ("convert ldm-inpainting {tmp}/a.ckpt {tmp}/a.yaml {out}", "a.ckpt|a.yaml"),
        (f"generate {DATA} --size 32 48 --length 30 --kinds skip --out {{out}}", "expected training clips of at least"),
        (f"evaluate {DATA} --protocol casual", "no protocol named 'casual'; did you mean 'causal'"),
        (f"evaluate {{tmp}}/nowhere {DATA}", "expected a run folder of pagen at .*nowhere"),
        (f"train skipp {DATA} --out {{out}}", "no recipe named 'skipp'; did you mean 'skip'"),
        (
            f"train skip {DATA} --scale tiny --crop 20 --out {{out}}",
            "expected --crop to be a multiple of 16, .*found 20",
        ),
        (f"train spatial {DATA} --scale tiny --out {{out}}", "needs pseudo-anomalies on disk: give --pseudo pa/"),
        (f"train skip {DATA} --scale tiny --resume --out {{out}}", "expected a run to go on with at .*, found none"),
    ],
)
def test_command_lines_that_cannot_be_followed(
    line: str, message: str, footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    assert re.search(message, refused(capsys, tmp_path, *line.format(footage=footage, tmp=tmp_path, out=out).split()))
    assert not out.exists() or list(out.rglob("*")) == [out / "manifest.json"]


def test_test_sets_that_cannot_be_measured(footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate = ["evaluate", "--dataset", "folder", "--root", footage, "--workers", "0"]
    for mark, word in ((0, "normal"), (1, "abnormal")):
        np.save(footage / "labels/x.npy", np.full(20, mark, np.uint8))
        line = refused(capsys, tmp_path, *evaluate)
        assert f"AUROC is undefined: all 20 test frames of folder are labelled {word}; expected both" in line
    (footage / "labels/x.npy").unlink()
    assert "expected frame labels for the 1 test clips of folder" in refused(capsys, tmp_path, *evaluate)
    (footage / "testing").rename(tmp_path / "testing")
    assert "expected test clips of folder to be tested on, found none" in refused(capsys, tmp_path, *evaluate)


def _generate(root: Path, out: Path, kind: str = "skip") -> list[str]:
    words = (
        f"generate --dataset folder --root {root} --kinds {kind} --inpainter telea --size 32 48 --workers 0 --out {out}"
    )
    return words.split()


def _train(root: Path, pseudo: Path, out: Path) -> list[str]:
    return [*f"train skip --dataset folder --root {root} --pseudo {pseudo} --out {out}".split(), *TINY]


def test_pseudo_anomalies_that_do_not_fit(
    footage: Path, write_folder: WriteFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pseudo, run = tmp_path / "pa", tmp_path / "run"
    main(_generate(footage, pseudo))
    other = write_folder(tmp_path / "other", {"training/b": 20})
    line = refused(capsys, tmp_path, *_train(other, pseudo, run))
    assert line.startswith("expected a PA set of folder at 32x48 grey in")
    assert "found one of other folder at 32x48 grey; make one" in line
    line = refused(capsys, tmp_path, *_train(footage, pseudo, run), "--size", "48", "64")
    assert re.search(
        "expected a PA set with --size 48 64 in .*, found --size 32 48; give --pseudo pa/folder-skip-tiny", line
    )
    line = refused(capsys, tmp_path, *_train(footage, tmp_path / "nowhere", run))
    assert line.startswith("expected a pa_set folder of pagen at")
    line = refused(capsys, tmp_path, *_train(footage, next((tmp_path / "cache").glob("folder-32x48-*")), run))
    assert re.search("expected a pa_set folder at .*, found a prepared folder", line)
    line = refused(capsys, tmp_path, *_generate(footage, pseudo), "--seed", "3")
    assert re.search("was made otherwise: seed 0 there, 3 asked; give another --out, or remove it", line)
    assert not run.exists()


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)


def test_damage_within_is_told(footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pseudo, run = tmp_path / "pa", tmp_path / "run"
    main(_generate(footage, pseudo))
    for file in (pseudo / "skip/train_a.jsonl", next((tmp_path / "cache").glob("folder-32x48-*/clips/train_a.npy"))):
        _flip(file)
        line = refused(capsys, tmp_path, *_train(footage, pseudo, run))
        assert f"damaged file {file}: its SHA-256 is not the one in manifest.json" in line
        _flip(file)
    manifest = pseudo / "manifest.json"
    manifest.write_text(manifest.read_text()[:-20])
    for command in (_train(footage, pseudo, run), _generate(footage, pseudo)):
        assert f"{manifest}, found" in refused(capsys, tmp_path, *command)
    assert not run.exists()


@pytest.mark.parametrize("verb", ["prepare", "generate", "train"])
def test_what_lies_there_is_never_mixed_up(
    verb: str, footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"prepare": ["prepare"], "generate": ["generate", "--kinds", "skip"], "train": ["train", "skip", *TINY]}[
        verb
    ]
    size = [] if verb == "train" else ["--size", "32", "48", "--workers", "0"]
    command = [*words, *size, "--dataset", "folder", "--root", footage, "--out"]
    for extra in ([], ["--overwrite"]):
        line = refused(capsys, tmp_path, *command, footage, *extra)
        assert line == f"{footage} is not a pagen folder and is not empty; give another --out, or remove it"
    assert sorted(path.name for path in footage.iterdir()) == ["labels", "testing", "training"]
    (tmp_path / "file").touch()
    line = refused(capsys, tmp_path, *command, tmp_path / "file/below")
    assert line.startswith(f"cannot write or read {tmp_path / 'file/below'}")
    assert line.endswith("Not a directory; mend that and run the same command again")


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
from pagen.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("verb", ["prepare", "generate"])
def test_a_full_disk_is_told_and_the_same_command_goes_on(verb: str, footage: Path, tmp_path: Path) -> None:
    main(f"prepare --dataset folder --root {footage} --size 32 48 --workers 0".split())  # into the cache
    out, whole = tmp_path / "out", tmp_path / "whole"

    def command(path: Path) -> list[str]:
        if verb == "generate":
            return [*_generate(footage, path), "--kinds", "skip", "spatial"]
        return f"prepare --dataset folder --root {footage} --size 32 48 --workers 2 --out {path}".split()

    words = [sys.executable, "-c", LIMITED, *command(out)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == "pagen: cannot write or read: File too large; mend that and run the same command again\n"
    assert (done.returncode, done.stdout) == (2, "")
    assert not list(tmp_path.rglob(".tmp-*"))
    assert json.loads((out / "manifest.json").read_text())["complete"] is False
    main(command(out))
    main(command(whole))
    assert tree_hash(out) == tree_hash(whole)
