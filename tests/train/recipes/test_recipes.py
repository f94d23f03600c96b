from __future__ import annotations

import ast
import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import matplotlib.image
import numpy as np
import pytest
import torch

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.scores import score_run
from pagen.features import spec as feature_spec
from pagen.folders import Folder
from pagen.generate.config import Generate
from pagen.models.conv_ae import WIDTHS, ConvAE3d
from pagen.models.runs import open_run
from pagen.options import Scale
from pagen.train.config import Train
from pagen.train.inputs import open_inputs
from pagen.train.network_session import new_network
from pagen.train.recipes import table
from pagen.train.recipes.base import Recipe
from pagen.train.recipes.clips import ClipRecipe, FrameRecipe
from pagen.train.recipes.density import DensityRecipe
from pagen.train.recipes.lntra import SkipRecipe
from pagen.train.recipes.luss import LussRecipe
from pagen.train.recipes.memae import MemAERecipe
from pagen.train.recipes.plain import BaselineRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.recipes.unified import DiscriminatorRecipe, SpatialRecipe, TemporalRecipe
from pagen.train.session import train

NAN, INF = float("nan"), float("inf")
LNTRA = {"size": (256, 256), "window": 16, "widths": "paper", "lr": 1e-4, "schedule": "constant", "crop": 0, "steps": 0}
UNIFIED = {**LNTRA, "batch": 24, "epochs": 25}
SKIPPING = {**LNTRA, "batch": 4, "epochs": 60, "strides": (2, 3, 4, 5)}
RUNS = [name for name in recipe_names() if not issubclass(RECIPES[name], DensityRecipe)]
ALONE = [name for name in RUNS if name != "unified"]
CLIPS = [name for name in ALONE if issubclass(RECIPES[name], ClipRecipe)]
INDICATORS = {
    **{name: {"psnr", "psnr_local"} for name in ("baseline", "memae", "patch", "skip", "steal", "spatial")},
    "temporal": {"flow", "flow_local"},
    "discriminator": {"semantic"},
    "unified": {"psnr", "psnr_local", "flow", "flow_local", "semantic"},
    "luss": {"vcr", "vcr_local", "ffp", "ffp_local", "prp"},
}


@pytest.mark.parametrize(
    ("name", "published", "channels"),
    [
        ("baseline", {**LNTRA, "batch": 4, "epochs": 60, "probability": 0.0}, 1),
        ("skip", {**SKIPPING, "probability": 0.2}, 1),
        (
            "patch",
            {**LNTRA, "batch": 4, "probability": 0.2, "max_size": 0.5, "max_move": 10, "patch": "smoothmix_s"},
            1,
        ),
        ("steal", {**SKIPPING, "probability": 0.01}, 1),
        ("memae", {**LNTRA, "batch": 10, "epochs": 100, "memory": 2000, "entropy": 0.0002, "similarity": "dot"}, 1),
        ("luss", {**LNTRA, "batch": 16, "weights": (0.6, 0.4, 1.0), "accelerated": 0.5, "stride_per": "batch"}, 1),
        ("spatial", {**UNIFIED, "probability": 0.4}, 3),
        ("temporal", {**UNIFIED, "probability": 0.5, "encoding": "uvm", "flow": "tvl1"}, 3),
    ],
)
def test_paper_scale_is_what_was_published(name: str, published: dict[str, Any], channels: int) -> None:
    recipe = RECIPES[name].at("paper")
    assert recipe == RECIPES[name]()
    assert published.items() <= asdict(recipe).items()
    assert recipe.channels == channels


def test_the_discriminator_at_paper_scale_judges_windows_by_what_its_encoder_sees() -> None:
    recipe = DiscriminatorRecipe.at("paper")
    published = {"batch": 16, "epochs": 20, "lr": 0.02, "momentum": 0.9, "weight_decay": 1e-3, "colour": True}
    assert {**published, "pool": "mean", "view": "own"}.items() <= asdict(recipe).items()
    for scale in ("cpu", "tiny"):
        assert {"pool": "none", "view": "whole"}.items() <= asdict(DiscriminatorRecipe.at(scale)).items()


