"""What all rooms share: a cache of the session's own, no footage of the user's, and two small data sets."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from pagen import cli
from pagen.footage.street import scene as street

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # each process has a core, and torch is not imported yet


@pytest.fixture(autouse=True, scope="session")
def _nothing_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.delenv("PAGEN_DATA", raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _installed_packages_are_read_once() -> Iterator[None]:
    """Registries ask thousands of times for entry points, and each time all that is installed would be read."""

    @cache
    def read(paths: tuple[str, ...], **only: str) -> EntryPoints:
        return entry_points(**only)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pagen.registry.entry_points", lambda **only: read(tuple(sys.path), **only))
        yield


SLOW_FIXTURES = {"made", "ask", "runs", "configure", "make_batches"}
"""What depends on a PA set of all kinds or on trainings."""
SLOW_FILE = re.compile(r"^pytestmark = .*\bmark\.slow\b", re.MULTILINE)
"""What a file says all of whose tests are slow."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: the garbage collector never looks through it, which takes it a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unread of which `make quick` would run no test."""
    if config.option.markexpr != "not slow" or not collection_path.match("test_*.py"):
        return None
    return bool(SLOW_FILE.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what asks for a fixture that is; all else that is slow is marked where it stands."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """A function that has a folder filled by one worker for all of them.

    `once("runs", fill)` calls `fill(folder)` in the worker that asks first, while the others wait. Nobody writes to
    the folder afterwards. A filling that failed is begun anew by whoever asks next.
    """
    top = tmp_path_factory.getbasetemp()
    top = (top.parent if "PYTEST_XDIST_WORKER" in os.environ else top) / "once"

    def filled(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = top / name, top / f"{name}.done"
        top.mkdir(exist_ok=True)
        with FileLock(top / f"{name}.lock"):
            if not done.exists():
                rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return filled


@pytest.fixture
def tiny_street(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data set `street` has 2 training and 2 test clips of 24 frames, in this process."""
    monkeypatch.setattr(street, "scenes", partial(street.scenes, train=2, test=2, frames=24))


WriteFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def write_folder() -> WriteFolder:
    """A function that writes a data set `folder`.

    `write_folder(root, {"training/a": 20, "testing/x": 20}, size=(32, 48), colour=False)` makes folders of
    PNGs in which a bright square moves over noise; in the second half of a test clip it moves fast, and
    `labels/NAME.npy` says so.
    """

    def write(root: Path, lengths: Mapping[str, int], size: tuple[int, int] = (32, 48), colour: bool = False) -> Path:
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 80, (*size, 3) if colour else size, np.uint8)
        for clip, length in lengths.items():
            labels = (np.arange(length) >= length // 2).astype(np.uint8) * clip.startswith("testing")
            (root / clip).mkdir(parents=True)
            for index, x in enumerate(np.cumsum(1 + 2 * labels) % (size[1] - 8)):
                frame = noise.copy()
                frame[8:16, x : x + 8] = 200
                Image.fromarray(frame).save(root / clip / f"{index:03}.png", compress_level=1)
            if clip.startswith("testing"):
                (root / "labels").mkdir(exist_ok=True)
                np.save(root / "labels" / f"{Path(clip).name}.npy", labels)
        return root

    return write


Understood = Callable[[list[str]], None]


@pytest.fixture
def understood(monkeypatch: pytest.MonkeyPatch) -> Understood:
    """A function that reads the words after `pagen` as the command line does: an unknown verb or flag raises.

    The verb itself is not run; `--help` and `--version` are.
    """

    def read(words: list[str]) -> None:
        if "--help" in words or words[0].startswith("--"):
            with suppress(SystemExit):
                cli.dispatch(words)
            return
        assert words[0] in cli.VERBS
        module = import_module(cli.VERBS[words[0]][0].split(":")[0])
        seen: list[object] = []
        monkeypatch.setattr(module, "run", seen.append)
        cli.dispatch(words)
        assert len(seen) == 1

    return read
