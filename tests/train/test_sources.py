"""What a training over features needs is looked for before anything is made, and advice works when it is typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import pytest

from pagen.cli import main
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.maps import detections_of, scored_parts
from pagen.eval.scores import score_run
from pagen.features.kinds import FEATURES
from pagen.features.spec import FeatureSpec, spec_of
from pagen.models.runs import open_run
from pagen.options import Scale
from pagen.scoring.over_density import OverDensity
from pagen.scoring.stream import open_streamer
from pagen.train.config import Train, identity_of
from pagen.train.recipes.density import AcciVadRecipe, GmmRecipe, KnnRecipe, MsmaRecipe, MuldeRecipe
from pagen.train.recipes.gcl import GclRecipe
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train
from pagen.train.train import parse

MISSING = {
    "velocity": ({"boxes": "file:none.npz"}, "found no file 'none.npz'"),
    "velocity ": ({"flow": "file:none"}, "none"),
    "deep": ({"encoder": "clip:none/here/it/is"}, "none/here"),
    "deep ": ({"encoder": "vificlip:none"}, "none"),
    "pose": ({}, "expected poses for pose, found none with boxes 'motion'"),
    "pose ": ({"poses": "vitpose:none/here/it/is"}, "none/here"),
    "pose  ": ({"poses": "file:none.npz"}, "found no file 'none.npz'"),
    "tube:none": ({}, "expected a run folder of pagen at .*none"),
    "latents:none": ({}, "expected a run folder of pagen at none"),
    "locations:none": ({}, "expected a run folder of pagen at none"),
    "hiera:none/here/it/is": ({}, "none/here"),
    "clip:none/here/it/is": ({}, "none/here"),
    "vificlip:none": ({}, "none"),
    "lite0:none": ({}, "none"),
    "file:none": ({}, r"expected a folder of \.npy or \.npz files, one a clip, at .*none"),
    "velocity+pose": ({}, "expected poses for pose, found none with boxes 'motion'"),
}
"""Features whose sources are not there (a space tells several of a kind apart)."""

RATES = [(name, 5e-4) for name in ("objects", "velocity", "velocity+deep", "locations:r")]
RATES += [(name, 1e-4) for name in ("latents:r", "lite0", "hiera:m", "file:d")]


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a cache of its own."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def made_below(top: Path) -> list[Path]:
    return [path for path in top.rglob("*") if path.is_file()]


def test_every_kind_has_its_missing_source() -> None:
    kinds = {name.partition(":")[0].strip() for name in MISSING}
    assert {name for name in FEATURES.names() if FEATURES[name].decoded} - kinds == set()


@pytest.mark.parametrize("features", MISSING)
def test_what_cannot_end_is_refused_before_it_begins(features: str, nothing: Path) -> None:
    changes, message = MISSING[features]
    recipe = replace(KnnRecipe.at("tiny"), features=features.strip(), **changes)
    with pytest.raises(PagenError, match=message) as caught:
        train(Train(recipe, "street", out=nothing / "run", device="cpu", workers=0))
    assert "\n" not in str(caught.value)
    assert made_below(nothing) == []


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("temporal", {"flow": "file:none"}, "none"),
        ("discriminator", {"encoder": "vificlip:none"}, "none"),
        ("unified", {"encoder": "clip:none/here/it/is"}, "none/here"),
    ],
)
def test_networks_look_for_their_sources_too(name: str, changes: dict[str, Any], message: str, nothing: Path) -> None:
    recipe: Any = RECIPES[name].at("tiny")
    if name == "unified":
        recipe = replace(recipe, discriminator=replace(recipe.discriminator, **changes))
    else:
        recipe = replace(recipe, **changes)
    with pytest.raises(PagenError, match=message):
        train(Train(recipe, "street", out=nothing / "run", device="cpu", workers=0))
    assert made_below(nothing) == []


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["train", *words])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["accivad", "mulde", "msma"])
def test_the_papers_kinds_are_refused_at_once_without_poses(
    recipe: str, nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (recipe, "--dataset", "street", "--scale", "paper", "--device", "cpu")
    line = said(capsys, *words)
    assert line.startswith("pagen: expected poses for pose, found none with boxes 'motion'; give --poses file:PATH or ")
    assert made_below(nothing) == []
    advice = re.search(r"by (--kinds [a-z ]+)\)", line)
    assert advice is not None
    config = parse([*words, *advice.group(1).split()])
    for part in config.recipe.parts.values():
        part.check_sources("cpu")
    for poses in ("file:there.npz", "vitpose:there"):  # the other advice, as it is typed
        assert parse([*words, "--poses", poses]).recipe.members["pose"].spec.poses == poses


@pytest.mark.parametrize("scale", ["cpu", "tiny"])
@pytest.mark.parametrize("kind", [AcciVadRecipe, MuldeRecipe, MsmaRecipe, KnnRecipe, GmmRecipe])
def test_by_default_kinds_are_what_can_be_made(kind: Any, scale: Scale) -> None:
    recipe = kind.at(scale)
    assert list(recipe.members) == ["velocity", "deep"]
    for part in recipe.parts.values():
        part.check_sources("cpu")


def test_accivad_takes_the_poses_that_are_named(file: Path) -> None:
    recipe = AcciVadRecipe.at("cpu")
    for changes in ({"boxes": f"file:{file}"}, {"poses": "vitpose:there"}):
        assert list(replace(recipe, **changes).members) == ["velocity", "pose", "deep"]
    assert list(replace(recipe, boxes="file:there.json").members) == ["velocity", "deep"]
    assert list(replace(recipe, boxes=f"file:{file}", kinds=("deep",)).members) == ["deep"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two boxes and a pose a frame of every clip of the street of these tests."""
    here: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for split, name, count in (("training", "train", 3), ("testing", "test", 1)):
        frames = 48 * count
        boxes = np.tile(np.array([[4, 6, 20, 40], [30, 10, 44, 38]], np.float32), (frames, 1))
        here |= {f"{split}_clips": np.array([f"{name}_{clip + 1:02}" for clip in range(count)])}
        here |= {f"{split}_clip_frames": np.full(count, 48), f"{split}_boxes": boxes}
        here |= {f"{split}_box_offsets": np.arange(frames + 1) * 2, f"{split}_pose_offsets": np.arange(frames + 1)}
        here |= {f"{split}_poses": rng.normal(9, 3, (frames, 6)).astype(np.float32)}
    np.savez(tmp_path / "objects.npz", **here)
    return tmp_path / "objects.npz"


