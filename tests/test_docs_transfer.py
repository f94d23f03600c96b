"""The script that writes `docs/transfer.md`: what it trains, what it asks for, and that it goes on."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pagen.eval.transfer.transfer import Transfer
from pagen.footage.catalogue import DATASETS
from pagen.footage.own import own_datasets
from pagen.train.recipes.table import recipe_names

SCRIPT = Path(__file__).parents[1] / "docs/transfer.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module; what it says to later commands ends with the test."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    spec = importlib.util.spec_from_file_location("docs_transfer", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "docs_transfer", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def asked(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the script gives; each training leaves what the script waits for."""
    commands: list[list[str]] = []
    monkeypatch.setattr(script, "pagen", commands.append)
    return commands


def config_of(script: ModuleType, tmp_path: Path, **changes: Any) -> Any:
    config = script.Transfers(tmp_path / "data", tmp_path / "runs", page=tmp_path / "transfer.md")
    config.page.write_text("# Tables\n", encoding="utf-8")
    return replace(config, **changes)


def test_every_recipe_is_trained_on_every_set_and_the_first_seeds_first(
    script: ModuleType, asked: list[list[str]], tmp_path: Path
) -> None:
    script.main(config_of(script, tmp_path))
    assert len(asked) == 4 * 7 * 3 + 1
    assert {words[1] for words in asked[:-1]} == set(script.RECIPES) <= set(recipe_names())
    assert [words[words.index("--seed") + 1] for words in asked[:-1]] == ["0"] * 28 + ["1"] * 28 + ["2"] * 28
    assert {words[words.index("--scale") + 1] for words in asked[:-1]} == {"cpu"}


def test_a_run_that_is_done_is_not_asked_for_again(script: ModuleType, asked: list[list[str]], tmp_path: Path) -> None:
    small = config_of(script, tmp_path, recipes=("skip",), trained_on=("street", "ped2"), seeds=1, scale="tiny")
    script.main(small)
    assert len(asked) == 3
    script.main(small)
    assert [words[0] for words in asked] == ["train", "train", "transfer", "transfer"]
    assert "| street | 0.0 |" in small.page.read_text(encoding="utf-8")
    script.main(replace(small, seeds=2))
    assert [words[words.index("--seed") + 1] for words in asked if words[0] == "train"] == ["0", "0", "1", "1"]


def test_the_table_is_asked_for_as_the_verb_takes_it(
    script: ModuleType, asked: list[list[str]], tmp_path: Path, understood: Any
) -> None:
    script.main(config_of(script, tmp_path, recipes=("skip",), seeds=1, workers=0))
    words = asked[-1]
    understood(words)
    assert Transfer.__name__.lower() == words[0]
    assert {"--partial", "--leave-one-out", "umn:lawn=all", "umn:plaza=all"} <= set(words)
    assert "le2i_coffee=all" not in words
    assert sum(word.startswith(str(tmp_path / "runs/skip-")) for word in words) == 7


def test_ones_own_data_sets_are_named_in_a_file(script: ModuleType, tmp_path: Path) -> None:
    config = config_of(script, tmp_path)
    script.place(config)
    assert os.environ["PAGEN_DATA"] == str(tmp_path / "data")
    found = own_datasets(lambda: ["ped2"])
    assert found["le2i_coffee"].root == tmp_path / "data/le2i_coffee"
    catalogue = DATASETS.catalogue()
    assert {name.partition(":")[0] for name in script.TESTED_ON} - set(catalogue) == set(found)
    assert set(script.SCENES) == {f"umn:{scene}" for scene in DATASETS["umn"].scene_names}


@pytest.mark.slow
def test_it_goes_from_footage_to_a_page(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(script.RECIPES, "knn", ("--features", "velocity"))
    sets = ("street", "street:square")
    small = {"recipes": ("knn",), "trained_on": sets[:1], "tested_on": sets, "seeds": 2, "scale": "tiny"}
    config = config_of(script, tmp_path, **small, workers=0, plot=tmp_path / "map.png")
    script.main(config)
    page = config.page.read_text(encoding="utf-8")
    for part in ("knn (tiny, seeds 0 1)", "![heat map](map.png)", "Leave one out: mean", "## What a training took"):
        assert part in page
    assert config.plot.is_file()
