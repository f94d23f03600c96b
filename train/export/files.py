"""Writes a run's network as a file, once it has given what the network itself gives, on real clips."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.folders import atomic, write_json
from pagen.footage.clip_input import INPUTS, open_input, taker
from pagen.footage.prepare import prepare
from pagen.footage.windows import Windows
from pagen.models.runs import Run, open_run
from pagen.train.export import graphs
from pagen.version import __version__

PACKAGES = {"torch": (), "onnx": ("onnx", "onnxscript", "onnxruntime")}
CLIPS = 4
"""Clips that a file is checked on."""


def export(config: Any) -> dict[str, Any]:
    """Write the file, and what is known of it into `export.json` beside, which is also returned.

    Raises PagenError for no such run or data set, a run that is no autoencoder, a package missing, a file there
    already, or a difference above the tolerance; nothing is written then.
    """
    _require_packages(config.format)
    notes = config.file.with_name("export.json")
    others = _notes(config.file, notes, config.overwrite)
    run = open_run(config.run)
    whole = graphs.Whole(run.network).eval()
    names, clips = _real_clips(run, config)
    about = {"pagen": __version__, "recipe": run.recipe["recipe"], "dataset": run.recipe["dataset"]}
    data = graphs.serialised(whole, clips, config.format, about)
    note = {
        **about,
        "format": config.format,
        "opset": graphs.OPSET if config.format == "onnx" else None,
        "shape": ["B", *clips.shape[1:]],
        "dynamic_batch": True,
        "outputs": list(whole.network.outputs),
        "difference": graphs.difference_of(graphs.loaded(data, config.format), whole, clips),
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
    write_json(notes, {**others, config.file.name: note})
    return {"file": str(config.file), **note}


def _require_packages(kind: str) -> None:
    missing = ", ".join(name for name in PACKAGES[kind] if find_spec(name) is None)
    if missing:
        raise PagenError(f"expected the packages of --format {kind}, found no {missing}; pip install 'pagen[{kind}]'")


def _notes(file: Path, notes: Path, overwrite: bool) -> dict[str, Any]:
    """What `export.json` says of the files beside. Raises PagenError where this file may not be written."""
    if os.path.lexists(file) and not overwrite:
        raise PagenError(f"expected no file at {file}, found one; give --overwrite, or another --out")
    return read_json(notes, dict[str, dict[str, Any]], "notes of an export", "remove it") if notes.exists() else {}


def _real_clips(run: Run, config: Any) -> tuple[list[str], Tensor]:
    """Names of up to four test clips, and their first windows (4, C, T, H, W), the next ones where clips are few."""
    recipe = run.recipe
    if recipe.get("source") not in INPUTS:
        raise PagenError(f"expected the run of an autoencoder at {run.path}, found {recipe['recipe']}; name another")
    dataset, size = config.dataset or recipe["dataset"], tuple(recipe["size"])
    prepared = prepare(dataset, config.root, size, recipe["colour"], workers=config.workers, partial=config.partial)
    names = (prepared.clips("test") or prepared.clips())[:CLIPS]
    clip_input = open_input(recipe, prepared, names, config.workers)
    windows, clips = Windows(recipe["window"]), []
    for index in range(CLIPS):
        turn, place = divmod(index, len(names))
        take, count = taker(clip_input, names[place])
        clips.append(take(windows.indices(turn * windows.length, count)))
    return names, torch.from_numpy(np.stack(clips))
