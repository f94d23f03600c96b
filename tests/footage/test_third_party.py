"""A data set that another package registers goes through every verb that footage and the generator have."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pagen.footage.catalogue import DATASETS, DataSet
from pagen.footage.list_datasets import Datasets
from pagen.footage.list_datasets import run as list_datasets
from pagen.footage.prepare import prepare
from pagen.footage.street.scene import scenes
from pagen.generate.config import Generate
from pagen.generate.generate import generate

SIZE = (48, 64)


@pytest.fixture(autouse=True)
def lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package `lane_data`, as if it were installed, with the entry point of a procedural data set."""
    module = ModuleType("lane_data")
    vars(module).update(
        DATASET=DataSet(
            "lane", "a lane", fps=10, licence="ours", obtain="nothing to obtain", scenes="lane_data:scenes"
        ),
        scenes=lambda: scenes(seed=3, train=2, test=2, frames=20),
    )
    monkeypatch.setitem(sys.modules, "lane_data", module)
    monkeypatch.setattr(DATASETS, "_table", dict(DATASETS._table))
    point = EntryPoint("lane", "lane_data:DATASET", "pagen.datasets")

    def points(group: str, **only: Any) -> list[EntryPoint]:
        ours = [point] if group == point.group and only.get("name", "lane") == "lane" else []
        return [*entry_points(group=group, **only), *ours]

    monkeypatch.setattr("pagen.registry.entry_points", points)


def test_it_is_listed_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    list_datasets(Datasets())
    assert "\nlane " in capsys.readouterr().out
    list_datasets(Datasets(("check", "lane")))
    assert "nothing missing, nothing odd" in capsys.readouterr().out


@pytest.mark.slow
def test_it_is_prepared_and_mixed() -> None:
    prepared, mixed = (prepare(name, size=SIZE, workers=0) for name in ("lane", "lane:mixed"))
    assert (len(prepared.clips("train")), len(prepared.clips("test"))) == (2, 2)
    assert (len(mixed.clips("train")), len(mixed.clips("test"))) == (3, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "clips"), [("lane", 2), ("lane:mixed", 3)])
def test_pseudo_anomalies_are_made_of_it(name: str, clips: int, tmp_path: Path) -> None:
    made = generate(Generate(name, kinds=("skip",), size=SIZE, length=4, workers=0, out=tmp_path / "pa"))
    assert made["kinds"]["skip"][:2] == (17 * clips, "clips")
