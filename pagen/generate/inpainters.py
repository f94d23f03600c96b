"""The inpainters by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pagen.errors import PagenError, unknown_name
from pagen.generate.inpaint import Inpainter, Painting
from pagen.hub import HUB_ID
from pagen.registry import Registry, resolve

INPAINTERS: Registry[Callable[[Painting], Inpainter]] = Registry(
    "inpainter",
    "pagen.inpainters",
    {"bundled": "pagen.generate.diffusion:open_bundled", "telea": "pagen.generate.inpaint:open_telea"},
)
"""Name -> factory over a `Painting`."""
PIPELINE = "pagen.generate.diffusion:open_pipeline"
"""What opens the pipeline of a folder or hub id; torch's and diffusers', which Telea does without."""


def open_inpainter(name: str, painting: Painting | None = None) -> Inpainter:
    """An inpainter by its name, or the diffusers inpainting pipeline of a folder or hub id.

    Args:
        name: a name of `INPAINTERS`, a folder, or `owner/name` on the Hugging Face hub.
        painting: how it works, if not by the defaults.

    Raises:
        PagenError: none of the three, or the pipeline cannot be used.

    Example:
        >>> open_inpainter("telea")
        Telea(radius=3)
    """
    painting = painting or Painting()
    if name in INPAINTERS:
        return INPAINTERS[name](painting)
    if Path(name).is_dir() or HUB_ID.fullmatch(name):
        pipeline: Inpainter = resolve(PIPELINE)(name, painting)
        return pipeline
    unknown = unknown_name("inpainter", name, INPAINTERS.names())
    raise PagenError(f"{unknown}, or a folder or hub id of a diffusers inpainting pipeline")
