"""The inpainters by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pagen.errors import PagenError, unknown_name
from pagen.generate.inpaint import Inpainter, Painting, Telea
from pagen.hub import HUB_ID
from pagen.registry import Registry, resolve

INPAINTERS: Registry[Callable[[Painting], Inpainter]] = Registry(
    "inpainter",
    "pagen.inpainters",
    {"bundled": "pagen.generate.diffusion:open_bundled", "telea": lambda painting: Telea()},
    callable,
)
"""Name -> factory over a `Painting`."""


def open_inpainter(name: str, painting: Painting | None = None) -> Inpainter:
    """An inpainter by its name in `INPAINTERS`, or the diffusers inpainting pipeline of a folder or hub id.

    Raises PagenError: none of the three, or the pipeline cannot be used.

    Example:
        >>> open_inpainter("telea")
        Telea(radius=3)
    """
    painting = painting or Painting()
    if name in INPAINTERS:
        return INPAINTERS[name](painting)
    if Path(name).is_dir() or HUB_ID.fullmatch(name):
        open_pipeline: Callable[[str, Painting], Inpainter] = resolve("pagen.generate.diffusion:open_pipeline")
        return open_pipeline(name, painting)
    unknown = unknown_name("inpainter", name, INPAINTERS.names())
    raise PagenError(f"{unknown}, or a folder or hub id of a diffusers inpainting pipeline")
