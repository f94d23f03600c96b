"""The verb `export`: a run's network as one file that torch or ONNX Runtime opens without pagen.

The graph takes clips as evaluation feeds them, float32 (B, C, T, H, W) in [-1, 1]: frames as v / 127.5 - 1, flow as
`pagen.footage.flow.encode` makes it. B is free, the rest is the run's; `export.json` beside the file names it, and the
outputs, which are those of the network's `graph`. Padding to what the network divides by happens inside:

    (reconstruction,) = onnxruntime.InferenceSession("RUN/export/model.onnx").run(None, {"clips": clips})
    reconstruction = torch.export.load("RUN/export/model.pt2").module()(torch.from_numpy(clips))
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.flags import Called, Json, Partial, Processes, Root
from pagen.folders import Folder
from pagen.footage.catalogue import DATASETS

SUFFIXES = {"torch": ".pt2", "onnx": ".onnx"}


@dataclass(frozen=True)
class Export:
    """Write a run's network as a file that runs without pagen, checked on real clips."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    format: Literal["torch", "onnx"] = "torch"
    """torch (of torch.export) or onnx (for ONNX Runtime and its like)."""
    dataset: str | None = None
    """Data set whose clips the file is checked on; by default the one that the run was trained on."""
    root: Root = None
    out: Path | None = None
    """File to write; by default RUN/export/model.pt2 or RUN/export/model.onnx."""
    tolerance: float = 1e-4
    """Largest absolute difference from the run's network that passes."""
    workers: Processes = None
    overwrite: bool = False
    """Replace a file that is there already."""
    partial: Partial = False
    called: Called = None
    json: Json = False

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise PagenError(f"expected --tolerance above zero, found {self.tolerance:g}; 1e-4 is usual")
        suffix = SUFFIXES[self.format]
        if self.out is not None and self.out.suffix != suffix:
            raise PagenError(f"expected --out to end in {suffix} for --format {self.format}, found {self.out}")

    @property
    def file(self) -> Path:
        """What is written."""
        return self.out or self.run / f"export/model{SUFFIXES[self.format]}"


def run(config: Export) -> None:
    """The verb `export`."""
    if config.dataset is not None:
        DATASETS[config.dataset]
    Folder.open(config.run, "run", verify=False)
    from pagen.train.export.files import export

    result = export(config)
    shape = ", ".join(map(str, result["shape"]))
    text = f"{result['file']}: takes clips ({shape}), differs from the run by {result['difference']:.1e} at most"
    console.result(result, config.json, text)
