"""A small data set in the folder layout, a cache of its own, and runs with random weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pagen.folders import Folder, digests, write_json
from pagen.models.conv_ae import ConvAE3d

LENGTHS = {"training/a": 17, "testing/x": 30, "testing/y": 5}
HEIGHT, WIDTH = 20, 36


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache folder, empty."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Grey frames in which a square moves over noise, faster where the label is 1; test clips x and y."""
    root = tmp_path / "footage"
    for name, length in LENGTHS.items():
        labels = (np.arange(length) >= length // 2).astype(np.uint8) * name.startswith("testing")
        place = np.cumsum(1 + 2 * labels) % (WIDTH - 8)
        (root / name).mkdir(parents=True)
        noise = np.random.default_rng(0).integers(0, 60, (HEIGHT, WIDTH), np.uint8)
        for index, x in enumerate(place):
            frame = noise.copy()
            frame[6:14, x : x + 8] = 200
            cv2.imwrite(str(root / name / f"{index:03}.png"), frame)
        if name.startswith("testing"):
            (root / "labels").mkdir(exist_ok=True)
            np.save(root / f"labels/{Path(name).name}.npy", labels)
    return root


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run folder; keywords change its recipe, `weights` its seed, `name` its path."""

    def make(weights: int = 0, name: str = "run", **changes: Any) -> Path:
        path = tmp_path / name
        recipe = {
            "recipe": "baseline",
            "dataset": "folder",
            "size": [HEIGHT, WIDTH],
            "channels": 1,
            "source": "frames",
            "window": 16,
            "encoding": "uvm",
            "radius": 8.0,
            "flow": "dis",
            "scale": "tiny",
            "seed": 0,
            **changes,
        }
        recipe = {"colour": False, **recipe}
        torch.manual_seed(weights)
        folder = Folder.begin(path, "run", {}, {}, overwrite=True)
        write_json(path / "recipe.json", recipe)
        stem = {"frames": "psnr", "flow": "flow"}.get(recipe["source"], recipe["source"])
        write_json(path / "calibration.json", {stem: {}, f"{stem}_local": {}})
        ConvAE3d(recipe["channels"], "tiny").save_pretrained(path / "model")
        folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
        folder.finish()
        return path

    return make
