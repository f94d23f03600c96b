"""The kinds of boxes by name; others register theirs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
)
"""Name -> factory over what follows the colon of `name:option`, empty without one, and a device of torch's."""


def open_boxes(spec: str, device: str = "cpu") -> BoxFinder:
    """Boxes by `name` or `name:option`. Raises PagenError: no such boxes, option, file, model or device."""
    name, _, option = spec.partition(":")
    return BOXES[name](option, device)