def of_others(file: Path, top: Path) -> dict[str, tuple[str, str, str]]:
    """What files about other clips can be: the recipe, its flags, and what is said."""
    arrays = dict(np.load(file))
    np.savez(top / "large.npz", **{**arrays, "training_boxes": arrays["training_boxes"] * 9})
    np.savez(top / "names.npz", **{**arrays, "training_clips": np.array(["a", "b", "c"])})
    for name, maps in (("few", [9, 9, 9]), ("missing", [47, 47])):
        (top / name).mkdir()
        for clip, count in enumerate(maps, 1):
            np.save(top / name / f"train_train_{clip:02}.npy", np.zeros((count, 2, 4, 4), np.float32))
    of_clip, poses = f"--boxes file:{file}", "expected poses of clip train_train_01"
    return {
        "boxes outside": ("knn", f"--boxes file:{top}/large.npz", "inside 64x48 pixels (clip train_train_01)"),
        "boxes of others": ("mulde", f"--boxes file:{top}/names.npz", "expected boxes of clip train_train_01 in"),
        "poses of others": ("accivad", f"{of_clip} --poses file:{top}/names.npz", poses),
        "poses alone": ("knn", f"--features pose --poses file:{top}/names.npz", poses),
        "flow of objects": ("gmm", f"--kinds velocity --flow file:{top}/few", "expected floats (47, 2, H, W) in"),
        "joined": ("gmm", f"--features velocity+deep --flow file:{top}/missing", "expected the flow of clip"),
        "flow": ("temporal", f"--flow file:{top}/few --pseudo none", "expected floats (47, 2, H, W) in"),
        "flow nowhere": ("temporal", "--flow file:nowhere --pseudo none", "expected a folder of flow files CLIP.npy"),
    }  # fmt: skip


