"""The verb `prepare`: decode and resize a data set once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pagen import console
from pagen.flags import Called, Dataset, Json, Overwrite, Partial, Processes, Root
from pagen.footage.catalogue import DATASETS
from pagen.footage.clips import SPLITS
from pagen.options import SIZE


@dataclass(frozen=True)
class Prepare:
    """Decode and resize a data set once; the other verbs do it on first use.

    Example:
        >>> Prepare("ped2", size="native").colour
        False
    """

    dataset: Dataset
    root: Root = None
    size: tuple[int, int] | Literal["native"] = SIZE
    """Height and width of the prepared frames; `native` keeps the footage's own."""
    colour: bool = False
    """Keep three colour channels instead of one grey."""
    out: Path | None = None
    """Folder to write; by default one in the user's cache folder (or in PAGEN_CACHE)."""
    workers: Processes = None
    overwrite: Overwrite = False
    partial: Partial = False
    called: Called = None
    json: Json = False


def run(config: Prepare) -> None:
    """Prepare the data set, and say what came of it."""
    DATASETS[config.dataset]  # a wrong name is answered before anything heavy is imported
    from pagen.footage.prepare import prepare

    size = None if config.size == "native" else config.size
    where = (config.out, config.workers, config.overwrite, config.partial)
    prepared = prepare(config.dataset, config.root, size, config.colour, *where)
    frames = {split: sum(prepared.length(name) for name in prepared.clips(split)) for split in SPLITS}
    result = {"path": str(prepared.path), "size": prepared.size, "channels": prepared.channels, "frames": frames}
    console.result(result, config.json, f"{prepared}\n{prepared.path}")