MADE_OF_FRAMES = [
    ({"patch": "cutmixx"}, "no patch mask named 'cutmixx'; did you mean 'cutmix'"),
    ({"intruders": "picture"}, "no source of intruders named 'picture'"),
    ({"intruders": "folder:nowhere"}, "expected intruders 'folder:DIR' with a folder of images"),
    ({"intruders": "folder"}, "expected intruders 'folder:DIR' with a folder of images"),
    ({"intruders": "clips:x"}, "expected intruders 'clips' without an option"),
    *(({"max_size": value}, "--max-size in") for value in (0.0, -0.5, 1.1, NAN, INF)),
    *(({"max_move": value}, "--max-move from 0") for value in (-1, 10**30)),
    *(({"strides": value}, "--strides of 2 and more") for value in ((), (1, 2), (-3,))),
    ({"kinds": ("skip", "skip")}, "each of --kinds once"),
]


@pytest.mark.parametrize(("changes", "message"), MADE_OF_FRAMES)
def test_what_frames_are_made_by_is_checked_alike_by_generate_and_by_every_recipe(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PagenError, match=message):
        Generate("street", **changes)
    for name in (name for name in CLIPS if issubclass(RECIPES[name], FrameRecipe)):
        with pytest.raises(PagenError, match=message):
            replace(RECIPES[name].at("tiny"), probability=0.5, **{"kinds": ("patch",), **changes})


@pytest.mark.parametrize("scale", get_args(Scale))
@pytest.mark.parametrize("name", CLIPS)
def test_every_recipe_exists_at_every_scale(name: str, scale: str) -> None:
    recipe: Any = RECIPES[name].at(scale)
    assert recipe.name == name
    assert recipe.probability == RECIPES[name]().probability
    with torch.device("meta"):
        network = ConvAE3d(recipe.channels, recipe.widths)
        sides = (recipe.crop, recipe.crop) if recipe.crop else recipe.size
        clips = torch.empty(1, recipe.channels, recipe.window, *sides)
        assert network(clips).shape == clips.shape
    assert list(recipe.scales) == list(get_args(Scale))


def test_scales_differ_in_size() -> None:
    for recipe in (RECIPES[name] for name in CLIPS):
        steps = [recipe.at(scale).steps * recipe.at(scale).epochs for scale in ("cpu", "tiny")]
        assert steps[0] > steps[1] > 0
        assert [recipe.at(scale).widths for scale in get_args(Scale)] == list(WIDTHS)


