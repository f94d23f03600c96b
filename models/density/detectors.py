"""The detectors by name; others register theirs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.models.density.detector import Detector
from pagen.models.pretrained import read_config
from pagen.registry import Registry

DETECTORS: Registry[Any] = Registry(
    "detector",
    "pagen.detectors",
    {
        "mulde": "pagen.models.density.mulde:MULDE",
        "msma": "pagen.models.density.msma:MSMA",
        "knn": "pagen.models.density.neighbours:Neighbours",
        "gmm": "pagen.models.density.mixture:Mixture",
        "gcl": "pagen.models.density.gcl:GCL",
    },
)


def open_detector(path: Path | str) -> Detector:
    """The detector of a folder, whichever it is.

    Raises:
        PagenError: missing or damaged, or a class that is in no table.
    """
    name, _ = read_config(Path(path))
    kinds = {kind.__name__: kind for kind in map(detector_named, DETECTORS.names())}
    if name not in kinds:
        raise PagenError(f"expected one of {' '.join(sorted(kinds))} in {path}, found a {name}; is the path right?")
    return kinds[name].load(path)


def detector_named(name: str) -> type[Detector]:
    """The class of that name. Raises PagenError that tells the nearest one."""
    found = DETECTORS[name]
    if isinstance(found, str):  # an entry point gives the class itself
        module, _, attribute = found.partition(":")
        found = getattr(import_module(module), attribute)
    kind: type[Detector] = found
    return kind
