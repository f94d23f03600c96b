"""docs/results.md: every recipe that is trained has its row, or a place that is known; its script makes all rows."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from pagen.train.recipes.table import RECIPES

DOCS = Path(__file__).parents[2] / "docs"
ELSEWHERE = {"discriminator": "row `semantic` of unified", "gmm": "docs/ablations.md", "gcl": "docs/methods/gcl.md"}


def at_a_glance() -> list[str]:
    """Runs of the page's first table."""
    table = (DOCS / "results.md").read_text("utf-8").partition("## At a glance")[2].partition("\n## ")[0]
    return re.findall(r"^\| (runs/\S+) \| \w+ \| [\d.]+ \|", table, re.MULTILINE)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "results.py"))


def test_every_recipe_has_a_row() -> None:
    runs = at_a_glance()
    found = {name for name in RECIPES.names() if any(re.search(rf"^runs/{name}-|/{name}$", run) for run in runs)}
    assert set(RECIPES.names()) - found == ELSEWHERE.keys()


def test_the_script_makes_the_rows_of_the_page(script: dict[str, Any]) -> None:
    config = script["Results"](pseudo=Path("pa"), objects=Path("objects.npz"))
    assert [str(path) for run in script["wanted"](config) for path in script["rows_of"](config, *run)] == at_a_glance()


def test_a_row_of_a_member_is_of_a_run_that_is_held(script: dict[str, Any]) -> None:
    for name, members in script["MEMBERS"].items():
        assert set(members) <= RECIPES[name].at("cpu").members.keys()
