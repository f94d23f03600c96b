"""pagen: video anomaly detection with pseudo-anomalies, end to end."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pagen.version import __version__

if TYPE_CHECKING:
    from pagen.footage.prepare import open_prepared as open_prepared
    from pagen.footage.prepare import prepare as prepare

__all__ = ["__version__", "open_prepared", "prepare"]


def __getattr__(name: str) -> Any:
    # lazy: the command line imports this package before it knows what it needs
    if name in ("prepare", "open_prepared"):
        return getattr(import_module("pagen.footage.prepare"), name)
    raise AttributeError(f"module 'pagen' has no attribute {name!r}")
