"""Ablations: every table names what there is, and a small one is trained, scored and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from pagen import ablate as module
from pagen.ablate import Ablate, run
from pagen.ablation import _scores, changes_of, named
from pagen.errors import PagenError
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.protocol import Protocol, apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.scores import open_scores
from pagen.generate.config import Generate
from pagen.options import Scale
from pagen.papers.all_papers import ABLATIONS
from pagen.papers.forms import Ablation, Variant
from pagen.scoring.window_scores import MEASURES
from pagen.train.recipes.table import RECIPES

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
        _scores(config, variant, 0, "last")
    assert asked
    for one in asked:
        assert {flag: getattr(one, flag) for flag in made} == made
