"""A package of somebody else's, installed: its entries of every registry go through the command line as ours do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PACKAGE = Path(__file__).parent / "third_party"
REGISTRIES = {
    "pagen.datasets": "pagen.footage.catalogue:DATASETS",
    "pagen.flows": "pagen.footage.flow:FLOWS",
    "pagen.masks": "pagen.generate.mask_kinds:MASKS",
    "pagen.inpainters": "pagen.generate.inpainters:INPAINTERS",
    "pagen.patch_masks": "pagen.generate.frame_flags:PATCH_MASKS",
    "pagen.intruders": "pagen.generate.frame_flags:SOURCES",
    "pagen.networks": "pagen.models.networks:NETWORKS",
    "pagen.recipes": "pagen.train.recipes.table:RECIPES",
    "pagen.indicators": "pagen.scoring.indicator_table:INDICATORS",
    "pagen.features": "pagen.features.kinds:FEATURES",
    "pagen.boxes": "pagen.features.box_kinds:BOXES",
    "pagen.encoders": "pagen.models.encoders.kinds:ENCODERS",
    "pagen.detectors": "pagen.models.density.detectors:DETECTORS",
    "pagen.protocols": "pagen.eval.protocols:PROTOCOLS",
}
TRAININGS = {
    "coarse": ("coarse", "--steps", "2", "--epochs", "1", "--kinds", "patch", "--probability", "0.5"),
    "cells": ("mahalanobis", "--features", "cells", "--shrinkage", "0.01"),
    "blocks": ("mahalanobis", "--features", "blocks", "--pool", "2"),
    "tiles": ("knn", "--features", "velocity", "--boxes", "tiles", "--flow", "slope", "--bins", "4"),
}
"""Run -> how it is trained."""
INDICATORS = {"coarse": "detail", "cells": "density", "blocks": "density", "tiles": "velocity"}
ALL = tuple(TRAININGS)
COMMANDS = "import json, sys\nfrom pagen.cli import main\nfor words in json.load(sys.stdin): main(words)"

Run = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """In which the package is installed, beside what is installed here."""
    top = tmp_path_factory.mktemp("third_party")
    shutil.copytree(PACKAGE, top / "source")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    command = (sys.executable, "-m", "pip", "install", *options, "--target", top / "site", top / "source")
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""})
    paths = (str(top / "site"), os.environ.get("PYTHONPATH", ""))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="session")
def pagen(environment: dict[str, str]) -> Run:
    """`pagen(["train", ...], ...)`: what these command lines print as JSON, run by one interpreter of its own."""

    def run(*commands: tuple[Any, ...]) -> list[Any]:
        lines = [[*map(str, words), "--json"] for words in commands]
        done = subprocess.run(
            [sys.executable, "-P", "-c", COMMANDS],
            input=json.dumps(lines),
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        decoder, results, rest = json.JSONDecoder(), list[Any](), done.stdout.strip()
        while rest:
            result, end = decoder.raw_decode(rest)
            results.append(result)
            rest = rest[end:].strip()
        assert len(results) == len(commands)
        return results

    return run


@pytest.fixture(scope="session")
def pseudo(pagen: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pseudo-anomalies by its masks, inpainter, flow, patches and intruders."""
    out = tmp_path_factory.mktemp("pseudo") / "set"
    kinds = ("--kinds", "spatial", "temporal", "patch", "--masks", "centre:0.4", "--inpainter", "flat")
    parts = ("--flow", "slope", "--patch", "diamond", "--intruders", "stripes", "--size", "96", "144")
    pagen(("generate", "--dataset", "crossing", *kinds, *parts, "--workers", "0", "--device", "cpu", "--out", out))
    return out


@pytest.fixture(scope="session")
def runs(pagen: Run, pseudo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of its recipe and detector, over its features, encoder and boxes."""
    top = tmp_path_factory.mktemp("runs")
    shared = ("--dataset", "crossing", "--scale", "tiny", "--device", "cpu", "--workers", "0")
    lines = [("train", *words, *shared, "--out", top / name) for name, words in TRAININGS.items()]
    lines[0] += ("--pseudo", pseudo)
    pagen(*lines)
    return {name: top / name for name in TRAININGS}


@pytest.fixture(scope="session")
def camera(write_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which nothing is abnormal."""
    return write_folder(tmp_path_factory.mktemp("camera"), {"training/a": 40}, (96, 144)) / "training/a"


@pytest.mark.slow
def test_it_has_an_entry_in_every_registry(environment: dict[str, str]) -> None:
    groups = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert groups.keys() == REGISTRIES.keys()
    names = [(REGISTRIES[group], name) for group, entries in groups.items() for name in entries]
    code = f"from pagen.registry import resolve\nfor table, name in {names}: resolve(table)[name]"
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)


