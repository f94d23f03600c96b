"""The generator of pseudo-anomalies: spatial, temporal, skip, patch; on disk, seeded, browsable."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagen.generate.pa_set import open_pa_set as open_pa_set

__all__ = ["open_pa_set"]


def __getattr__(name: str) -> Any:
    # lazy: the data set of PAs is torch's, and the command line must not pay for torch
    if name in __all__:
        return getattr(import_module("pagen.generate.pa_set"), name)
    raise AttributeError(f"module 'pagen.generate' has no attribute {name!r}")
