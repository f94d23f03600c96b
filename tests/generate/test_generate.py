"""The verb `generate`: what lies on disk, the same bytes on every way there, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import pytest

from pagen import fill as filling
from pagen.arrays import read_array, unpack
from pagen.cli import main
from pagen.errors import PagenError
from pagen.folders import Folder, tree_hash, write_text
from pagen.footage.prepare import Prepared
from pagen.generate import open_pa_set
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.generate.temporal import bounding_box
from pagen.options import PSEUDO_KINDS
from pagen.seeds import generator

Ask = Callable[..., Generate]
LIGHT = {"kinds": ("skip", "patch")}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery that costs nothing."""
    for target in ("pagen.generate.pa_folder.gallery", "pagen.generate.pa_folder.gallery_html"):
        monkeypatch.setattr(target, lambda pseudo, path: write_text(path, "".join(pseudo.kinds)))


def folders(path: Path) -> set[str]:
    return {child.name for child in path.iterdir()}


def test_all_kinds_lie_on_disk(made: Path, prepared: Prepared) -> None:
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    three, two = ("train_a", "train_b", "train_c"), ("train_a", "train_b")
    stored = {f"{kind}{part}" for kind in ("spatial", "temporal") for part in ("/{}.npy", "_mask/{}.npy", "/{}.jsonl")}
    assert files == {
        *("manifest.json", "gallery.png", "gallery.html"),
        *(pattern.format(name) for pattern in stored for name in three),
        *(f"patch/{name}.jsonl" for name in three),
        *(f"skip/{name}.jsonl" for name in two),
    }
    for name in three:
        assert read_array(made / f"spatial/{name}.npy").shape == prepared.frames(name).shape
        assert read_array(made / f"temporal/{name}.npy").shape == (prepared.length(name) - 1, 2, *prepared.size)


def assert_kept(pseudo: PASet, region: str) -> None:
    """What lies under no mask is bit-equal to what it was made of; what lies under one mostly is not."""
    path, prepared, flow = pseudo.folder.path, pseudo.prepared, pseudo.flow
    for kind, axis, normal in (("spatial", 3, prepared.frames), ("temporal", 1, flow.flow)):
        for name in pseudo.clips(kind):
            stored, source = read_array(path / f"{kind}/{name}.npy"), normal(name)
            mask = unpack(read_array(path / f"{kind}_mask/{name}.npy"), prepared.size[1])
            assert stored.dtype == source.dtype
            changed = (stored != source).any(axis=axis)
            assert not changed[~mask].any()
            assert changed[mask].mean() > 0.3
            for one in mask:
                assert one.any()
                box = bounding_box(one)
                boxed = kind == "temporal" and region == "rectangle"
                assert one.sum() == box[2] * box[3] if boxed else 0 < one.mean() <= 0.5


def test_kept_pixels_are_those_of_the_clips(pseudo: PASet) -> None:
    assert_kept(pseudo, "silhouette")


@pytest.mark.usefixtures("quick")
def test_other_masks_and_regions(ask: Ask, tmp_path: Path) -> None:
    kinds = ("spatial", "temporal")
    generate(ask(tmp_path, kinds=kinds, masks="random:medium_256", region="rectangle", limit_clips=1))
    assert_kept(open_pa_folder(tmp_path), "rectangle")


def test_in_colour(ask: Ask, tmp_path: Path) -> None:
    generate(ask(tmp_path, colour=True, limit_clips=1))
    channels = {kind: open_pa_set(tmp_path, [kind])[0][0].shape[0] for kind in PSEUDO_KINDS}
    assert channels == {"spatial": 3, "temporal": 2, "skip": 3, "patch": 3}


def test_a_patch_for_every_window(made: Path, prepared: Prepared) -> None:
    records = [json.loads(line) for line in (made / "patch/train_c.jsonl").read_text().splitlines()]
    assert [record["start"] for record in records] == list(range(prepared.length("train_c") - 15))
    assert {record["clip"] for record in records} == {"train_c"}
    assert {len(record["centres"]) for record in records} == {16}
    assert len({json.dumps(record["centres"]) for record in records}) == len(records)


