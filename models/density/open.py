"""Any detector from its folder: `config.json` names the class."""

from __future__ import annotations

from pathlib import Path

from pagen.errors import PagenError
from pagen.models.density.detector import Detector
from pagen.models.density.detectors import DETECTORS
from pagen.models.pretrained import read_config


def open_detector(path: Path | str) -> Detector:
    """Open the detector of a folder, whichever of the registered classes it is.

    Raises PagenError: missing or damaged, or a class that nobody registered.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     DETECTORS["knn"]().fit(np.zeros((3, 2))).save(folder)
        ...     open_detector(folder)
        Neighbours(k=1)
    """
    name, _ = read_config(Path(path))
    classes: dict[str, type[Detector]] = {kind.__name__: kind for kind in map(DETECTORS.__getitem__, DETECTORS.names())}
    if name not in classes:
        raise PagenError(f"expected one of {' '.join(sorted(classes))} in {path}, found a {name}; is the path right?")
    return classes[name].load(path)
