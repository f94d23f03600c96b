"""One training session: footage and pseudo-anomalies in, a run folder out."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from pagen import console
from pagen.errors import PagenError
from pagen.folders import Folder, digests, write_json, write_text
from pagen.footage.flow import flow_folder, open_flow
from pagen.footage.prepare import Prepared, prepare
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.models.conv_ae import ConvAE3d
from pagen.models.runs import MODEL, RECIPE
from pagen.seeds import entropy
from pagen.train.batches import Batches
from pagen.train.loop import METRICS, STATE, Row, accelerator_on, as_csv, fit, from_csv, newest_state
from pagen.train.pictures import curves, sheet
from pagen.train.recipes import Recipe, Temporal
from pagen.train.train import Train, recipe_of, run_folder
from pagen.version import __version__


def train(config: Train[Any]) -> dict[str, Any]:
    """Train, or go on, or find that all is done. Returns the run's path, steps and last loss."""
    accelerator = accelerator_on(config.device)
    path = run_folder(config)
    if config.resume and newest_state(path / STATE) is None:
        raise PagenError(f"expected a run to go on with at {path}, found none; leave --resume out, or check --out")
    batches = _batches(config)
    folder = _begin(path, config, batches)
    if folder.complete and not folder.pending(["run"]):
        console.say(f"{path} is finished; --overwrite trains it again")
    else:
        _train(folder, config, batches, accelerator)
    last = from_csv((path / METRICS).read_text(encoding="utf-8"))[-1]
    return {"run": str(path), "steps": int(last["step"]), "loss": last["loss"]}


def _batches(config: Train[Any]) -> Batches:
    recipe = config.recipe
    prepared = prepare(config.dataset, config.root, recipe.size, recipe.colour, workers=config.workers)
    pseudo = _pseudo(config, prepared)
    batches = Batches(recipe, prepared, _flow(recipe, prepared, config.workers), pseudo, config.seed)
    batches.check()
    return batches


def _begin(path: Path, config: Train[Any], batches: Batches) -> Folder:
    prepared, pseudo = batches.prepared, batches.pseudo
    inputs = {"prepared": prepared.fingerprint(), "pa_set": pseudo.fingerprint() if pseudo else "none"}
    volatile = {"prepared": str(prepared.path), "pa_set": str(config.pseudo)}
    return Folder.begin(path, "run", recipe_of(config), inputs, volatile, config.overwrite)


def _train(folder: Folder, config: Train[Any], batches: Batches, accelerator: Accelerator) -> None:
    recipe = batches.recipe
    model = new_model(recipe, config.seed)
    count = sum(parameter.numel() for parameter in model.parameters())
    console.say(
        f"{recipe.name} ({config.scale} scale): {count:,} parameters, {len(batches.windows):,} windows, "
        f"{recipe.epochs * batches.steps:,} steps of {recipe.batch}"
    )
    rows = fit(model, batches, recipe, folder.path, accelerator)
    _leave(folder, config, model, batches, rows)
    folder.finish()


def new_model(recipe: Recipe, seed: int) -> ConvAE3d:
    """The untrained network of a recipe; torch's own initialisation, as LNTRA's, from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(seed, "weights") % 2**63)
        return ConvAE3d(recipe.channels, recipe.widths)


def _pseudo(config: Train[Any], prepared: Prepared) -> PASet | None:
    if config.pseudo is None or config.recipe.kind is None:
        return None
    pseudo = open_pa_folder(config.pseudo, prepared)
    if not pseudo.items(config.recipe.kind, config.recipe.window):
        raise PagenError(
            f"expected {config.recipe.kind} pseudo-anomalies in {config.pseudo}, found {' '.join(pseudo.kinds)}; "
            f"generate them with --kinds {config.recipe.kind}"
        )
    made_with = pseudo.flow_spec
    if isinstance(config.recipe, Temporal) and not _same_flow(config.recipe.flow, pseudo):
        raise PagenError(
            f"expected pseudo-anomalies of {config.recipe.flow} flow in {config.pseudo}, found {made_with}; "
            f"generate them with --flow {config.recipe.flow}, or train with --flow {made_with}"
        )
    return pseudo


def _same_flow(spec: str, pseudo: PASet) -> bool:
    """Whether a PA set was made of this flow, wherever its files lie now."""
    made = pseudo.folder.config["flow"], pseudo.folder.inputs.get("flow", "")
    return made == (spec.partition(":")[0], open_flow(spec).identity())


def _flow(recipe: Recipe, prepared: Prepared, workers: int | None) -> Any:
    if not isinstance(recipe, Temporal):
        return None
    return flow_folder(prepared, prepared.clips("train"), recipe.flow, workers)


def _leave(folder: Folder, config: Train[Any], model: ConvAE3d, batches: Batches, rows: list[Row]) -> None:
    """Everything but the state: metrics, recipe, environment, model, card, pictures."""
    path = folder.path
    recipe = recipe_of(config)
    write_text(path / METRICS, as_csv(rows))
    model.save_pretrained(path / MODEL)
    write_json(path / RECIPE, recipe)
    write_json(path / "environment.json", _environment())
    write_text(path / MODEL / "README.md", _card(recipe, rows))
    curves(rows, _title(recipe), path / "curves.png")
    sheet(model, batches, path / "sheet.png")
    names = [RECIPE, METRICS, f"{MODEL}/config.json", f"{MODEL}/model.safetensors", f"{MODEL}/README.md"]
    folder.record("run", digests(path, [path / name for name in names]))


def _environment() -> dict[str, Any]:
    return {
        "pagen": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _title(recipe: dict[str, Any]) -> str:
    return f"{recipe['recipe']} on {recipe['dataset']} ({recipe['scale']} scale, seed {recipe['seed']})"


def _card(recipe: dict[str, Any], rows: list[Row]) -> str:
    settings = "\n".join(f"| {key} | {value} |" for key, value in sorted(recipe.items()))
    return f"""---
library_name: pagen
tags: [video-anomaly-detection, autoencoder]
---
# {_title(recipe)}

A 3D-convolutional autoencoder of video clips. What it reconstructs badly is called abnormal.

**Trained on** the training split of `{recipe["dataset"]}`, normal footage alone, with a share of
{recipe["probability"]} pseudo-anomalies, for {int(rows[-1]["step"]):,} steps;
last training loss {rows[-1]["loss"]:.5f}. This is the last epoch's network: none was chosen by test labels.

**Meant for** research, and for pointing a person at footage worth a look. Not for deciding about people.
**Limits:** one camera, the one it was trained on; its scores need a threshold from normal footage.
The footage's own licence says what these weights may be used for.

**Load** with `pagen.models.conv_ae.ConvAE3d.from_pretrained(path)`; score with `pagen evaluate`.

| setting | value |
| --- | --- |
{settings}
"""
