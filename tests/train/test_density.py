from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.scores import score_run
from pagen.features.open import open_source
from pagen.features.spec import spec_of
from pagen.footage.prepare import Prepared, prepare
from pagen.models.density.detector import Rows
from pagen.models.density.noise_perceptron import drawn
from pagen.models.density.standard import Standard
from pagen.models.runs import open_run
from pagen.scoring.density import highest
from pagen.scoring.row_scores import row_scores
from pagen.scoring.stream import open_streamer
from pagen.seeds import torch_generator
from pagen.train import loop
from pagen.train.config import Train
from pagen.train.density_batches import DensityBatches
from pagen.train.recipes.density import GmmRecipe, KnnRecipe, MsmaRecipe, MuldeRecipe
from pagen.train.recipes.gcl import GclRecipe
from pagen.train.session import train

pytestmark = pytest.mark.slow

SIZE = (48, 64)


@pytest.fixture(scope="module")
def boxes(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two boxes a frame, a third in the second clip; none in frames 5 and 6 of any clip."""
    path = tmp_path_factory.mktemp("boxes") / "boxes.json"
    found = {}
    for number, name in enumerate(prepared.clips()):
        frames = [frame for frame in range(prepared.length(name)) if frame not in (5, 6)]
        rows = [[frame, 4 + frame % 9, 6, 20 + frame % 9, 40] for frame in frames]
        rows += [[frame, 30, 10 + frame % 5, 44, 38 + frame % 5] for frame in frames]
        rows += [[frame, 2, 2, 12, 22] for frame in frames if number == 1]
        found[name] = sorted(rows)
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@pytest.fixture
def learn(street: Path, tmp_path: Path) -> Callable[..., Path]:
    """Train a recipe at tiny scale."""

    def make(recipe: Any, dataset: str = "folder", out: str = "run", **changes: Any) -> Path:
        how = {"device": "cpu", "workers": 0, **changes}
        train(Train(recipe, dataset, street, None, "tiny", 0, tmp_path / out, **how))
        return tmp_path / out

    return make


def objects(kind: Any, boxes: Path, **changes: Any) -> Any:
    return replace(kind.at("tiny"), boxes=f"file:{boxes}", size=SIZE, **changes)


def test_a_sample_is_a_row_of_what_its_step_draws() -> None:
    values = np.random.default_rng(0).normal(3, 2, (40, 5)).astype(np.float32)
    rows, recipe = Rows((values[:15], values[15:])), replace(MuldeRecipe.at("tiny"), features="lite0", batch=8, steps=4)
    batches = DensityBatches(recipe, rows, Standard.of(rows), seed=3)
    for step in (2, 0, 1):
        expected = drawn(rows, batches.standard, 8, recipe.sigmas, torch_generator(3, "noise", step))
        for place in (7, 0):
            sample = batches.sample(8 * step + place)
            for name, each in zip(("x", "sigma", "noise"), expected, strict=True):
                np.testing.assert_array_equal(sample[name], each[place].numpy())
    assert (batches.steps, replace(batches, recipe=replace(recipe, steps=0)).steps) == (4, 5)


def test_objects_are_one_recipe_a_kind() -> None:
    recipe = replace(KnnRecipe(), kinds=("velocity", "tube:runs/x"), bins=4, boxes="file:b.json")
    assert list(recipe.members) == ["velocity", "tube"]
    velocity, tube = (each.spec for each in recipe.members.values())
    assert (velocity.of, velocity.bins, velocity.boxes) == ("velocity", 4, "file:b.json")
    assert (tube.of, tube.option, tube.bins) == ("tube:runs/x", "runs/x", 8)
    assert replace(KnnRecipe(), features="lite0", size=(64, 80)).spec.size == (64, 80)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": ()}, "--kinds of objects, each name once, found none"),
        ({"kinds": ("deep", "deep")}, "--kinds of objects, each name once, found deep deep"),
        ({"kinds": ("speed",)}, "no features named 'speed'"),
        ({"features": "lite0", "bins": 4}, "no --bins with features lite0"),
        ({"features": "lite1"}, "no features named 'lite1'; did you mean 'lite0'"),
        ({"boxes": "moving"}, "no kind of boxes named 'moving'; did you mean 'motion'"),
    ],
)
def test_features_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        replace(GmmRecipe(), **changes)


@pytest.mark.parametrize("features", ["objects", "velocity", "locations:runs/x"])
def test_segments_are_of_whole_frames(features: str) -> None:
    with pytest.raises(PagenError, match=f"--features of whole frames for gcl, found {features}"):
        replace(GclRecipe(), features=features, pool=1)


def test_pseudo_anomalies_have_no_say() -> None:
    with pytest.raises(PagenError, match="--validate none for mulde"):
        Train(MuldeRecipe(), "ped2", validate="pseudo")


def test_a_frame_gets_the_highest_score_of_what_it_shows() -> None:
    scores, frames = np.array([1.0, 5.0, 2.0, -3.0]), np.array([0, 0, 2, 3])
    np.testing.assert_array_equal(highest(scores, frames, 5, -7.0), [5, -7, 2, -3, -7])


def test_a_run_over_objects_scores_every_frame(
    learn: Callable[..., Path], boxes: Path, street: Path, tmp_path: Path
) -> None:
    run = learn(objects(MuldeRecipe, boxes, kinds=("velocity", "deep"), side=32))
    opened = open_run(run)
    assert (opened.recipe["members"], opened.recipe["fused"]) == (["velocity", "deep"], ["velocity", "deep"])
    scores = score_run(run, "folder", Compute(street, "cpu", 0), "last", tmp_path / "scores")
    assert scores.indicators() == ["deep", "velocity"]
    (clip,) = scores.clips
    for name, single in opened.members.items():
        (values,) = scores.of(name).values()
        detector: Any = single.detector
        rows = row_scores(single, "folder", [clip], Compute(street, "cpu", 0))
        one_by_one = detector.anomaly_score(np.array(rows.features.features(clip)))
        frames = rows.features.frames(clip)
        slow = [max(one_by_one[frames == frame], default=single.calibration[name]["p0"]) for frame in range(48)]
        np.testing.assert_allclose(values, slow, rtol=1e-5)
        assert values[5] == values[6] == single.calibration[name]["p0"]
        assert single.calibration[name]["count"] == 3 * 48
        assert single.calibration[name]["object_count"] == 2 * 3 * 46 + 46
        assert rows.ahead is scores.ahead is None  # boxes of a file
    again = score_run(run, "folder", Compute(street, "cpu", 0), "window")
    assert (again.path.name, again.of("deep").keys()) == ("last", scores.of("deep").keys())


def test_nearest_neighbours_leave_their_own_clip_out(learn: Callable[..., Path], boxes: Path, street: Path) -> None:
    run: Any = open_run(learn(objects(KnnRecipe, boxes, features="velocity")))
    known, detector = run.calibration["velocity"], run.detector
    assert known["p50"] > 0
    source = open_source(spec_of(run.recipe), "folder", Compute(street, "cpu", 0))
    scores = detector.training_score([source(clip).vectors for clip in source.prepared.clips("train")])
    assert known["object_p0"] == pytest.approx(scores.min())
    assert known["object_p99.9"] == pytest.approx(np.percentile(scores, 99.9))
    assert known["object_p100"] == pytest.approx(scores.max()) == known["p100"]
    assert known["object_p50"] < known["p50"]
    assert type(run.detector).__name__ == "Neighbours"
    with pytest.raises(PagenError, match="expected a run of a network"):
        run.network  # noqa: B018


class Stopped(Exception):  # noqa: N818  # what stands for a kill
    pass


@pytest.mark.parametrize("kind", [MuldeRecipe, MsmaRecipe])
def test_training_goes_on_where_it_was_stopped(
    kind: Any, learn: Callable[..., Path], boxes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = objects(kind, boxes, features="velocity")
    whole, step = learn(recipe, out="whole"), loop.train_step

    def stopping(*given: Any) -> Any:
        if given[-1] == 14:
            raise Stopped
        return step(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", stopping)
        with pytest.raises(Stopped):
            learn(recipe, out="part")
    part = learn(recipe, out="part")
    for name in ("model/model.safetensors", "metrics.csv", "calibration.json"):
        assert (part / name).read_bytes() == (whole / name).read_bytes()


def test_the_same_seed_gives_the_same_bytes(learn: Callable[..., Path], boxes: Path) -> None:
    recipe = objects(GmmRecipe, boxes, features="velocity")
    one, two = (learn(recipe, out=out) / "model/model.safetensors" for out in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("kind", [KnnRecipe, MuldeRecipe])
def test_a_camera_is_watched_by_what_scored_the_clips(
    kind: Any, learn: Callable[..., Path], tiny: Callable[..., Any], street: Path, tmp_path: Path
) -> None:
    encoder = tiny("discriminator").encoder
    run = learn(replace(kind.at("tiny"), features=encoder, size=SIZE, pool=3))
    scores = score_run(run, "folder", Compute(street, "cpu", 0), "last", tmp_path / "scores")
    ((clip, values),) = scores.of("density").items()
    streamer = open_streamer(str(run), device="cpu")
    found = [streamer(frame[..., 0]).value for frame in prepare("folder", street, None, workers=0).frames(clip)]
    np.testing.assert_allclose(found, values, rtol=1e-3)
    assert streamer.indicator == "density"


def test_boxes_of_a_file_are_of_no_camera(learn: Callable[..., Path], boxes: Path) -> None:
    streamer = open_streamer(str(learn(objects(GmmRecipe, boxes, features="velocity"))), device="cpu")
    with pytest.raises(PagenError, match="boxes"):
        streamer(np.zeros((48, 64), np.uint8))


def test_footage_on_which_nothing_moves_has_no_objects_to_learn(tmp_path: Path) -> None:
    for clip in ("training/a", "training/b", "testing/x"):
        (tmp_path / clip).mkdir(parents=True)
        for index in range(6):
            Image.new("L", (64, 48), 90).save(tmp_path / clip / f"{index}.png")
    recipe = replace(KnnRecipe.at("tiny"), features="velocity")
    message = "velocity features of the training clips of folder, found none in boxes by motion; take other --boxes"
    with pytest.raises(PagenError, match=message):
        train(Train(recipe, "folder", tmp_path, None, "tiny", 0, tmp_path / "run", device="cpu", workers=0))
    assert not (tmp_path / "run").exists()