@pytest.mark.usefixtures("quick")
def test_short_clips_are_named(ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(ask(tmp_path / "pa", **LIGHT))
    said = capsys.readouterr().err
    assert "skip: 2 of 4 training clips are shorter than 31 frames" in said
    assert "patch: 1 of 4 training clips are shorter than 16 frames" in said


@pytest.mark.parametrize("workers", [1, 2])
def test_same_bytes_with_workers(
    ask: Ask, made: Path, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers == 2:  # footage and flow by them, too
        monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    generate(ask(tmp_path / "pa", workers=workers))
    assert tree_hash(tmp_path / "pa") == tree_hash(made)


def test_same_bytes_in_any_order(ask: Ask, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def shuffled(function: Any, items: Sequence[Any], workers: int | None = None) -> Iterator[Any]:
        order = [items[index] for index in generator(5).permutation(len(items))]
        asked.extend(name for name, _ in order)
        yield from in_turn(function, order, workers)

    in_turn = filling.spread
    monkeypatch.setattr(filling, "spread", shuffled)
    generate(ask(tmp_path / "pa"))
    assert len(asked) == 11
    assert asked != sorted(asked, key=lambda item: PSEUDO_KINDS.index(item.split("/")[0]))
    assert tree_hash(tmp_path / "pa") == tree_hash(made)


KILLED = """
import json, os, random, signal, sys
from importlib import import_module
from pagen.cli import main

for module in ("torch", "pagen.generate.diffusion", "pagen.generate.pa_folder"):
    import_module(module)  # once, for all of the processes

def attempt(out, fatal=None):
    # a process that opens and renames files below `out`, and is killed at the one with number `fatal`
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0
        def watch(event, arguments):
            nonlocal seen
            if event in ("open", "os.rename") and str(arguments[0]).startswith(out):
                seen += 1
                if seen == fatal:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(watch)
        main([*sys.argv[1:], "--out", out])
        os.write(writer, str(seen).encode())
        os._exit(0)
    os.close(writer)
    status = os.waitpid(child, 0)[1]
    return status, int(os.read(reader, 20) or 0)

whole, events = attempt(os.path.abspath("whole"))
draw = random.Random(0)
moments = [draw.randint(1, events // 6) for _ in range(5)]
killed = [attempt(os.path.abspath("killed"), moment)[0] for moment in moments]
print(json.dumps([whole, events, killed, attempt(os.path.abspath("killed"))[0]]))
"""


@pytest.mark.slow
def test_same_bytes_after_kill_9(street: Path, tmp_path: Path) -> None:
    size = ["--size", "48", "64", "--inference-steps", "2"]
    few = ["--limit-clips", "1", "--workers", "0", "--device", "cpu"]
    command = [sys.executable, "-c", KILLED, "generate", "--dataset", "folder", "--root", str(street), *size, *few]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    whole, events, killed, last = json.loads(done.stdout.splitlines()[-1])
    assert events > 40
    assert killed == [9] * 5
    assert whole == last == 0
    assert tree_hash(tmp_path / "killed") == tree_hash(tmp_path / "whole")


@pytest.mark.usefixtures("quick")
def test_matched_normals_lie_beside_their_items(ask: Ask, made: Path, tmp_path: Path) -> None:
    generate(ask(tmp_path / "pa", kinds=("spatial",), limit_clips=1, matched=True, inference_steps=1))
    pseudo = open_pa_folder(tmp_path / "pa")
    matched, normal = pseudo.matched("train_a"), pseudo.prepared.frames("train_a")
    mask = unpack(read_array(tmp_path / "pa/spatial_mask/train_a.npy"), pseudo.prepared.size[1])
    assert not (matched != normal).any(axis=3)[~mask].any()
    assert (matched != normal).any(axis=3)[mask].mean() > 0.3
    assert "spatial_matched/train_a.npy" in pseudo.folder.items["spatial/train_a"]["files"]
    with pytest.raises(PagenError, match=r"found none; make a set of such: `pagen generate .* --matched"):
        open_pa_folder(made).matched("train_a")


@pytest.mark.usefixtures("quick")
def test_lambda_and_place_of_each_frame(ask: Ask, tmp_path: Path) -> None:
    changes = {"lambda_per": "frame", "place_per": "frame", "lambda_max": 0.5}
    generate(ask(tmp_path / "pa", kinds=("temporal",), limit_clips=1, **changes))
    records = open_pa_folder(tmp_path / "pa").records("temporal", "train_a")
    assert [len(record["lambda"]) for record in records] == [record["frames"] for record in records]
    assert all(0 <= weight <= 0.5 for record in records for weight in record["lambda"])
    assert len({tuple(place) for record in records for place in record["place"]}) > 10


@pytest.mark.usefixtures("quick")
def test_another_seed_changes_every_kind(ask: Ask, made: Path, tmp_path: Path) -> None:
    generate(ask(tmp_path / "pa", seed=1, limit_clips=1))
    for kind, end in (("spatial", "npy"), ("temporal", "npy"), ("skip", "jsonl"), ("patch", "jsonl")):
        file = f"{kind}/train_a.{end}"
        assert (tmp_path / "pa" / file).read_bytes() != (made / file).read_bytes()
        assert [path.name for path in (tmp_path / "pa" / kind).glob(f"*.{end}")] == [f"train_a.{end}"]


@pytest.mark.usefixtures("quick")
def test_the_order_of_kinds_does_not_matter(ask: Ask, made: Path, tmp_path: Path) -> None:
    out = tmp_path / "pa"
    summary = generate(ask(out, kinds=("patch", "skip")))
    assert folders(out) == {"manifest.json", "gallery.png", "gallery.html", "skip", "patch"}
    assert list(summary["kinds"]) == ["skip", "patch"]
    for file in ("skip/train_a.jsonl", "patch/train_c.jsonl"):
        assert (out / file).read_bytes() == (made / file).read_bytes()
    before = tree_hash(out)
    generate(ask(out, kinds=("skip", "patch")))
    assert tree_hash(out) == before


@pytest.mark.usefixtures("quick")
def test_the_same_command_mends_and_another_is_refused(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "pa"
    generate(ask(out, **LIGHT))
    before = tree_hash(out)
    for file in ("skip/train_b.jsonl", "gallery.png", "gallery.html"):
        (out / file).unlink()
    (out / "patch/.tmp-1-train_a.jsonl").write_text("half a li")
    generate(ask(out, **LIGHT))
    assert tree_hash(out) == before
    with pytest.raises(PagenError, match="seed 0 there, 1 asked; give another --out, or remove it"):
        generate(ask(out, **LIGHT, seed=1))
    assert tree_hash(out) == before
    generate(ask(out, **LIGHT, seed=1, overwrite=True))
    assert tree_hash(out) != before
    generate(ask(out, **LIGHT, overwrite=True))
    assert tree_hash(out) == before


def test_a_set_that_is_not_finished_is_not_opened(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    def interrupted(pseudo: PASet, path: Path) -> None:
        raise KeyboardInterrupt

    config = ask(tmp_path / "pa", **LIGHT)
    with monkeypatch.context() as patch:
        patch.setattr("pagen.generate.pa_folder.gallery", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate(config)
    with pytest.raises(PagenError, match="is not finished; run the command that makes it again"):
        open_pa_set(tmp_path / "pa")
    generate(config)
    assert len(open_pa_set(tmp_path / "pa", ["skip"])) == 46


@pytest.mark.parametrize(
    ("kind", "length", "least"),
    [("spatial", 41, 41), ("temporal", 40, 41), ("skip", 22, 43), ("patch", 41, 41)],
)
def test_clips_that_are_too_short(ask: Ask, tmp_path: Path, kind: str, length: int, least: int) -> None:
    expected = f"at least {least} frames for {kind} pseudo-anomalies, the longest has 40; give longer clips"
    with pytest.raises(PagenError, match=expected):
        generate(ask(tmp_path / "pa", kinds=(kind,), length=length))
    assert not (tmp_path / "pa").exists()


@pytest.mark.usefixtures("quick")
def test_one_frame_less_is_enough(ask: Ask, tmp_path: Path) -> None:
    for kind, length, unit in (("temporal", 39, "flow maps"), ("skip", 20, "clips"), ("patch", 40, "clips")):
        summary = generate(ask(tmp_path / kind, kinds=(kind,), length=length))
        count, found, _ = summary["kinds"][kind]
        assert (count, found) == ({"temporal": 39, "skip": 21, "patch": 1}[kind], unit)


def test_no_training_clips(ask: Ask, street: Path, tmp_path: Path) -> None:
    (tmp_path / "footage").mkdir()
    (tmp_path / "footage/testing").symlink_to(street / "training")
    with pytest.raises(PagenError, match=r"expected training clips in folder \(.*footage\), found none; .* give some"):
        generate(ask(tmp_path / "pa", root=tmp_path / "footage"))
    assert not (tmp_path / "pa").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": ()}, "expected at least one of --kinds"),
        ({"length": 1}, "--length of 2 and more"),
        ({"size": (15, 40)}, "--size of 16 and more"),
        ({"limit_clips": 0}, "--limit-clips of 1 and more"),
        *(({"lambda_max": value}, "--lambda-max from 0.001 to 1") for value in (0, 1e-9, 1.1, float("nan"))),
        ({"max_size": 0}, r"--max-size in \(0, 1\]"),
        ({"max_size": 1.1}, r"--max-size in \(0, 1\]"),
        ({"max_move": -1}, "--max-move from 0"),
        ({"strides": ()}, "--strides of 2 and more"),
        ({"strides": (2, 1)}, "--strides of 2 and more"),
        ({"inference_steps": 0}, "--inference-steps and --batch of 1 and more"),
        ({"inference_steps": 1001}, "--inference-steps of at most 1000 for this inpainter, found 1001"),
        ({"batch": 0}, "--inference-steps and --batch of 1 and more"),
        ({"feather": -1}, "--feather of 0 and more"),
        ({"kinds": ("skip", "patch", "skip")}, "each of --kinds once, found skip patch skip"),
        ({"masks": "moton"}, "did you mean 'motion'"),
        ({"masks": "random:thick256"}, "did you mean 'thick_256'"),
        ({"inpainter": "tella"}, "did you mean 'telea'"),
        ({"flow": "diss"}, "did you mean 'dis'"),
        ({"patch": "smoothmix"}, "no patch mask named 'smoothmix'; did you mean 'smoothmix_"),
        ({"intruders": "picture"}, "no source of intruders named 'picture'; did you mean 'pictures'"),
        ({"intruders": "clips:train_a"}, "intruders 'clips' without an option"),
        ({"intruders": "folder"}, "expected intruders 'folder:DIR'"),
        ({"intruders": "folder:/nowhere"}, "found 'folder:/nowhere'"),
        ({"workers": -1, **LIGHT}, "--workers of 0 and more"),
    ],
)
def test_what_is_asked_for_in_vain(ask: Ask, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        generate(ask(tmp_path / "pa", **changes))
    assert not (tmp_path / "pa").exists()


def test_an_unknown_data_set(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="did you mean 'street'"):
        generate(Generate("stret", out=tmp_path))


def test_the_verb_says_what_it_made(
    made: Path, street: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--size", "48", "64", "--inference-steps", "2", "--out", str(made)]
    command = ["generate", "--dataset", "folder", "--root", str(street), *asked]
    before = tree_hash(made)
    main([*command, "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary["path"] == str(made)
    assert summary["gallery"] == str(made / "gallery.png")
    assert summary["kinds"]["spatial"] == [96, "frames", "bundled, motion masks"]
    assert summary["kinds"]["temporal"] == [93, "flow maps", "dis, silhouette, motion masks"]
    assert summary["kinds"]["skip"] == [46, "clips", "strides 2 3 4 5"]
    assert summary["kinds"]["patch"] == [51, "clips", "pictures, smoothmix_s masks"]
    main(command)
    shown = capsys.readouterr().out
    assert "folder: 4 clips, 108 frames, grey, prepared at 48x64" in shown
    assert f"look at {made / 'gallery.png'}" in shown
    assert tree_hash(made) == before
    with pytest.raises(SystemExit) as left:
        main([*command, "--seed", "2"])
    assert left.value.code == 2
    assert "seed 0 there, 2 asked" in capsys.readouterr().err


def test_the_set_is_a_folder_of_its_inputs(made: Path, prepared: Prepared, pseudo: PASet) -> None:
    folder = Folder.open(made, "pa_set")
    assert folder.inputs == {"prepared": prepared.fingerprint(), "flow": f"cv-{cv2.__version__}"}
    assert folder.volatile == {"prepared": str(prepared.path)}
    assert not {"root", "workers", "device", "out", "overwrite", "json"} & folder.config.keys()
    assert folder.config["strides"] == [2, 3, 4, 5]
    assert pseudo.kinds == list(PSEUDO_KINDS)
