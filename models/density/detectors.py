"""The detectors by name; others register theirs. The table is read for flags, and so imports nothing heavy."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

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
    lambda kind: isinstance(kind, type) and is_dataclass(kind),
)
"""Name -> class of a detector."""
