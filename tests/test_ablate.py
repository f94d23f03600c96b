"""Ablations: every table names what there is, and a small one is trained, scored and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from pagen import ablate as module
from pagen import ablation as module_of_tables
from pagen import console
from pagen.ablate import Ablate, run
from pagen.ablation import _recipe, _scores, as_text, changes_of, named, over_features, pa_set_of
from pagen.errors import PagenError
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.protocol import Protocol, apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.scores import open_scores
from pagen.folders import Folder
from pagen.footage.flow import open_flow
from pagen.generate.config import Generate
from pagen.options import Scale
from pagen.papers.all_papers import ABLATIONS
from pagen.papers.forms import Ablation, Variant
from pagen.scoring.window_scores import MEASURES
from pagen.train import loop
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train
from pagen.train.stored import require_fit

pytestmark = pytest.mark.slow

SMALL = {"size": (32, 48), "crop": 16, "epochs": 1, "steps": 1}


@pytest.mark.parametrize(
    "variant", [variant for one in ABLATIONS.values() for variant in one.variants], ids=lambda v: v.label
)
def test_every_variant_can_be_trained_and_measured(variant: Variant) -> None:
    RECIPES[variant.recipe].at("cpu")
    assert set(variant.changes) <= {field.name for field in fields(RECIPES[variant.recipe])}
    assert set(variant.stored) <= {field.name for field in fields(Generate)}
    assert set(variant.protocol) <= {field.name for field in fields(Protocol)}
    assert variant.measure is None or variant.measure in MEASURES
    assert variant.indicators


@pytest.mark.parametrize("scale", get_args(Scale))
@pytest.mark.parametrize(
    "variant",
    [variant for one in ABLATIONS.values() for variant in one.variants if variant.stored],
    ids=lambda v: v.label,
)
def test_every_variants_pa_set_serves_every_part_of_its_recipe(variant: Variant, scale: Scale, tmp_path: Path) -> None:
    config = Ablate("discriminator", "ped2", scale=scale)
    recipe = _recipe(config, variant)
    made = json.loads(json.dumps(asdict(pa_set_of(config, recipe, variant, tmp_path)), default=str))
    folder = Folder(tmp_path, "pa_set", made, {"flow": open_flow(made["flow"]).identity()}, {})
    require_fit(Train(recipe, "ped2", pseudo=tmp_path, scale=scale), folder)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_table_has_its_protocol(name: str) -> None:
    assert ABLATIONS[name].protocol in PROTOCOLS
    assert len({variant.label for variant in ABLATIONS[name].variants}) == len(ABLATIONS[name].variants) > 1


def test_a_table_is_trained_scored_and_written(
    write_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "footage", {"training/a": 40, "testing/x": 30, "testing/y": 24})
    both = Variant("both", "luss", SMALL, indicators=("vcr", "prp"), protocol={"each": "min_max"}, published="9 / 8")
    variants = (both, Variant("by MSE", "luss", SMALL, indicators=("vcr",), measure="mse"))
    monkeypatch.setitem(
        module.ABLATIONS, "small", Ablation("A small table", "a paper: here / there", "causal", variants)
    )
    page, out = tmp_path / "table.md", tmp_path / "out"
    config = Ablate("small", "folder", root, "tiny", out=out, device="cpu", workers=0, json=True, write=page)
    run(config)
    first, second = json.loads(capsys.readouterr().out)
    path = out / f"{named(config, both)}-0"
    assert [item.name for item in out.iterdir()] == [path.name]  # one run serves both
    scores = open_scores(path / "scores/folder/last-mse")
    final, labels = apply(PROTOCOLS["causal"], {"vcr": scores.of("vcr")}, scores.labels)
    assert second["rows"][0]["micro"] == pytest.approx(micro_auroc(final, labels), abs=1e-12)
    assert first["rows"][0]["indicator"] == "fused"
    text = page.read_text()
    for part in (
        "A small table on folder, tiny scale, seed 0; protocol causal",
        "| both |",
        "9 / 8",
        "a paper: here / there",
    ):
        assert part in text


def test_unknown_tables_are_named_and_known_ones_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PagenError, match="no table named 'taks'; did you mean 'tasks'"):
        run(Ablate("taks", "street"))
    run(Ablate("list"))
    assert "rescaling" in capsys.readouterr().out


def test_boxes_are_of_density_alone_and_part_of_a_runs_name() -> None:
    speed, clips = Variant("speed", "gmm", {"features": "velocity"}), Variant("clips", "luss")
    boxed, plain = Ablate("detectors", "ped2", boxes="file:b.npz"), Ablate("detectors", "ped2")
    assert changes_of(boxed, speed) == {"features": "velocity", "boxes": "file:b.npz"}
    assert changes_of(boxed, clips) == changes_of(plain, clips) == {}
    assert named(boxed, speed) != named(plain, speed) == "gmm-ped2-cpu-features-velocity"


def test_what_steps_do_not_look_at_is_fitted_to_the_same_steps(
    write_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "footage", {"training/a": 40, "testing/x": 30})
    kinds = {"features": "objects", "kinds": ("velocity",), "bins": 2, "size": (32, 48), "epochs": 1}
    variants = tuple(
        Variant(way, "mulde", {**kinds, **changes}, indicators=("velocity",))
        for way, changes in (("mixture", {}), ("max", {"reduce": "max"}), ("single", {"reduce": "single"}))
    )
    monkeypatch.setitem(module.ABLATIONS, "small", Ablation("Ways", "a paper", "causal", variants))
    boxes = {name: [[frame, 2, 2, 20, 28] for frame in range(20)] for name in ("train_a", "test_x")}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    where: dict[str, Any] = {
        "boxes": f"file:{tmp_path / 'boxes.json'}",
        "out": tmp_path / "out",
        "device": "cpu",
        "workers": 0,
    }
    config = Ablate("small", "folder", root, "tiny", **where, json=True)
    trained: list[Path] = []
    step = loop.train_step
    monkeypatch.setattr(
        loop, "train_step", lambda training, *rest: (trained.append(training.path), step(training, *rest))[1]
    )
    run(config)
    assert len(set(trained)) == 1
    for variant in variants:
        apart = tmp_path / "apart" / variant.label
        recipe = replace(RECIPES["mulde"].at("tiny"), **changes_of(config, variant))
        train(Train(recipe, "folder", root, None, "tiny", 0, apart, device="cpu", workers=0))
        for file in ("model/model.safetensors", "recipe.json", "calibration.json", "metrics.csv"):
            here, anew = (path / "velocity" / file for path in (config.out / f"{named(config, variant)}-0", apart))
            assert here.read_bytes() == anew.read_bytes()


def test_lines_that_are_trained_alike_are_trained_and_scored_once(
    write_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "footage", {"training/a": 40, "testing/x": 30})
    own = Variant("own", "luss", SMALL, indicators=("vcr",))
    variants = (own, replace(own, label="PRP", indicators=("prp",)), replace(own, label="by MSE", measure="mse"))
    scored: list[str] = []
    score = module_of_tables._scores

    def counted(config: Ablate, variant: Variant, seed: int, protocol: Protocol) -> Any:
        scored.append(variant.label)
        return score(config, variant, seed, protocol)

    monkeypatch.setattr(module_of_tables, "_scores", counted)
    config = Ablate("small", "folder", root, "tiny", out=tmp_path / "out", device="cpu", workers=0)
    table = Ablation("Lines", "a paper", "causal", variants)
    assert [line.label for line in module_of_tables.measure(table, config)] == ["own", "PRP", "by MSE"]
    assert scored == ["own", "by MSE"]


def test_a_table_that_needs_poses_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    config = Ablate("objects", "street", out=tmp_path / "out", device="cpu", workers=0)
    with pytest.raises(PagenError, match="found none with boxes 'motion'; give --poses file") as told:
        run(config)
    assert str(told.value).endswith("(in `pagen train mulde`)")  # whose flags it names
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PagenError, match=r"found no file 'none\.npz'"):
        run(Ablate("objects", "street", poses="file:none.npz", device="cpu"))


def test_the_papers_tables_are_whole() -> None:
    rows = {name: {one.label: one.published for one in ABLATIONS[name].variants} for name in ABLATIONS}
    assert rows["levels"] == {"4": "72.16", "8": "72.80", "16": "72.89", "32": "72.95", "64": "72.99"}
    assert ABLATIONS["beta"].where == "MULDE's Table 3: ShanghaiTech, Hiera-L"
    assert rows["pooling"] == {"mixture": "78.4", "max": "76.30", "mean": "76.02", "median": "75.83"}
    assert len(rows["widths"]) == 16
    assert rows["widths"]["2 x 4096"] == "81.3"
    assert rows["objects"]["deep and pose and velocity"] == "94.3 / 86.7"
    assert len({named(Ablate("objects", "x"), one) for one in ABLATIONS["objects"].variants}) == 1  # one run serves all
    best = next(one for one in ABLATIONS["single"].variants if one.published == "best")
    assert best.changes["single"] == 0.334


def test_tables_of_frame_features_take_those_that_are_asked_for() -> None:
    asked = Ablate("beta", "ped2", features="file:hiera", boxes="file:b.npz")
    first = over_features(asked, ABLATIONS["beta"], ABLATIONS["beta"].variants[0])
    assert changes_of(asked, first) == {"beta": 0.0, "features": "file:hiera"}
    assert (first.indicators, RECIPES[first.recipe].at("paper").rate) == (("density",), 5e-4)
    recipe = replace(RECIPES[first.recipe].at("paper"), **first.changes)
    assert recipe.rate == 1e-4
    title = as_text(asked, ABLATIONS["beta"], [], console.table).partition(" on ")[0]
    assert title == "Weight of MULDE's regulariser, file:hiera"
    assert as_text(Ablate("beta", "x"), ABLATIONS["beta"], [], console.table).startswith(
        f"{title[:-12]}, mean speed by "
    )
    with pytest.raises(PagenError, match="expected no --features with table objects, found lite0"):
        run(Ablate("objects", "street", features="lite0"))


@pytest.mark.parametrize(
    ("name", "scale", "made"),
    [
        ("masks", "paper", {"size": (256, 256), "colour": True, "flow": "tvl1", "inference_steps": 50}),
        ("masks", "cpu", {"size": (192, 288), "colour": False, "flow": "dis", "inference_steps": 20}),
        ("p_t", "paper", {"size": (256, 256), "flow": "tvl1", "kinds": ("temporal",)}),
        ("p_t", "tiny", {"size": (96, 144), "flow": "dis", "kinds": ("temporal",)}),
    ],
)
def test_the_sets_of_a_table_are_made_at_its_scale(
    name: str, scale: Scale, made: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Generate] = []
    monkeypatch.setattr("pagen.ablation.generate", asked.append)
    monkeypatch.setattr("pagen.ablation.train", lambda config: None)
    monkeypatch.setattr("pagen.ablation.score_run", lambda *given, **how: None)
    config = Ablate(name, dataset="street", scale=scale, out=tmp_path, workers=0)
    for variant in ABLATIONS[name].variants:
        _scores(config, variant, 0, Protocol("own", "why"))
    assert asked
    for one in asked:
        assert {flag: getattr(one, flag) for flag in made} == made
