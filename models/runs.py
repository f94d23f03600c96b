"""A run folder: what training leaves and evaluation opens; the two never meet but here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.folders import Folder
from pagen.models.conv_ae import ConvAE3d

RECIPE, MODEL = "recipe.json", "model"


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: the run folder.
        recipe: name, scale, seed, data set, size, and every hyper-parameter.
        model: the network, in evaluation mode, on the CPU.
    """

    path: Path
    recipe: dict[str, Any]
    model: ConvAE3d


def open_run(path: Path) -> Run:
    """Open a finished run. Raises PagenError when it is missing, unfinished or damaged."""
    folder = Folder.open(Path(path), "run")
    try:
        recipe = json.loads((folder.path / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PagenError(f"expected {RECIPE} in the run {path}: {error}; train it again with --overwrite") from error
    return Run(folder.path, recipe, ConvAE3d.from_pretrained(folder.path / MODEL))
