"""docs/papers.md: each row says where it stands, and what it holds of the papers is what the code has."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pagen.eval.protocols import protocol_named
from pagen.generate.config import Generate
from pagen.train.recipes.table import RECIPES

PAGE = Path(__file__).parents[2] / "docs" / "papers.md"
STANDING = re.compile(r"faithful|choice: \S.+|not built: \S.+")
HELD = re.compile(r"`(protocol )?(\w+)(\(frames\))?\.(\w+)(?:\[(\w+)\])? = ([^`]+)`")
PARTS = ("Equations", "Hyper-parameters", "Tables", "Figures", "Said in words")


def rows() -> Iterator[list[str]]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| item |", "| ---")):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def published() -> dict[str, tuple[str, ...]]:
    """A held cell -> its parts: which kind of thing, of which name, for frames or not; field, key in it, and value."""
    found = [match for cells in rows() for match in HELD.finditer(cells[2])]
    return {match.group(0): match.groups(default="") for match in found}


def ours(kind: str, name: str, frames: str, field: str, key: str) -> Any:
    """What the code has there."""
    if kind:
        of_protocol = getattr(protocol_named(name, "a page"), field)
        return of_protocol[key] if key else of_protocol
    if name == "generate":
        return getattr(Generate.at("paper", "street"), field)
    recipe: Any = RECIPES[name].at("paper")
    of_features = replace(recipe, features="lite0") if frames else recipe
    return {**vars(of_features), **of_features.settings}[field]  # runs do not remember what 0.1.0 did not know


def test_every_row_has_its_standing() -> None:
    table = list(rows())
    assert len(table) > 300
    for cells in table:
        assert len(cells) == 4, cells
        assert STANDING.fullmatch(cells[3]), cells


def test_every_paper_has_all_parts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    papers = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert len(papers) == 4
    assert all(re.findall(r"^### (.+)$", paper, re.MULTILINE) == list(PARTS) for paper in papers)


@pytest.mark.parametrize("cell", published())
def test_what_the_papers_have_is_what_scale_paper_has(cell: str) -> None:
    *where, value = published()[cell]
    assert ours(*where) == literal_eval(value)
