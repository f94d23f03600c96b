"""A small street as a folder of pictures, a PA set of it, and one finished run of every recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pagen.footage.flow import FlowFolder, flow_folder
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.street import scenes
from pagen.generate.generate import Generate, generate
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.spread import one_thread
from pagen.train.batches import Batches
from pagen.train.recipes import RECIPES, Recipe
from pagen.train.session import train
from pagen.train.train import Train

SIZE = (48, 64)
TRAIN, TEST, FRAMES = 3, 1, 48


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for all tests of training."""
    return tmp_path_factory.mktemp("cache")


@contextmanager
def working(cache: Path) -> Iterator[None]:
    """With that cache folder, and with one thread: so small a network is fastest so."""
    with pytest.MonkeyPatch.context() as patch, one_thread():
        patch.setenv("PAGEN_CACHE", str(cache))
        yield


@pytest.fixture(autouse=True)
def _working(cache: Path) -> Iterator[None]:
    with working(cache):
        yield


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a data set `folder`: grey pictures of the procedural street, 48x64, clips of 48 frames."""
    root = tmp_path_factory.mktemp("street")
    for scene in scenes(seed=5, train=TRAIN, test=TEST, frames=FRAMES):
        folder = root / ("training" if scene.split == "train" else "testing") / scene.name
        folder.mkdir(parents=True)
        for index, frame in enumerate(scene.frames()):
            cv2.imwrite(str(folder / f"{index:03}.png"), cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA))
        if scene.split == "test":
            (root / "labels").mkdir(exist_ok=True)
            np.save(root / f"labels/{scene.name}.npy", scene.labels())
    return root


@pytest.fixture(scope="session")
def prepared(street: Path, cache: Path) -> Prepared:
    """The street, prepared."""
    with working(cache):
        return prepare("folder", street, SIZE, workers=0)


@pytest.fixture(scope="session")
def flow(prepared: Prepared, cache: Path) -> FlowFolder:
    """The flow of its training clips."""
    with working(cache):
        return flow_folder(prepared, prepared.clips("train"), workers=0)


@pytest.fixture(scope="session")
def pseudo(street: Path, flow: FlowFolder, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> PASet:
    """A PA set of the street: spatial, temporal and skip."""
    out = tmp_path_factory.mktemp("pa") / "set"
    with working(cache):
        kinds = ("spatial", "temporal", "skip")
        generate(Generate("folder", street, kinds, inpainter="telea", size=SIZE, workers=0, out=out))
        return open_pa_folder(out)


def tiny(name: str, **changes: Any) -> Recipe:
    """A recipe at tiny scale, for frames of 48x64."""
    return replace(RECIPES[name].at("tiny"), **{"size": SIZE, **changes})


@pytest.fixture(name="tiny", scope="session")
def _tiny() -> Callable[..., Recipe]:
    return tiny


@pytest.fixture(scope="session")
def make_batches(prepared: Prepared, flow: FlowFolder, pseudo: PASet) -> Callable[..., Batches]:
    """Batches of a recipe; `on_the_fly` leaves the PA set away, keywords change the recipe."""

    def make(name: str, seed: int = 0, on_the_fly: bool = False, **changes: Any) -> Batches:
        recipe = tiny(name, **changes)
        used = None if on_the_fly or recipe.kind is None else pseudo
        return Batches(recipe, prepared, flow if recipe.source == "flow" else None, used, seed)

    return make


@pytest.fixture(scope="session")
def configure(street: Path, pseudo: PASet) -> Callable[..., Train[Any]]:
    """The configuration of a training; keywords change the recipe."""

    def make(name: str, out: Path, resume: bool = False, overwrite: bool = False, **changes: Any) -> Train[Any]:
        path = None if name in ("baseline", "skip") else pseudo.folder.path
        recipe = tiny(name, **changes)
        return Train(recipe, "folder", street, path, "tiny", 0, out, resume, overwrite, "cpu", workers=0)

    return make


@pytest.fixture(scope="session")
def runs(configure: Callable[..., Train[Any]], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of every recipe, by its name. Not to be written to."""
    out = tmp_path_factory.mktemp("runs")
    with working(cache):
        for name in RECIPES:
            train(configure(name, out / name))
    return out
