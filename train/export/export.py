"""The verb `export`: a run's network as one file that torch or ONNX Runtime opens without pagen.

The graph takes clips as evaluation feeds them, float32 (B, C, T, H, W) in [-1, 1]: frames as v / 127.5 - 1, flow as
`pagen.footage.flow.encode` makes it. B is free, the rest is the run's; `export.json` beside the file names it.
Padding to what the network divides by, and cutting that off again, happens inside:

    session = onnxruntime.InferenceSession("RUN/export/model.onnx")
    (reconstruction,) = session.run(None, {"clips": clips})

    network = torch.export.load("RUN/export/model.pt2").module()
    reconstruction = network(torch.from_numpy(clips))

LUSS-AE gives three: `vcr` (the clips again), `ffp` (B, C, 1, H, W), the frame after them, and `prp` (B, 2), the logits
of regular and irregular. A file lies only where it has given what the network itself gives, on real clips.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.folders import Folder, atomic, write_json
from pagen.footage.catalogue import DATASETS
from pagen.train.export.graphs import INPUT, OPSET
from pagen.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from pagen.models.runs import Run

SUFFIXES = {"torch": ".pt2", "onnx": ".onnx"}
PACKAGES = {"torch": (), "onnx": ("onnx", "onnxscript", "onnxruntime")}
CLIPS = 4
"""Clips that a file is checked on."""


@dataclass(frozen=True)
class Export:
    """Write a run's network as a file that runs without pagen, checked on real clips."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    format: Literal["torch", "onnx"] = "torch"
    """torch (of torch.export) or onnx (for ONNX Runtime and its like)."""
    dataset: str | None = None
    """Data set whose clips the file is checked on; by default the one that the run was trained on."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    out: Path | None = None
    """File to write; by default RUN/export/model.pt2 or RUN/export/model.onnx."""
    tolerance: float = 1e-4
    """Largest absolute difference from the run's network that passes."""
    workers: int | None = None
    """Processes that prepare footage and flow; by default one for each core."""
    overwrite: bool = False
    """Replace a file that is there already."""
    json: bool = False
    """Print the result as JSON."""

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
    result = export(config)
    shape = ", ".join(map(str, result["shape"]))
    text = f"{result['file']}: takes {INPUT} ({shape}), differs from the run by {result['difference']:.1e} at most"
    console.result(result, config.json, text)


def export(config: Export) -> dict[str, Any]:
    """Write the file, and what is known of it into `export.json` beside, which is also returned.

    Raises:
        PagenError: no such run or data set, a run that is no autoencoder, a package missing, a file there already, or
            a difference above the tolerance; nothing is written then.
    """
    _require_packages(config.format)
    notes = config.file.with_name("export.json")
    known = _known(config.file, notes, config.overwrite)
    from pagen.models.runs import open_run
    from pagen.train.export.graphs import difference_of, loaded, serialised, whole_of

    opened = open_run(config.run)
    whole = whole_of(opened.network)
    names, clips = _real_clips(opened, config)
    about = {"pagen": __version__, "recipe": opened.recipe["recipe"], "dataset": opened.recipe["dataset"]}
    data, outputs = serialised(whole, clips, config.format, about)
    note = {
        **about,
        "format": config.format,
        "opset": OPSET if config.format == "onnx" else None,
        "shape": ["B", *clips.shape[1:]],
        "dynamic_batch": True,
        "outputs": outputs,
        "difference": difference_of(loaded(data, config.format), whole, clips),
        "tolerance": config.tolerance,
        "clips": names,
    }
    if not note["difference"] <= config.tolerance:  # NaN does not pass either
        raise PagenError(
            f"expected the {config.format} file to differ from {config.run} by {config.tolerance:g} at most, found "
            f"{note['difference']:.2g} on its clips; give a larger --tolerance, or another --format"
        )
    with atomic(config.file) as temporary:
        temporary.write_bytes(data)
    write_json(notes, {**known, config.file.name: note})
    return {"file": str(config.file), **note}


def _require_packages(kind: str) -> None:
    missing = ", ".join(name for name in PACKAGES[kind] if find_spec(name) is None)
    if missing:
        raise PagenError(f"expected the packages of --format {kind}, found no {missing}; pip install 'pagen[{kind}]'")


def _known(file: Path, notes: Path, overwrite: bool) -> dict[str, Any]:
    """What `export.json` says of the files beside. Raises PagenError where this file may not be written."""
    if os.path.lexists(file) and not overwrite:
        raise PagenError(f"expected no file at {file}, found one; give --overwrite, or another --out")
    try:
        known = dict(json.loads(notes.read_text(encoding="utf-8"))) if notes.exists() else {}
    except (ValueError, TypeError) as error:
        raise PagenError(
            f"expected notes of an export in {notes}, found something else ({error}); remove it"
        ) from error
    return known


def _real_clips(run: Run, config: Export) -> tuple[list[str], Tensor]:
    """Names of up to four test clips, and their first windows (4, C, T, H, W), the next ones where clips are few."""
    import numpy as np
    import torch

    from pagen.footage.prepare import prepare
    from pagen.footage.windows import Windows
    from pagen.scoring.sliding import frames_in, maps_in

    recipe = run.recipe
    if recipe.get("source") not in ("frames", "flow"):
        raise PagenError(f"expected the run of an autoencoder at {run.path}, found {recipe['recipe']}; name another")
    dataset, size = config.dataset or recipe["dataset"], tuple(recipe["size"])
    prepared = prepare(dataset, config.root, size, recipe["colour"], workers=config.workers)
    names = (prepared.clips("test") or prepared.clips())[:CLIPS]
    sources: list[Any] = [prepared.frames(name) for name in names]
    take = frames_in
    if recipe["source"] == "flow":
        from pagen.footage.flow import flow_folder

        flow = flow_folder(prepared, names, recipe["flow"], config.workers)
        sources = [flow.flow(name) for name in names]
        take = partial(maps_in, encoding=recipe["encoding"], radius=recipe["radius"])
    windows, clips = Windows(recipe["window"]), []
    for index in range(CLIPS):
        turn, place = divmod(index, len(names))
        indices = windows.indices(turn * windows.length, len(sources[place]))
        clips.append(take(sources[place], indices=indices))
    return names, torch.from_numpy(np.stack(clips))
