"""One training session: footage and pseudo-anomalies in, a run folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from pagen import console
from pagen.errors import PagenError
from pagen.folders import Folder, digests, write_json, write_text
from pagen.models.pretrained import WEIGHTS, Pretrained
from pagen.models.pretrained import card_of as card
from pagen.models.runs import CALIBRATION, MODEL, RECIPE
from pagen.train.accelerator import accelerator_on
from pagen.train.calibration import calibrate
from pagen.train.config import Train, recipe_of, run_folder
from pagen.train.inputs import Inputs, open_inputs
from pagen.train.loop import Training, fit
from pagen.train.methods import new_network
from pagen.train.pictures import curves, sheet
from pagen.train.recipes.density import DensityRecipe
from pagen.train.run_card import environment, title, trained_on
from pagen.train.state import METRICS, STATE, Row, as_csv, from_csv, newest_state
from pagen.train.validate import validator


def train(config: Train[Any]) -> dict[str, Any]:
    """Train, or go on, or find that all is done. Returns the run's path, and of networks the steps and last loss."""
    if config.recipe.members:
        return _train_members(config)
    if isinstance(config.recipe, DensityRecipe):
        from pagen.train.density_session import train_detector

        return train_detector(config)
    path = run_folder(config)
    accelerator = accelerator_on(config.device, config.recipe.precision, config.log, path)
    if config.resume and newest_state(path / STATE) is None:
        raise PagenError(f"expected a run to go on with at {path}, found none; leave --resume out, or check --out")
    with accelerator.main_process_first():
        inputs = open_inputs(config)
        folder = _begin(path, config, inputs, config.overwrite and accelerator.is_main_process)
    if folder.complete and not folder.pending(["run"]):
        console.say(f"{path} is finished; --overwrite trains it again")
    else:
        _train(folder, config, inputs, accelerator)
    accelerator.end_training()
    last = from_csv((path / METRICS).read_text(encoding="utf-8"))[-1]
    return {"run": str(path), "steps": int(last["step"]), "loss": last["loss"]}


def _train_members(config: Train[Any]) -> dict[str, Any]:
    """A run that consists of others: each is trained into a folder of its own inside of it."""
    path, members, main = run_folder(config), config.recipe.members, accelerator_on(config.device)
    config = replace(config, resume=False)  # a member that is not begun has nothing to go on with
    with main.main_process_first():
        folder = Folder.begin(path, "run", recipe_of(config), {}, {}, config.overwrite and main.is_main_process)
    results = {}
    for name, member in members.items():
        console.say(f"{config.recipe.name}: {name}")
        results[name] = train(replace(config, recipe=member, out=path / name, overwrite=False))
    if main.is_main_process:
        write_json(path / RECIPE, recipe_of(config))
        folder.record("run", digests(path, [path / RECIPE]))
        folder.finish()
    return {"run": str(path), "members": results}


def _begin(path: Path, config: Train[Any], inputs: Inputs, overwrite: bool) -> Folder:
    prints = {
        "prepared": inputs.prepared.fingerprint(),
        "pa_set": inputs.stored.fingerprint() if inputs.stored else "none",
    }
    volatile = {"prepared": str(inputs.prepared.path), "pa_set": str(config.pseudo)}
    return Folder.begin(path, "run", recipe_of(config), prints, volatile, overwrite)


def _train(folder: Folder, config: Train[Any], inputs: Inputs, accelerator: Accelerator) -> None:
    recipe, batches = config.recipe, inputs.batches
    network = new_network(recipe, config.seed, inputs)
    count = sum(parameter.numel() for parameter in network.parameters())
    if accelerator.is_main_process:
        console.say(
            f"{recipe.name} ({config.scale} scale): {count:,} parameters, {inputs.about}, "
            f"{recipe.epochs * batches.steps:,} steps of {recipe.batch}"
        )
    if config.log:
        accelerator.init_trackers("pagen")
    validate = validator(inputs, accelerator.device) if config.validate == "pseudo" else None
    rows = fit(Training(network, batches, folder.path, accelerator, config.seed, validate, config.keep))
    if accelerator.is_main_process:
        _leave(folder, config, network, inputs, rows)
        folder.finish()
    accelerator.wait_for_everyone()


def _leave(folder: Folder, config: Train[Any], network: Pretrained, inputs: Inputs, rows: list[Row]) -> None:
    """Everything but the state: metrics, recipe, environment, network, card, calibration, pictures."""
    path, recipe = folder.path, recipe_of(config)
    network.eval()
    write_text(path / METRICS, as_csv(rows))
    network.save_pretrained(path / MODEL, card(network, title(recipe), trained_on(config, rows), recipe))
    write_json(path / RECIPE, recipe)
    write_json(path / "environment.json", environment())
    write_json(path / CALIBRATION, calibrate(network, inputs))
    curves(rows, title(recipe), path / "curves.png")
    sheet(network, inputs.batches, path / "sheet.png")
    names = [RECIPE, METRICS, CALIBRATION, f"{MODEL}/config.json", f"{MODEL}/{WEIGHTS}", f"{MODEL}/README.md"]
    folder.record("run", digests(path, [path / name for name in names]))
