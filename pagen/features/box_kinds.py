"""The kinds of boxes by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable

from pagen.errors import PagenError
from pagen.features.box_file import FileBoxes, object_file
from pagen.features.box_motion import Motion
from pagen.features.boxes import Finder
from pagen.registry import Registry


def _motion(option: str, device: str) -> Finder:
    if option:
        raise PagenError(f"expected boxes 'motion' without an option, found 'motion:{option}'; leave {option!r} out")
    return Motion()


def _file(option: str, device: str) -> Finder:
    return FileBoxes(object_file(option, "box"))


def _detector(option: str, device: str) -> Finder:
    from pagen.features.box_detector import open_detector  # torch's, which the other boxes do without

    return open_detector(option, device)


BOXES: Registry[Callable[[str, str], Finder]] = Registry(
    "kind of boxes", "pagen.boxes", {"motion": _motion, "file": _file, "detector": _detector}
)
"""Name -> factory over what follows the colon of `name:option`, empty without one, and a device of torch's."""


def open_boxes(spec: str, device: str = "cpu") -> Finder:
    """Boxes by `name` or `name:option`: `motion`, `file:PATH`, `detector:MODEL`.

    Raises:
        PagenError: no such boxes, option, file, model or device.
    """
    name, _, option = spec.partition(":")
    return BOXES[name](option, device)
