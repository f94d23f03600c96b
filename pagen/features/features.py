"""The verb `features`: vectors of frames, windows, locations or objects of a data set's clips, into a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.engine import Address, Engine, workers_of
from pagen.errors import PagenError
from pagen.features.spec import FeatureSpec
from pagen.flags import Called, Dataset, Device, Json, Overwrite, Partial, Processes, Root
from pagen.footage.catalogue import DATASETS
from pagen.spread import Workers


@dataclass(frozen=True, kw_only=True)
class Features(FeatureSpec):
    """Extract features of a data set's clips, for a density to be fitted to."""

    of: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="KIND")]
    dataset: Dataset
    root: Root = None
    split: Literal["all", "train", "test"] = "all"
    """Which clips."""
    out: Path | None = None
    """Folder to write; by default one in the user's cache folder (or in PAGEN_CACHE)."""
    workers: Processes = None
    engine: Engine = "local"
    address: Address = None
    device: Device = "auto"
    overwrite: Overwrite = False
    partial: Partial = False
    called: Called = None
    json: Json = False

    def __post_init__(self) -> None:
        super().__post_init__()
        workers_of(self)  # refuses an address that nothing would go to

    @property
    def spread_over(self) -> Workers:
        """What the clips are spread over."""
        return workers_of(self)


def run(config: Features) -> None:
    """The verb `features`."""
    result = features(config)
    count = f"{result['clips']} clips, {result['rows']:,} rows of {result['features']} numbers"
    console.result(result, config.json, f"{config.of} of {config.dataset}: {count}\n{result['path']}")


def features(config: Features) -> dict[str, Any]:
    """Extract them, or go on where it was left, or find that all is done."""
    DATASETS[config.dataset]
    from pagen.features.extract import extract
    from pagen.features.open import open_source

    compute = Compute(config.root, config.device, config.spread_over, partial=config.partial)
    source = open_source(config, config.dataset, compute)
    if config.segment != 1 and (span := source.config().get("span")) != config.segment:
        raise PagenError(
            f"expected no --segment with {config.of}, found {config.segment}: its vectors are of {span} frames"
        )
    names = source.prepared.clips(None if config.split == "all" else config.split)
    if not names:
        raise PagenError(f"expected {config.split} clips in {config.dataset}, found none; take another --split")
    folder = extract(source, names, compute, config.out, config.overwrite)
    rows = sum(len(folder.features(name)) for name in names)
    return {"path": str(folder.folder.path), "clips": len(names), "rows": rows, "features": folder.size}
