"""Transfers to a data set of one's own: two scenes, two editions of labels."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.results import TRIVIAL
from pagen.eval.scores import open_scores
from pagen.eval.settings import EvaluationSettings
from pagen.eval.transfer.calibrating import calibration_of
from pagen.eval.transfer.results import Transferred, text
from pagen.eval.transfer.transfer import Transfer, editions_of, require_roots, run
from pagen.eval.transfer.transferring import transfer
from pagen.folders import write_json
from pagen.models.runs import open_run
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train

pytestmark = pytest.mark.slow

LENGTHS = {"training/till_1": 17, "training/door_1": 20, "testing/till_2": 24, "testing/door_2": 26}


@pytest.fixture
def shop(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set `shop`, whose scene `door` is brighter and noisier, in two editions of labels."""
    root = tmp_path / "footage"
    for name, length in LENGTHS.items():
        (root / name).mkdir(parents=True)
        rng, door = np.random.default_rng(0), "door" in name
        for index in range(length):
            frame = rng.integers(0, 140 if door else 40, (20, 36)).astype(np.uint8)
            x = (3 if index >= length // 2 and "testing" in name else 1) * index % 28
            frame[6:14, x : x + 8] = 200
            cv2.imwrite(str(root / name / f"{index:03}.png"), frame)
        if name.startswith("testing"):
            for folder, first in (("labels", length // 2), ("strict", length // 2 + 3)):
                (root / folder).mkdir(exist_ok=True)
                np.save(root / folder / f"{Path(name).name}.npy", (np.arange(length) >= first).astype(np.uint8))
    file = tmp_path / "mine.toml"
    labels = json.dumps(["labels/{clip}.npy", "strict/{clip}.npy"])
    entry = f'root = "{root}"\nlabels = {labels}\n'
    file.write_text(f'[shop]\nscenes = ["till", "door"]\n{entry}\n[yard]\n{entry}', encoding="utf-8")
    monkeypatch.setenv("PAGEN_DATASETS", str(file))
    return root


@pytest.fixture
def away(make_run: Callable[..., Path]) -> Path:
    """A run that was trained elsewhere."""
    path = make_run(0, "away", recipe="skip", dataset="street")
    known = {"p1": -30.0, "median": -20.0, "p99": -5.0}
    write_json(path / "calibration.json", {"psnr": known, "psnr_local": known})
    return path


def transferred(*runs: Path, **changes: Any) -> Transferred:
    config = replace(Transfer(runs, ("shop",), device="cpu", workers=0), **changes)
    settings = EvaluationSettings(seed=config.seed, weights=config.weights)
    how = (Compute.of(config), editions_of(config), config.calibrate, config.leave_one_out)
    return transfer(config.runs, require_roots(config), config.protocol, settings, *how)


def by_hand(run: Path, indicator: str) -> float:
    """Micro AUROC of scores less the median of their scene's training clip, over its range."""
    test, normal = open_scores(run / "scores/shop/last"), open_scores(run / "scores/shop/calibration")
    moved = []
    for clip in test.clips:
        low, middle, high = np.percentile(
            normal.clips[clip.replace("test", "train")[:-1] + "1"][indicator], [1, 50, 99]
        )
        moved.append((test.clips[clip][indicator] - middle) / (high - low))
    return float(roc_auc_score(np.concatenate([*test.labels.values()]), np.concatenate(moved)))


def test_every_indicator_is_calibrated_by_its_scene_the_baselines_too(away: Path, shop: Path) -> None:
    plain, apart = transferred(away, protocol="raw"), transferred(away, protocol="raw", calibrate="scene")
    assert apart.lines[2].rows["shop"].micro == pytest.approx(by_hand(away, "psnr_local"), abs=1e-12)
    for before, after in zip(plain.lines, apart.lines, strict=True):
        assert before.rows["shop"].raw == pytest.approx(after.rows["shop"].raw)
        assert before.rows["shop"].micro == pytest.approx(before.rows["shop"].raw)
        assert after.rows["shop"].micro != pytest.approx(before.rows["shop"].micro)
    assert "Every indicator, those of the trivial baselines and what is fused, is calibrated by" in text(apart)
    assert "calibrated" not in text(plain)


def test_macro_by_scene_is_the_mean_over_scenes(away: Path, shop: Path) -> None:
    found = transferred(away, protocol="raw")
    scores = open_scores(away / "scores/shop/last")
    areas = [roc_auc_score(scores.labels[clip], scores.clips[clip]["psnr_local"]) for clip in scores.clips]
    assert found.lines[2].by_scene["shop"] == pytest.approx(np.mean(areas))
    assert "Macro by scene" in text(found)
    assert "Labels: labels/*.npy" not in found.titles["shop"]


def test_one_without_scenes_is_one_scene(away: Path, shop: Path) -> None:
    both = ("yard",)
    plain = transferred(away, protocol="raw", datasets=both)
    whole = transferred(away, protocol="raw", calibrate="scene", datasets=both)
    for before, after in zip(plain.lines, whole.lines, strict=True):
        assert before.rows["yard"].micro == pytest.approx(after.rows["yard"].micro)


def test_a_scene_without_training_clips_is_named(away: Path, shop: Path, cache: Path) -> None:
    (shop / "training/door_1").rename(shop / "training/roof_1")
    words = "expected train clips of every scene of shop for --calibrate scene, found none of door; put them there"
    with pytest.raises(PagenError, match=words):
        transferred(away, calibrate="scene")
    assert not cache.exists()


def test_a_detector_at_home_is_calibrated_as_training_does(shop: Path, tmp_path: Path) -> None:
    """Nearest neighbours know their own training clips by heart: every distance would be 0."""
    recipe = replace(RECIPES["knn"].at("tiny"), features="lite0", size=(32, 48))  # type: ignore[call-arg]
    path = tmp_path / "knn"
    train(Train(recipe, "shop", scale="tiny", out=path, device="cpu", workers=0))
    kept = open_run(path).calibration["density"]
    found = calibration_of(path, "shop", Compute(None, "cpu", 0))["density"]
    assert found["median"] > 0
    assert found["median"] == pytest.approx(kept["median"])
    assert found["object_p100"] == pytest.approx(kept["object_p100"])


def test_editions_are_columns_of_one_scoring(away: Path, shop: Path) -> None:
    found = transferred(away, labels=("shop=all",), leave_one_out=True)
    assert found.datasets == ("shop (labels/*.npy)", "shop (strict/*.npy)")
    assert found.label_editions == {name: name[6:-1] for name in found.datasets}
    scores = open_scores(away / "scores/shop/last")
    for folder, name in zip(("labels", "strict"), found.datasets, strict=True):
        truth = np.concatenate([np.load(shop / folder / f"{clip.removeprefix('test_')}.npy") for clip in scores.clips])
        values = np.concatenate([scores.clips[clip]["psnr_local"] for clip in scores.clips])
        assert found.lines[2].rows[name].raw == pytest.approx(roc_auc_score(truth, values), abs=1e-12)
    assert [path.name for path in (away / "scores/shop").iterdir()] == ["last"]
    assert "on shop (strict/*.npy)" in text(found)
    assert list(found.left_out[0].held) == list(found.datasets)


def test_one_edition_that_is_asked_for_is_the_column(away: Path, shop: Path) -> None:
    found = transferred(away, labels=("strict/*.npy",))
    assert (found.datasets, found.label_editions) == (("shop",), {"shop": "strict/*.npy"})
    with pytest.raises(PagenError, match="no edition of labels of shop named 'gt'"):
        transferred(away, labels=("shop=gt",))
    with pytest.raises(PagenError, match="expected DATASET=EDITION as --labels, of shop, found yard=gt"):
        transferred(away, labels=("yard=gt",))


def test_a_run_of_ones_own_is_told_by_name(make_run: Callable[..., Path], away: Path, shop: Path) -> None:
    own = make_run(1, "own", recipe="skip", dataset="shop", seed=1)
    joined = make_run(2, "joined", recipe="skip", dataset="shop+street", seed=2)
    found = transferred(away, own, joined, leave_one_out=True)
    assert [line.own for line in found.lines[2:]] == [(), ("shop",), ("shop",)]
    held = found.left_out[-1].held["shop"]
    assert (held.runs, held.own_runs) == (1, 2)
    assert held.mean == found.lines[2].rows["shop"].micro
    assert "shop+street" in text(found)
    assert found.lines[0].run == TRIVIAL
    assert not math.isnan(held.own)


def test_choices_go_with_the_source_alone(away: Path, shop: Path) -> None:
    with pytest.raises(PagenError, match="expected --calibrate source with --choose-on, found scene"):
        run(Transfer((away,), ("shop",), calibrate="scene", choose_on="yard"))
