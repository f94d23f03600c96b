"""The encoders by name; others register theirs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pagen.registry import Registry

if TYPE_CHECKING:
    from pagen.models.encoders.encoder import Encoder

ENCODERS: Registry[Callable[[str], Encoder]] = Registry(
    "encoder",
    "pagen.encoders",
    {
        "lite0": "pagen.models.encoders.lite0:open_lite0",
        "clip": "pagen.models.encoders.clip:open_clip",
        "vificlip": "pagen.models.encoders.clip:open_vificlip",
    },
    callable,
)
"""Name -> factory over what follows the colon of `name:option`, empty without one; raises PagenError.

Each of them gives features of frames as well, by its name.
"""
