"""The session of a network: batches of footage, flow or features, the loop, a model with its card and pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from pagen import console
from pagen.folders import Folder, digests, write_json
from pagen.models.pretrained import Pretrained, card_of
from pagen.models.runs import BEST, CALIBRATION, CHECKPOINTS, MODEL, RECIPE
from pagen.registry import resolve
from pagen.seeds import entropy
from pagen.train.calibration import calibrate
from pagen.train.config import Train, identity_of, recipe_of
from pagen.train.inputs import Inputs, open_inputs
from pagen.train.loop import BEST as WEIGHTS_OF_BEST
from pagen.train.loop import Training, fit
from pagen.train.recipes.base import Recipe
from pagen.train.run_card import title, trained_on
from pagen.train.session import LEFT, Calibration, Opened, Worked, train_in_folder
from pagen.train.state import METRICS, Row, from_csv
from pagen.train.validate import validator


def train_network(config: Train[Any]) -> dict[str, Any]:
    """Train, or go on, or find that all is done. Returns the run's path, the steps and the last loss."""
    path = train_in_folder(config, lambda _: _opened(config), _work)
    last = from_csv((path / METRICS).read_text(encoding="utf-8"))[-1]
    return {"run": str(path), "steps": int(last["step"]), "loss": last["loss"]}


def new_network(recipe: Recipe, seed: int, inputs: Inputs) -> Pretrained:
    """The untrained network of a recipe, from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(seed, "weights") % 2**63)
        network: Pretrained = recipe.network(inputs.batches)
        return network


def _opened(config: Train[Any]) -> Opened:
    inputs = open_inputs(config)
    pa_set = inputs.stored.fingerprint() if inputs.stored else "none"
    prints = {"prepared": inputs.prepared.fingerprint(), "pa_set": pa_set}
    return inputs, prints, {"prepared": str(inputs.prepared.path), "pa_set": str(config.pseudo)}


def _work(config: Train[Any], inputs: Inputs, path: Path, accelerator: Accelerator) -> Worked:
    recipe, batches = config.recipe, inputs.batches
    network = new_network(recipe, config.seed, inputs)
    if accelerator.is_main_process:
        count, steps = sum(parameter.numel() for parameter in network.parameters()), recipe.epochs * batches.steps
        made_of = f"{count:,} parameters, {batches.about}, {steps:,} steps of {recipe.batch}"
        console.say(f"{recipe.name} ({config.scale} scale): {made_of}")
    if config.log:
        accelerator.init_trackers("pagen")
    validate = validator(inputs) if config.validate == "pseudo" else None
    rows = fit(Training(network, batches, path, accelerator, config.seed, validate, config.keep))
    return rows, lambda: _save(config, network, inputs, path, rows)


def _save(config: Train[Any], network: Pretrained, inputs: Inputs, path: Path, rows: list[Row]) -> Calibration:
    """Leave the network, its card and its picture; returns its calibration."""
    recipe = recipe_of(config)
    card = card_of(network.eval(), title(recipe), trained_on(config, rows), recipe)
    network.save_pretrained(path / MODEL, card)
    resolve(config.recipe.picture)(network, inputs.batches, path / "sheet.png")
    calibration = calibrate(network, inputs)
    if config.validate == "pseudo" and config.keep == "last":
        _keep_best(config, network, inputs, path, rows)
    return calibration


def _keep_best(config: Train[Any], network: Pretrained, inputs: Inputs, path: Path, rows: list[Row]) -> None:
    """Leave the weights of the best validation beside the last ones, as a run of its own."""
    config = replace(config, keep="best")
    recipe, best = recipe_of(config), path / CHECKPOINTS / BEST
    folder = Folder.begin(best, "run", identity_of(config), {}, {}, overwrite=True)
    network.load_state_dict(load_file(path / WEIGHTS_OF_BEST))
    network.save_pretrained(best / MODEL, card_of(network, title(recipe), trained_on(config, rows), recipe))
    write_json(best / RECIPE, recipe)
    write_json(best / CALIBRATION, calibrate(network, inputs))
    folder.record("run", digests(best, [best / name for name in LEFT]))
    folder.finish()
