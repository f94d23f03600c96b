"""Recipes and detectors of others train as pagen's own, by their names alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d
from pagen.models.density.detector import Array, Detector, Features, Scores, State, rows_of
from pagen.models.density.detectors import DETECTORS
from pagen.models.networks import NETWORKS
from pagen.models.runs import open_run
from pagen.train.config import recipe_of
from pagen.train.recipes.clips import FrameRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.train import parse, run

FLAGS = ("--dataset", "folder", "--scale", "tiny", "--size", "48", "64", "--device", "cpu", "--workers", "0")


class Shifted(ConvAE3d):
    """An autoencoder of another package."""


@dataclass(frozen=True)
class ShiftedRecipe(FrameRecipe):
    """The autoencoder of another package, which is to give back every clip a little lighter."""

    shift: float = 0.1
    """How much lighter."""

    name: ClassVar[str] = "shifted"

    @property
    def fused(self) -> tuple[str, ...]:
        """Both errors of a frame."""
        return "psnr", "psnr_local"

    def network(self, batches: Any) -> Any:
        """An untrained one."""
        return NETWORKS["Shifted"](self.channels, self.widths)

    def objective(self, network: Any, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The error against the lighter clip."""
        return {"loss": (network(batch["clips"]) - batch["targets"] - self.shift).square().mean()}


@dataclass(eq=False)
class Centre(Detector):
    """The distance from the mean of normal features, to some power."""

    power: float = 2.0

    def fit(self, features: Features) -> Centre:
        rows = rows_of(features)
        self.mean, self.width = rows.take(np.arange(len(rows))).mean(0), rows.width
        return self

    def _scores(self, piece: Array) -> Scores:
        scores: Scores = -(np.linalg.norm(piece - self.mean, axis=1) ** self.power).astype(np.float64)
        return scores

    def _state(self) -> State:
        return {"mean": torch.from_numpy(self.mean)}

    def _restore(self, state: State) -> None:
        self.mean = state["mean"].numpy()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe, its network and the detector, for the time of a test."""
    for registry in (RECIPES, NETWORKS, DETECTORS):
        monkeypatch.setattr(registry, "_table", dict(registry._table))
    RECIPES.register("shifted", ShiftedRecipe)
    NETWORKS.register("Shifted", Shifted)
    DETECTORS.register("centre", Centre)


@pytest.mark.slow
@pytest.mark.usefixtures("registered")
def test_a_recipe_is_listed_and_trained(street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([])
    assert "  shifted       The autoencoder of another package" in capsys.readouterr().out
    assert recipe_names()[-1] == "shifted"
    argv = ["shifted", *FLAGS, "--root", str(street), "--out", str(tmp_path / "run"), "--epochs", "1", "--steps", "2"]
    config = parse([*argv, "--shift", "0.2", "--kinds", "skip", "--probability", "0.5"])
    run(config)
    opened = open_run(tmp_path / "run")
    assert (type(opened.network), opened.recipe["shift"]) == (Shifted, 0.2)
    assert opened.recipe["fused"] == list(recipe_of(config)["fused"]) == ["psnr", "psnr_local"]
    assert (tmp_path / "run/sheet.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("registered")
def test_a_detector_without_a_recipe_is_trained_by_its_settings(street: Path, tiny: Any, tmp_path: Path) -> None:
    features = tiny("discriminator").encoder
    argv = ["centre", *FLAGS, "--root", str(street), "--out", str(tmp_path / "run"), "--features", features]
    run(parse([*argv, "--power", "3"]))
    opened = open_run(tmp_path / "run")
    detector: Any = opened.detector
    assert (type(detector), detector.power, opened.recipe["power"]) == (Centre, 3.0, 3.0)
    assert opened.calibration["density"]["count"] == 3 * 48


@pytest.mark.usefixtures("registered")
def test_a_detector_whose_settings_cannot_be_flags_is_refused() -> None:
    @dataclass(eq=False)
    class Needs(Centre):
        """It has to be told a number."""

        number: int = 0
        size: int = 3

    DETECTORS.register("needs", Needs)
    with pytest.raises(PagenError, match="expected other names than size for settings of the detector needs"):
        parse(["needs", "--dataset", "folder"])
