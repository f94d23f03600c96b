"""The folder of one camera: it knows whose it is, and one command at a time watches into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.folders import write_json
from pagen.locks import alone
from pagen.manifest import require_no_link

FILE = "camera.json"
_LONGEST = 100


@dataclass(frozen=True)
class Camera:
    """Whose a folder is, as its `camera.json` says."""

    name: str
    recording: str | None

    def __str__(self) -> str:
        return self.recording or self.name


def folder_of(name: str) -> str:
    """The name of a camera as that of a folder. Raises PagenError where nothing of it can stand there, or too much."""
    folder = re.sub(r"[^\w.]+", "-", name).strip("-.")
    if not 0 < len(folder) <= _LONGEST:
        raise PagenError(f"expected a --name of letters or digits, at most {_LONGEST}, found {name!r}; give another")
    return folder


@contextmanager
def folder_of_camera(folder: Path, name: str, recording: Path | None) -> Iterator[None]:
    """Alerts and scores of a camera may be written to this folder while the block runs.

    A camera is known by its name, wherever it is reached; a recording, whose scores are written anew, by its path too.
    Raises PagenError where the folder is another one's, or another command watches into it.
    """
    require_no_link(folder)
    with alone(folder):
        _own(folder, Camera(name, None if recording is None else str(recording.absolute())))
        yield


def _own(folder: Path, camera: Camera) -> None:
    """Note whose the folder is; one of an earlier version belongs to whoever comes first."""
    file = folder / FILE
    require_no_link(file)
    if not file.exists():
        write_json(file, asdict(camera))
        return
    there = read_json(file, Camera, "the camera of a folder", "remove it")
    if there != camera:
        raise PagenError(f"expected {folder} for {camera}, found it taken by {there}; give another --name or --out")
