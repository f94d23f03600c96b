"""docs/results.md: every recipe that is trained has its row, or a place that is known."""

from __future__ import annotations

import runpy
from pathlib import Path

from pagen.train.recipes.table import RECIPES

DOCS = Path(__file__).parents[2] / "docs"
ELSEWHERE = {"discriminator": "row `semantic` of unified", "gmm": "docs/ablations.md", "gcl": "docs/methods/gcl.md"}


def test_every_recipe_has_its_row() -> None:
    script = runpy.run_path(str(DOCS / "results.py"))
    config = script["Results"](pseudo=Path("pa"), objects=Path("objects.npz"))
    page, trained = (DOCS / "results.md").read_text("utf-8"), set[str]()
    for name, seed in script["wanted"](config):
        path, *members = script["rows_of"](config, name, seed)
        assert all(f"| {run} | " in page for run in (path, *members))
        trained |= {script["command_of"](config, name, seed)[0], *(member.name for member in members)}
    assert set(RECIPES.names()) - trained == ELSEWHERE.keys()


def test_rows_of_a_member_are_of_a_run_that_it_holds() -> None:
    script = runpy.run_path(str(DOCS / "results.py"))
    for name, members in script["MEMBERS"].items():
        assert set(members) <= RECIPES[name].at("cpu").members.keys()
