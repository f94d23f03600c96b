"""A few of the kills, and of the commands at once, that `make kills` and `make pairs` try by the hundred."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FUZZ = Path(__file__).parent / "fuzz"


@pytest.fixture(scope="module")
def fuzz() -> dict[str, Any]:
    """What the two scripts define."""
    return {**runpy.run_path(str(FUZZ / "kills.py")), "paired": runpy.run_path(str(FUZZ / "pairs.py"))["tried"]}


@pytest.fixture
def start(fuzz: dict[str, Any], tmp_path: Path) -> Any:
    """A place with a recording and what watches it: no footage has to be prepared for that."""
    (tmp_path / "start/given").mkdir(parents=True)
    fuzz["record"](tmp_path / "start/given")
    place = fuzz["Place"](tmp_path / "start")
    place.run(fuzz["CALIBRATE"])
    return place


def test_a_few_kills_of_what_watches_and_films(fuzz: dict[str, Any], start: Any, tmp_path: Path) -> None:
    assert fuzz["tried"]("score", start, tmp_path, 4) == []


def test_a_few_kills_of_what_prepares(fuzz: dict[str, Any], start: Any, tmp_path: Path) -> None:
    assert fuzz["tried"]("prepare", start, tmp_path, 4) == []


def test_a_pair_on_a_fresh_cache(fuzz: dict[str, Any], start: Any, tmp_path: Path) -> None:
    assert fuzz["paired"](("prepare", "prepare"), start, tmp_path) == []
