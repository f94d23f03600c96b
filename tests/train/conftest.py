"""A small street as a folder of pictures, a PA set of it, and one finished run of every recipe."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache as cache_
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pagen.footage.clip_input import open_input
from pagen.footage.flow import FlowFolder, flow_folder
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.street.scene import scenes
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.spread import one_thread
from pagen.train.batches import ClipBatches
from pagen.train.config import Train
from pagen.train.recipes.features import DensityRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.recipes.unified import UnifiedRecipe
from pagen.train.session import train

SIZE = (48, 64)
TRAIN, TEST, FRAMES = 3, 1, 48
SMALL = {
    **{"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"image_size": 32, "patch_size": 8, "projection_dim": 12},
}
STORED = ("spatial", "temporal", "discriminator", "unified")
"""Recipes that take pseudo-anomalies from disk."""


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


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def street(once: Once) -> Path:
    """The root of a data set `folder`: grey pictures of the procedural street, 48x64, clips of 48 frames."""
    return once("train-street", draw_street)


def draw_street(root: Path) -> None:
    for scene in scenes(seed=5, train=TRAIN, test=TEST, frames=FRAMES):
        folder = root / ("training" if scene.split == "train" else "testing") / scene.name
        folder.mkdir(parents=True)
        for index, frame in enumerate(scene.frames()):
            cv2.imwrite(str(folder / f"{index:03}.png"), cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA))
        if scene.split == "test":
            (root / "labels").mkdir(exist_ok=True)
            np.save(root / f"labels/{scene.name}.npy", scene.labels())


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
def pseudo(street: Path, flow: FlowFolder, cache: Path, once: Once) -> PASet:
    """A PA set of the street with all kinds."""
    settings: dict[str, Any] = {"inpainter": "telea", "size": SIZE, "workers": 0}
    with working(cache):
        made = once("train-pa", lambda out: generate(Generate("folder", street, **settings, out=out)))
        return open_pa_folder(made)


def tiny(name: str, **changes: Any) -> Any:
    """A recipe at tiny scale, for frames of 48x64."""
    recipe = RECIPES[name].at("tiny")
    if isinstance(recipe, UnifiedRecipe):
        return UnifiedRecipe(*(tiny(member.name, **changes) for member in recipe.members.values()))
    encoder = {"encoder": f"clip:{tiny_clip()}"} if name == "discriminator" else {}
    return replace(recipe, **{"size": SIZE, **encoder, **changes})


@cache_
def tiny_clip() -> Path:
    """A CLIP of random weights in a folder, since no other is so small."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    folder = Path(mkdtemp(prefix="pagen-clip-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    config = CLIPVisionConfig(**SMALL)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


@pytest.fixture(name="tiny", scope="session")
def _tiny() -> Callable[..., Any]:
    return tiny


@pytest.fixture(scope="session")
def make_batches(prepared: Prepared, flow: FlowFolder, pseudo: PASet) -> Callable[..., ClipBatches]:
    """Batches of a recipe; `on_the_fly` leaves the PA set away, keywords change the recipe."""

    def make(name: str, seed: int = 0, on_the_fly: bool = False, **changes: Any) -> ClipBatches:
        recipe = tiny(name, **changes)
        used = None if on_the_fly or not recipe.kinds else pseudo
        about = {**asdict(recipe), "source": recipe.source}
        return ClipBatches(recipe, prepared, open_input(about, prepared, prepared.clips("train"), 0), used, seed)

    return make


@pytest.fixture(scope="session")
def configure(street: Path, pseudo: PASet) -> Callable[..., Train[Any]]:
    """The configuration of a training; keywords change the recipe."""

    def make(name: str, out: Path, resume: bool = False, overwrite: bool = False, **changes: Any) -> Train[Any]:
        path = pseudo.folder.path if name in STORED else None
        how = {"resume": resume, "overwrite": overwrite, "device": "cpu", "workers": 0}
        return Train(tiny(name, **changes), "folder", street, path, "tiny", 0, out, **how)

    return make


@pytest.fixture(scope="session")
def runs(configure: Callable[..., Train[Any]], cache: Path, once: Once) -> Path:
    """A folder with a finished run of every recipe but those of density, by its name. Not to be written to."""

    def train_all(out: Path) -> None:
        for name in (name for name in recipe_names() if not issubclass(RECIPES[name], DensityRecipe)):
            train(configure(name, out / name))

    with working(cache):
        return once("train-runs", train_all)
