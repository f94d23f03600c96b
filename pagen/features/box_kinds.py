"""The kinds of boxes by name; others register theirs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from pagen.registry import Registry

if TYPE_CHECKING:
    from pagen.features.boxes import BoxFinder

BOXES: Registry[Callable[[str, str], BoxFinder]] = Registry(
    "kind of boxes",
    "pagen.boxes",
    {
        "motion": "pagen.features.box_motion:open_motion",
        "file": "pagen.features.box_file:open_file",
        "detector": "pagen.features.box_detector:open_detector",
    },
    callable,
)
"""Name -> factory over what follows the colon of `name:option`, empty without one, and a device of torch's."""


def open_boxes(spec: str, device: str = "cpu") -> BoxFinder:
    """Boxes by `name` or `name:option`. Raises PagenError: no such boxes, option, file, model or device."""
    name, _, option = spec.partition(":")
    return BOXES[name](option, device)


def has_poses(spec: str) -> bool:
    """Whether boxes by `name:option` are of a file that holds poses beside them; of no file they are not."""
    name, _, path = spec.partition(":")
    if name != "file":
        return False
    try:
        with ZipFile(Path(path).expanduser()) as file:
            return any(each.endswith("_poses.npy") for each in file.namelist())
    except (OSError, BadZipFile):
        return False