OTHERS = (
    "boxes outside", "boxes of others", "poses of others", "poses alone", "flow of objects", "joined", "flow",
    "flow nowhere",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHERS)
def test_files_about_other_clips_are_refused_before_anything_is_made(
    case: str, file: Path, street: Path, nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = of_others(file, nothing)
    assert tuple(cases) == OTHERS
    recipe, words, message = cases[case]
    common = ["--dataset", "folder", "--root", str(street), "--scale", "tiny", "--workers", "0", "--device", "cpu"]
    line = said(capsys, recipe, *words.split(), *common, "--out", "run")
    assert message in line
    assert line.count("\n") == 1 or line.startswith("look at")
    assert "pagen generate" not in line  # which would be refused, too
    assert {path.name.partition("-")[2][:7] for path in (nothing / "cache").glob("*")} <= {"", "outline"}
    assert not Path("run").exists()


@pytest.mark.slow
def test_neighbours_of_one_clip_are_refused_before_anything_is_made(
    street: Path, nothing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copytree(street, nothing / "one")
    for clip in sorted((nothing / "one/training").iterdir())[1:]:
        rmtree(clip)
    for recipe in ("knn", "accivad"):
        line = said(capsys, recipe, "--dataset", "folder", "--root", str(nothing / "one"), "--out", "run")
        assert line == "pagen: expected 2 training clips and more in folder, found 1; give more footage\n"
    assert not (nothing / "cache").exists()


def test_poses_that_no_flag_names_are_told_without_torch(nothing: Path) -> None:
    code = "import sys; from pagen.cli import main\ntry: main(sys.argv[1:])\nfinally: print('torch' in sys.modules)"
    words = ["train", "accivad", "--dataset", "street", "--scale", "paper"]
    done = subprocess.run([sys.executable, "-P", "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n"
    assert done.stderr.startswith("pagen: expected poses for pose, found none")


@pytest.mark.slow
def test_pose_deep_and_velocity_are_trained_together(file: Path, street: Path, tmp_path: Path) -> None:
    kinds = ("velocity", "pose", "deep")
    recipe = replace(AcciVadRecipe.at("tiny"), size=(48, 64), side=32, boxes=f"file:{file}")
    how: dict[str, Any] = {"device": "cpu", "workers": 0, "out": tmp_path / "run"}
    train(Train(recipe, "folder", street, **how))
    run = open_run(tmp_path / "run")
    assert (list(run.members), run.members["deep"].recipe["encoder"]) == ([*kinds], "lite0:imagenet")
    scores = score_run(tmp_path / "run", "folder", Compute(street, "cpu", 0))
    assert scores.indicators() == ["deep", "pose", "velocity"]


def test_networks_see_crops_and_find_poses_at_once() -> None:
    kinds = ("velocity", "pose", "deep")
    recipe = replace(AcciVadRecipe(), kinds=kinds, encoder="clip:there", poses="vitpose:there")
    specs = {name: part.spec for name, part in recipe.members.items()}
    assert (specs["deep"].encoder, specs["pose"].poses) == ("clip:there", "vitpose:there")
    assert specs["velocity"].poses == "file"


def test_runs_of_poses_by_a_model_open_as_they_were_written() -> None:
    old = {"features": "pose", "encoder": "vitpose:there", "boxes": "motion", "colour": False, "raw_poses": False}
    assert spec_of(old) == FeatureSpec("pose", poses="vitpose:there")
    assert spec_of({**old, "encoder": "lite0:imagenet", "boxes": "file:b.npz"}).poses == "file"


def test_runs_remember_no_option_that_they_did_not_have() -> None:
    about = identity_of(Train(replace(KnnRecipe(), features="velocity"), "ped2"))
    assert {"poses", "snippet", "window"} & about.keys() == set()
    assert (
        identity_of(Train(replace(KnnRecipe(), features="pose", poses="file:p.npz"), "ped2"))["poses"] == "file:p.npz"
    )


@pytest.mark.parametrize(
    ("kinds", "changes", "message"),
    [
        (("tube:a", "tube:b"), {}, "--kinds of objects, each name once, found tube:a tube:b; train a run of each"),
        (("velocity", "lite0"), {}, "--kinds of objects, found lite0; give it alone, by --features"),
        (("velocity", "locations:r"), {}, "--kinds of objects, found locations:r"),
        (("velocity:foo",), {}, "expected features 'velocity', which take nothing more, found 'velocity:foo'"),
        (("deep:foo",), {}, "expected features 'deep', which take nothing more"),
        (("pose:foo",), {}, "expected features 'pose', which take nothing more"),
        (("tube",), {}, "expected features 'tube:RUN', found 'tube'; name the RUN"),
        (("velocity", "deep"), {"poses": "vitpose:m"}, "no --poses with --kinds velocity deep, found vitpose:m"),
        (("deep",), {"by_height": True}, "no --by-height with --kinds deep, found True"),
    ],
)
def test_kinds_that_would_be_lost_are_refused(kinds: tuple[str, ...], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        replace(KnnRecipe(), kinds=kinds, **changes)


@pytest.mark.parametrize("features", ["latents:RUN", "hiera:M", "file:DIR", "lite0"])
def test_a_recipes_own_default_is_never_refused(features: str) -> None:
    recipe = replace(GclRecipe(), features=features)
    assert (recipe.spec.segment, recipe.spec.pool) == (16, 1)
    if features != "lite0":
        with pytest.raises(PagenError, match="expected no --pool with features"):
            replace(GclRecipe(), features=features, pool=8)


@pytest.mark.parametrize("recipe", ["mulde", "msma"])
@pytest.mark.parametrize(("features", "rate"), RATES)
def test_the_papers_learning_rate_is_that_of_the_features(recipe: str, features: str, rate: float) -> None:
    words = [recipe, "--dataset", "ped2", "--features", features, "--scale"]
    paper, small = (parse([*words, scale]) for scale in ("paper", "cpu"))
    for part in paper.recipe.parts.values():
        assert part.rate == part.detector(0, "cpu").lr == part.settings["lr"] == rate
    assert {part.rate for part in small.recipe.parts.values()} == {5e-4}
    assert parse([*words, "paper", "--lr", "0.003"]).recipe.rate == 0.003
    if features != "objects":
        assert identity_of(paper)["lr"] == rate
    with pytest.raises(PagenError, match="--lr above 0"):
        replace(paper.recipe, lr=-1.0)


def vectors(street: Path, out: Path, snippet: int = 1, width: int = 5) -> Path:
    """A file of vectors for every clip of the street, of one a snippet."""
    rng = np.random.default_rng(0)
    for split in ("training", "testing"):
        (out / split).mkdir(parents=True)
        for clip in (street / split).iterdir():
            count = -(-len(list(clip.iterdir())) // snippet)
            np.save(out / split / f"{clip.name}.npy", rng.normal(size=(count, width)).astype(np.float32))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("kind", [KnnRecipe, GmmRecipe, MuldeRecipe, MsmaRecipe])
def test_a_run_over_files_scores_every_frame_by_its_snippet(
    kind: Any, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    folder = vectors(street, tmp_path / "vectors", snippet=7, width=3)
    recipe = replace(kind.at("tiny"), features=f"file:{folder}", snippet=7)
    train(Train(recipe, "folder", street, out=tmp_path / "run", device="cpu", workers=0))
    scores = score_run(tmp_path / "run", "folder", Compute(street, "cpu", 0))
    ((clip, values),) = scores.of("density").items()
    detector: Any = open_run(tmp_path / "run").detector
    by_row = detector.anomaly_score(np.load(next((folder / "testing").iterdir())))
    np.testing.assert_allclose(values, by_row[np.arange(48) // 7], rtol=1e-6)
    assert scores.labels[clip].shape == (48,)
    assert open_run(tmp_path / "run").calibration["density"]["count"] == 3 * 48
    assert not list((tmp_path / "cache").glob("*/clips"))  # no frame was decoded
    streamer = open_streamer(str(tmp_path / "run"), device="cpu")
    with pytest.raises(PagenError, match="expected features that can be computed in a stream"):
        streamer(np.zeros((48, 64), np.uint8))


@pytest.mark.slow
def test_changed_files_are_noticed_by_a_run(street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vectors(street, tmp_path / "vectors")
    words = ["knn", "--dataset", "folder", "--root", str(street), "--features", f"file:{folder}", "--device", "cpu"]
    words += ["--workers", "0", "--out", str(tmp_path / "run")]
    main(["train", *words, "--json"])
    result = json.loads(capsys.readouterr().out)
    assert result == {"run": str(tmp_path / "run"), "features": f"file:{folder}"}
    file = next((folder / "training").iterdir())
    np.save(file, np.load(file) + 1)
    assert "was made otherwise: files " in said(capsys, *words)


@pytest.mark.slow
def test_a_joint_density_is_scored_like_any_other(file: Path, street: Path, tmp_path: Path) -> None:
    recipe = replace(GmmRecipe.at("tiny"), size=(48, 64), kinds=("velocity+pose", "velocity"), poses=f"file:{file}")
    clips = ("train_train_01", "train_train_02", "train_train_03", "test_test_01")
    names = {name: [[frame, 4, 6, 20, 40] for frame in range(48)] for name in clips}
    (tmp_path / "boxes.json").write_text(json.dumps(names), encoding="utf-8")
    recipe = replace(recipe, boxes=f"file:{tmp_path / 'boxes.json'}")
    train(Train(recipe, "folder", street, out=tmp_path / "run", device="cpu", workers=0))
    scores = score_run(tmp_path / "run", "folder", Compute(street, "cpu", 0))
    assert scores.indicators() == ["velocity", "velocity+pose"]
    assert scores.config["recipe"]["fused"] == ["velocity+pose", "velocity"]


@pytest.mark.slow
def test_boxes_of_files_say_where(street: Path, tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(0), tmp_path / "vectors"
    boxes = np.tile(np.array([[4, 6, 20, 40], [30, 10, 44, 38]], np.float32), (48, 1))
    for split in ("training", "testing"):
        (folder / split).mkdir(parents=True)
        for clip in (street / split).iterdir():
            about = {"frames": np.repeat(np.arange(48), 2), "boxes": boxes}
            np.savez(folder / split / f"{clip.name}.npz", features=rng.normal(size=(96, 3)), **about)
    recipe = replace(KnnRecipe.at("tiny"), features=f"file:{folder}")
    train(Train(recipe, "folder", street, out=tmp_path / "run", device="cpu", workers=0))
    ((_, scorer),) = scored_parts(tmp_path / "run", "folder", Compute(street, "cpu", 0))
    assert isinstance(scorer, OverDensity)
    assert scorer.of_objects
    (clip,) = scorer.prepared.clips("test")
    found, scores = detections_of([scorer], clip), scorer.rows.scores(clip)
    np.testing.assert_array_equal(found.boxes, boxes - [0, 0, 1, 1])
    np.testing.assert_array_equal(found.scores, scores)
    np.testing.assert_array_equal(scorer.scores(clip)["density"], scores.reshape(48, 2).max(axis=1))
