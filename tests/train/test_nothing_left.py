"""What is refused when a training has begun leaves no folder that holds nothing."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import cv2
import numpy as np
import pytest

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.open import open_source
from pagen.features.spec import FeatureSpec
from pagen.fill import fill
from pagen.folders import Folder, digests, write_text
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train

pytestmark = pytest.mark.slow


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Footage in which nothing moves, where motion finds no box."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    for clip in ("training/a", "testing/x"):
        folder = tmp_path / "footage" / clip
        folder.mkdir(parents=True)
        for frame in range(6):
            cv2.imwrite(str(folder / f"{frame}.png"), np.full((48, 64), 90, np.uint8))
    return tmp_path / "footage"


@pytest.mark.parametrize("name", ["accivad", "mulde", "knn"])
def test_a_run_over_objects_that_finds_none(name: str, still: Path, tmp_path: Path) -> None:
    recipe: Any = RECIPES[name].at("tiny")
    copytree(still / "training/a", still / "training/b")
    config = Train(recipe, dataset="folder", root=still, scale="tiny", out=tmp_path / "run", device="cpu", workers=0)
    with pytest.raises(PagenError, match="features of the training clips of folder, found none in boxes by motion"):
        train(config)
    assert not (tmp_path / "run").exists()


def test_features_whose_first_clip_is_refused(still: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    np.save(tmp_path / "vectors/train_a.npy", np.full((6, 3), np.nan, np.float32))
    np.save(tmp_path / "vectors/test_x.npy", np.zeros((6, 3), np.float32))
    compute = Compute(still, "cpu", 0)
    source = open_source(FeatureSpec(f"file:{tmp_path / 'vectors'}"), "folder", compute)
    with pytest.raises(PagenError, match="expected finite features"):
        extract(source, ["train_a", "test_x"], compute, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(PagenError, match="expected finite features"):
        extract(source, ["test_x", "train_a"], compute, tmp_path / "out")
    assert (tmp_path / "out/features/test_x.npy").exists()  # what was done stays done


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    folder = Folder.begin(tmp_path / "out", "features", {}, {})
    write_text(tmp_path / "out/a", "a")
    folder.record("a", digests(tmp_path / "out", [tmp_path / "out/a"]))

    def refuse(name: str) -> Any:
        raise PagenError(name)

    with pytest.raises(PagenError, match="b"):
        fill(Folder.begin(tmp_path / "out", "features", {}, {}), ["a", "b"], refuse, 0, "refuse")
    assert list(Folder.begin(tmp_path / "out", "features", {}, {}).items) == ["a"]
