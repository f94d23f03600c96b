"""The detectors by name; others register theirs."""

from __future__ import annotations

from pathlib import Path

from pagen.errors import PagenError
from pagen.models.density.detector import Detector
from pagen.models.pretrained import read_config
from pagen.registry import Registry

DETECTORS: Registry[type[Detector]] = Registry(
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
"""Name -> class of a detector."""


def open_detector(path: Path | str) -> Detector:
    """Open the detector of a folder, whichever of the registered classes it is.

    Raises:
        PagenError: missing or damaged, or a class that nobody registered.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     DETECTORS["knn"]().fit(np.zeros((3, 2))).save(folder)
        ...     open_detector(folder)
        Neighbours(k=1)
    """
    name, _ = read_config(Path(path))
    classes = {detector.__name__: detector for detector in map(DETECTORS.__getitem__, DETECTORS.names())}
    if name not in classes:
        raise PagenError(f"expected one of {' '.join(sorted(classes))} in {path}, found a {name}; is the path right?")
    return classes[name].load(path)