def test_every_registry_of_the_tree_is_among_them() -> None:
    top = Path(__file__).parents[1]
    files = [file for room in ("pagen", "models", "train", "eval") for file in (top / room).rglob("*.py")]
    opening = re.compile(r'\(\s*"[^"]+",\s*"(pagen\.[a-z_]+)"[,)]')  # what an entry is, and the group
    groups = {group for file in files for group in opening.findall(file.read_text("utf-8"))}
    assert groups - {"pagen.sources"} == REGISTRIES.keys()  # what scores a source comes with the sessions that train it


@pytest.mark.slow
def test_pseudo_anomalies_are_made_with_its_parts(pseudo: Path) -> None:
    mask = np.unpackbits(np.load(pseudo / "spatial_mask/train_01.npy"), axis=2)[0, :, :144]
    assert 0.1 < mask.mean() < 0.25
    assert mask[48, 72] == 1
    records = [json.loads(line) for line in (pseudo / "patch/train_01.jsonl").read_text().splitlines()]
    assert {record["intruder"] for record in records} <= {"4", "8"}
    config = json.loads((pseudo / "manifest.json").read_text())["config"]
    assert (config["inpainter"], config["patch"]) == ("flat", "diamond")


@pytest.mark.slow
def test_its_data_set_is_prepared(pagen: Run, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    (result,) = pagen(("prepare", "--dataset", "crossing_square", "--size", "32", "48", "--out", out))
    assert result["frames"] == {"train": 48, "test": 48}


@pytest.mark.slow
def test_its_features_are_extracted(pagen: Run) -> None:
    shared = ("--dataset", "crossing", "--size", "96", "144", "--workers", "0", "--device", "cpu")
    cells, blocks = pagen(*(("features", kind, *shared) for kind in ("cells", "blocks")))
    assert (cells["features"], cells["rows"]) == (2, 4 * 24 * 12)
    assert (blocks["features"], blocks["rows"]) == (48, 4 * 24)


def test_its_runs_say_what_they_are(runs: dict[str, Path]) -> None:
    recipes = {name: json.loads((run / "recipe.json").read_text()) for name, run in runs.items()}
    assert {name: recipe["recipe"] for name, recipe in recipes.items()} == {
        **dict.fromkeys(("cells", "blocks"), "mahalanobis"),
        "coarse": "coarse",
        "tiles": "knn",
    }
    assert recipes["cells"]["shrinkage"] == 0.01
    for name, run in runs.items():
        calibrated = json.loads((run / "calibration.json").read_text())
        assert INDICATORS[name] in calibrated


def test_its_runs_are_evaluated(pagen: Run, runs: dict[str, Path]) -> None:
    shared = ("--dataset", "crossing", "--protocol", "causal", "every_other", "--device", "cpu", "--workers", "0")
    (result,) = pagen(("evaluate", *runs.values(), *shared))
    text = json.dumps(result)
    for name, run in runs.items():
        assert run.name in text
        assert INDICATORS[name] in text
    assert "every_other" in text


def test_its_runs_are_transferred(pagen: Run, runs: dict[str, Path]) -> None:
    shared = ("--datasets", "crossing", "crossing_square", "--device", "cpu", "--workers", "0")
    (result,) = pagen(("transfer", *runs.values(), *shared))
    assert all(name in json.dumps(result) for name in ("crossing_square", *ALL))


def test_its_runs_are_reported(pagen: Run, runs: dict[str, Path], tmp_path: Path) -> None:
    shared = ("--dataset", "crossing", "--protocol", "every_other", "--device", "cpu", "--workers", "0")
    pagen(*(("report", run, *shared, "--out", tmp_path / f"{name}.html") for name, run in runs.items()))
    for name in runs:
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert INDICATORS[name] in page
        assert "every_other" in page
    assert "error of what is coarse" in (tmp_path / "coarse.html").read_text(encoding="utf-8")


def test_its_runs_watch_a_camera(pagen: Run, runs: dict[str, Path], camera: Path, tmp_path: Path) -> None:
    rate = ("--normal", camera, "--fps", "10", "--false-alarms-per-hour", "1000", "--device", "cpu")
    pagen(*(("calibrate", run, *rate) for run in runs.values()))
    watched = [("score", run, camera, "--out", tmp_path / name, "--device", "cpu") for name, run in runs.items()]
    pagen(*watched)
    for name in runs:
        assert len((tmp_path / name / "scores.csv").read_text(encoding="utf-8").splitlines()) == 41
        assert INDICATORS[name] in json.loads((runs[name] / "alarms.json").read_text(encoding="utf-8"))["indicator"]
