"""A street of four short clips, and the PA set of all kinds that is made of them once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import pytest

from pagen.footage.prepare import Prepared, open_prepared
from pagen.footage.street.scene import scenes
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import PASet, open_pa_folder

# at 16 frames, c is too short for skip, d for everything
LENGTHS = {"a": 40, "b": 36, "c": 20, "d": 12}
SIZE = (48, 64)

Ask = Callable[..., Generate]
Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def street(once: Once) -> Path:
    """Image folders, clips train_a to train_d."""
    return once("generate-street", draw_street)


def draw_street(root: Path) -> None:
    for (name, length), scene in zip(LENGTHS.items(), scenes(train=4, test=0, frames=40), strict=True):
        folder = root / "training" / name
        folder.mkdir(parents=True)
        for index, frame in enumerate(islice(scene.frames(), length)):
            cv2.imwrite(str(folder / f"{index:03}.png"), cv2.resize(frame, SIZE[::-1], interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="session")
def ask(street: Path) -> Ask:
    """The configuration that makes a PA set of the street; keywords change it."""

    def configuration(out: Path, **changes: Any) -> Generate:
        cheap = {"workers": 0, "device": "cpu", "inference_steps": 2}
        settings = {"root": street, "size": SIZE, **cheap, **changes}
        return Generate("folder", out=out, **settings)

    return configuration


@pytest.fixture(scope="session")
def made(ask: Ask, once: Once) -> Path:
    """A PA set of all kinds; to be read only."""
    return once("generate-pa", lambda out: generate(ask(out)))


@pytest.fixture(scope="session")
def pseudo(made: Path) -> PASet:
    """The same, opened."""
    return open_pa_folder(made)


@pytest.fixture(scope="session")
def prepared(pseudo: PASet) -> Prepared:
    """What it was made of."""
    return open_prepared(pseudo.prepared.path)
