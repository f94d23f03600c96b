"""Runs of every kind are tested on a data set of another size than that they were trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pagen.compute import Compute
from pagen.eval.settings import EvaluationSettings
from pagen.eval.transfer.results import Transferred, text
from pagen.eval.transfer.transfer import Transfer, editions_of, require_roots
from pagen.eval.transfer.transferring import transfer
from pagen.folders import Folder, digests, write_json
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train

pytestmark = pytest.mark.slow

MakeRun = Callable[..., Path]
KNOWN = {"p1": -30.0, "median": -20.0, "p99": -5.0, **{f"p{share}": float(share) for share in (0, 100)}}


@pytest.fixture
def sets(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of one's own, `shop` and `yard`, of two sizes: a square moves, faster where it is abnormal."""
    entries = []
    for name, (height, width) in {"shop": (96, 144), "yard": (112, 160)}.items():
        root = tmp_path / name
        for clip in ("training/a", "training/c", "testing/b"):
            (root / clip).mkdir(parents=True)
            noise = np.random.default_rng(0).integers(0, 60, (height, width), np.uint8)
            for index in range(26):
                frame, fast = noise.copy(), index >= 13 and clip.startswith("testing")
                x = (9 if fast else 5) * index % (width - 24)
                frame[30:70, x : x + 22] = 220
                cv2.imwrite(str(root / clip / f"{index:02}.png"), frame)
        (root / "labels").mkdir()
        np.save(root / "labels/b.npy", (np.arange(26) >= 13).astype(np.uint8))
        entries.append(f"[{name}]\nroot = {json.dumps(str(root))}\n")
    file = tmp_path / "mine.toml"
    file.write_text("".join(entries), encoding="utf-8")
    monkeypatch.setenv("PAGEN_DATASETS", str(file))
    return tmp_path


def found(*runs: Path, **changes: Any) -> Transferred:
    config = replace(Transfer(runs, ("shop", "yard"), device="cpu", workers=0), **changes)
    how = (Compute.of(config), editions_of(config), config.calibrate, config.leave_one_out)
    return transfer(config.runs, require_roots(config), config.protocol, EvaluationSettings(), *how)


def finished(path: Path, *files: str) -> Path:
    folder = Folder.begin(path, "run", {}, {})
    folder.record("run", digests(path, [path / "recipe.json", *(path / file for file in files)]))
    folder.finish()
    return path


def luss(make_run: MakeRun) -> Path:
    path = make_run(0, "luss", recipe="luss", dataset="shop", window=16)
    LUSSAE(1, "tiny", prp="conv").save_pretrained(path / "model")
    names = ("vcr", "vcr_local", "ffp", "ffp_local", "prp")
    write_json(path / "calibration.json", dict.fromkeys(names, KNOWN))
    return finished(path, *(f"model/{file.name}" for file in sorted((path / "model").iterdir())))


def unified(make_run: MakeRun, tmp_path: Path) -> Path:
    path = tmp_path / "unified"
    Folder.begin(path, "run", {}, {})
    about = {"recipe": "unified", "dataset": "shop", "scale": "tiny", "seed": 0, "size": [32, 48]}
    write_json(path / "recipe.json", {**about, "members": ["spatial", "temporal", "discriminator"]})
    for name, source, channels in (("spatial", "frames", 1), ("temporal", "flow", 3)):
        member = make_run(1, f"unified/{name}", recipe=name, dataset="shop", source=source, channels=channels)
        stem = {"frames": "psnr", "flow": "flow"}[source]
        write_json(member / "calibration.json", {stem: KNOWN, f"{stem}_local": KNOWN})
    judge = make_run(
        1, "unified/discriminator", recipe="discriminator", dataset="shop", source="features", encoder="lite0"
    )
    Discriminator(1280, 8).save_pretrained(judge / "model")
    write_json(judge / "calibration.json", {"semantic": KNOWN})
    finished(judge, *(f"model/{file.name}" for file in sorted((judge / "model").iterdir())))
    return finished(path)


def trained(name: str, out: Path, dataset: str = "shop", **changes: Any) -> Path:
    recipe = replace(RECIPES[name].at("tiny"), **changes)
    train(Train(recipe, dataset, scale="tiny", out=out, device="cpu", workers=0))
    return out


def test_runs_of_every_kind(sets: Path, make_run: MakeRun) -> None:
    runs = (
        luss(make_run),
        unified(make_run, sets),
        trained("knn", sets / "motion", features="velocity"),
        trained("gmm", sets / "codes", features="lite0", size=(32, 48)),
        trained("gcl", sets / "gcl", features="lite0", size=(32, 48), segment=4),
    )
    for calibrate in ("source", "target", "scene"):
        table = found(*runs, calibrate=calibrate, leave_one_out=True)
        lines = {line.method: line for line in table.lines[2:]}
        assert len(lines) == len(runs), calibrate
        for line in lines.values():
            assert line.own == ("shop",)
            assert all(0 <= line.micro(name) <= 1 for name in table.datasets), line.method
        assert {"luss (tiny)", "unified (tiny)", "knn of velocity (tiny)", "gmm of lite0 (tiny)"} < set(lines)
        assert lines["unified (tiny)"].indicator.startswith("fused")
        assert "Leave one out" in text(table)