@pytest.mark.parametrize(
    ("recipe", "changes", "message"),
    [
        (BaselineRecipe, {"window": 12}, "--window to be a multiple of 8, found 12"),
        (BaselineRecipe, {"window": 0}, "--window to be a multiple of 8, found 0"),
        (BaselineRecipe, {"window": -8}, "--window to be a multiple of 8, found -8"),
        (
            BaselineRecipe,
            {"crop": 40},
            r"--crop to be a multiple of 16, or 0 for whole frames, within --size \(256, 256\), found 40",
        ),
        (BaselineRecipe, {"crop": -16}, "--crop to be a multiple of 16"),
        (BaselineRecipe, {"size": (48, 100), "crop": 64}, r"within --size \(48, 100\), found 64"),
        (BaselineRecipe, {"size": (8, 100)}, "--size of 16 and more"),
        (BaselineRecipe, {"moving": 1.1}, "--moving between 0 and 1, found 1.1"),
        (SkipRecipe, {"probability": -0.1}, "--probability between 0 and 1, found -0.1"),
        (SkipRecipe, {"probability": float("nan")}, "--probability between 0 and 1, found nan"),
        (BaselineRecipe, {"probability": 0.1}, "--kinds with --probability 0.1 for baseline, found none"),
        (BaselineRecipe, {"batch": 0}, "expected --batch of 1 and more, found 0$"),
        (BaselineRecipe, {"epochs": 0}, "expected --epochs of 1 and more, found 0$"),
        (BaselineRecipe, {"lr": 0.0}, "expected --lr above 0, found 0.0$"),
        (BaselineRecipe, {"lr": float("nan")}, "--lr"),
        (BaselineRecipe, {"steps": -1}, "expected --steps of 0 and more, found -1$"),
        (SkipRecipe, {"strides": ()}, "--strides of 2 and more"),
        (SkipRecipe, {"strides": (1, 2)}, "--strides of 2 and more"),
        (TemporalRecipe, {"radius": 0.0}, "--radius above zero"),
        (TemporalRecipe, {"kinds": ("skip",)}, "--kinds temporal, of flow, for temporal"),
        (SkipRecipe, {"kinds": ("skip", "temporal")}, "--kinds of frames for skip, found temporal"),
        (SkipRecipe, {"shares": (1.0, 2.0)}, "--shares above 0, one for each of --kinds"),
        (BaselineRecipe, {"batch": 4, "accumulate": 3}, "--accumulate to divide --batch 4, found 3"),
        (BaselineRecipe, {"ema": 1.0}, "--ema in"),
        (MemAERecipe, {"memory": 1}, "--memory of 2 and more"),
        (LussRecipe, {"accelerated": 1.0}, "--accelerated within"),
        (LussRecipe, {"weights": (0.0, 0.0, 0.0)}, "--weights of 0 and more, one of them above"),
        (LussRecipe, {"weights": (0.6, NAN, 1.0)}, "--weights of 0 and more"),
        (LussRecipe, {"weights": (INF, 0.4, 1.0)}, "--weights of 0 and more"),
        (BaselineRecipe, {"lr": INF}, "--lr"),
        (BaselineRecipe, {"max_norm": NAN}, "--max-norm of 0 and more"),
        (BaselineRecipe, {"max_norm": INF}, "--max-norm of 0 and more"),
        (BaselineRecipe, {"widths": (2, 2, 2, 0)}, "--widths of 1 and more"),
        (BaselineRecipe, {"warm_up": -1}, "--warm-up of 0 epochs and more"),
        (SkipRecipe, {"shares": (INF,)}, "--shares above 0"),
        (SkipRecipe, {"kinds": ("skip", "skip")}, "each of --kinds once, found skip skip"),
        (MemAERecipe, {"entropy": NAN}, "--entropy not below 0"),
        (TemporalRecipe, {"radius": INF}, "--radius above zero"),
        (TemporalRecipe, {"colour": True}, "expected no --colour for temporal"),
        (DiscriminatorRecipe, {"hidden": 0}, "--hidden of 1 and more"),
        (DiscriminatorRecipe, {"dropout": 1.0}, r"--dropout in \[0, 1\)"),
        (DiscriminatorRecipe, {"dropout": -0.1}, r"--dropout in \[0, 1\)"),
        (DiscriminatorRecipe, {"momentum": 1.0}, "--momentum in"),
        (DiscriminatorRecipe, {"momentum": -0.1}, "--momentum in"),
        (DiscriminatorRecipe, {"weight_decay": -1e-3}, "--weight-decay of 0 and more"),
        (DiscriminatorRecipe, {"weight_decay": INF}, "--weight-decay of 0 and more"),
        (LussRecipe, {"crop": 64}, "--prp conv with a --crop"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_the_name_of_its_flag(
    recipe: type[Recipe], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PagenError, match=message):
        recipe(**changes)


@pytest.mark.parametrize(
    "changes", [{"size": (50, 70), "crop": 48}, {"window": 8}, {"moving": 1.0}, {"steps": 0}, {"widths": (2, 2, 2, 2)}]
)
def test_what_can_be_trained_is_not(changes: dict[str, Any]) -> None:
    assert asdict(BaselineRecipe(**changes)).items() >= changes.items()


def test_every_recipe_and_every_setting_is_explained() -> None:
    explained = set()
    for file in (*Path(table.__file__).parent.glob("*.py"), Path(feature_spec.__file__)):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for body in (node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for setting, after in pairwise(body):
                if isinstance(setting, ast.AnnAssign) and isinstance(after, ast.Expr):
                    explained.add(ast.unparse(setting.target))
    for recipe in map(RECIPES.__getitem__, recipe_names()):
        assert {field.name for field in fields(recipe)} <= explained
        assert not (recipe.__doc__ or "").startswith(recipe.__name__ + "(")  # what dataclasses write themselves
        assert len((recipe.__doc__ or "").splitlines()[0]) > 30


def test_recipes_and_the_verb_are_read_without_torch_or_numpy() -> None:
    code = "import sys, pagen.train.train; print([n for n in ('torch', 'numpy', 'cv2') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ALONE)
def test_weights_follow_from_the_seed_alone(name: str, configure: Callable[..., Train[Any]], tmp_path: Path) -> None:
    config = configure(name, tmp_path)
    inputs = open_inputs(config)
    state = torch.get_rng_state()
    first = new_network(config.recipe, 3, inputs)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    again, other = (new_network(config.recipe, seed, inputs).state_dict() for seed in (3, 4))
    assert all(torch.equal(tensor, again[key]) for key, tensor in first.state_dict().items())
    weights = next(iter(first.state_dict()))
    assert not torch.equal(other[weights], again[weights])


@pytest.mark.parametrize("name", ALONE)
def test_every_recipe_leaves_a_whole_run(name: str, runs: Path) -> None:
    path = runs / name
    assert Folder.open(path, "run").complete
    run = open_run(path)
    assert run.recipe["recipe"] == name
    assert run.recipe["scale"] == "tiny"
    assert run.recipe["size"] == [48, 64]
    with open(path / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = run.recipe["epochs"]
    assert [(row["epoch"], row["step"]) for row in rows] == [(str(i), str(10 * i)) for i in range(1, epochs + 1)]
    for picture in ("curves.png", "sheet.png"):
        assert np.ptp(matplotlib.image.imread(path / picture)) > 0.5
    assert json.loads((path / "environment.json").read_text())["torch"] == torch.__version__
    card = (path / "model/README.md").read_text()
    assert card.startswith("---\nlibrary_name: pagen\n")
    assert f"# {name} on folder (tiny scale, seed 0)" in card
    assert f"last training loss {float(rows[-1]['loss']):.5f}" in card
    assert all(f"| {key} | " in card for key in run.recipe)


def test_unified_is_a_run_of_three(runs: Path) -> None:
    run = open_run(runs / "unified")
    assert list(run.members) == ["spatial", "temporal", "discriminator"]
    with pytest.raises(PagenError, match="expected a run of one network"):
        _ = run.network
    for name, member in run.members.items():
        whole = open_run(runs / name)
        assert member.recipe == whole.recipe
        assert all(
            torch.equal(one, two)
            for one, two in zip(member.network.parameters(), whole.network.parameters(), strict=True)
        )


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_calibrated_on_training_clips(name: str, runs: Path) -> None:
    for run in open_run(runs / name).single():
        assert set(run.calibration) <= INDICATORS[name]
        for known in run.calibration.values():
            grid = [known[f"p{percent}"] for percent in range(101)]
            assert grid == sorted(grid)
            assert known["median"] == known["p50"]
            assert known["p0"] <= known["mean"] <= known["p100"]
            assert known["count"] >= 90
            assert 0 <= known["pseudo_auroc"] <= 1


@pytest.mark.parametrize("policy", ["last", "block"])
@pytest.mark.parametrize("name", RUNS)
def test_every_run_scores_every_frame(name: str, policy: str, runs: Path, street: Path, tmp_path: Path) -> None:
    scores = score_run(runs / name, "folder", Compute(street, "cpu", 0), policy, tmp_path / "scores")
    assert set(scores.indicators()) == INDICATORS[name]
    for indicator in scores.indicators():
        (values,) = scores.of(indicator).values()
        assert values.shape == (48,)
        assert np.isfinite(values).all()
        assert len(set(values)) >= (3 if policy == "block" else 16)


def test_a_discriminator_that_pools_is_trained_validated_and_scored(
    configure: Callable[..., Train[Any]], street: Path, tmp_path: Path
) -> None:
    config = configure("discriminator", tmp_path / "run", epochs=1, steps=2, pool="mean")
    train(replace(config, validate="pseudo"))
    scores = score_run(tmp_path / "run", "folder", Compute(street, "cpu", 0), "last", tmp_path / "scores")
    (values,) = scores.of("semantic").values()
    assert values.shape == (48,)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", ALONE)
def test_training_lowers_the_loss(name: str, runs: Path) -> None:
    with open(runs / name / "metrics.csv", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


def test_the_unified_recipes_are_for_colour_and_flow() -> None:
    assert (SpatialRecipe.source, TemporalRecipe.source, DiscriminatorRecipe.source) == ("frames", "flow", "features")
    assert SpatialRecipe().colour
    assert DiscriminatorRecipe().at("paper").colour
    assert [TemporalRecipe(encoding=encoding).channels for encoding in ("uv", "uvm")] == [2, 3]
