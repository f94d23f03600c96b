"""One training session: a recipe and footage in, a run folder out; what sessions of all recipes share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.folders import Folder, digests, write_json, write_text
from pagen.hub import CARD, CONFIG, WEIGHTS
from pagen.locks import alone
from pagen.models.runs import CALIBRATION, MODEL, RECIPE
from pagen.registry import resolve
from pagen.train.accelerator import accelerator_on
from pagen.train.config import Train, identity_of, precision_of, recipe_of, run_folder
from pagen.train.pictures import curves
from pagen.train.run_card import environment, title
from pagen.train.state import METRICS, STATE, Row, as_csv, newest_state
from pagen.train.stored import check_pseudo

LEFT = (RECIPE, CALIBRATION, f"{MODEL}/{CONFIG}", f"{MODEL}/{WEIGHTS}", f"{MODEL}/{CARD}")
"""What every run of one network or detector holds; metrics are added where there were steps."""
Opened = tuple[Any, Mapping[str, str], Mapping[str, Any]]
"""Inputs of a session; fingerprints of what the weights depend on; and where that lay, for people to read."""
Calibration = dict[str, dict[str, float]]
"""Indicator -> what is known of its values on normal footage."""
Worked = tuple[list[Row], Callable[[], Calibration]]
"""The rows of the table of steps, and what saves the model and calibrates."""
Work = Callable[[Train[Any], Any, Path, Accelerator], Worked]
"""Trains on inputs into a run folder."""


def train(config: Train[Any]) -> dict[str, Any]:
    """Train, or go on, or find that all is done. Returns the run's path, and of networks the steps and last loss."""
    check(config)
    return _train(config)


def check(config: Train[Any]) -> None:
    """Raise PagenError for what a training misses or cannot be made of, before anything is computed."""
    parts = config.recipe.parts.values()
    for recipe in parts:
        recipe.check_sources(config.device)
    for recipe in parts:
        recipe.check_files(config.dataset, Compute.of(config))
    check_pseudo(config)  # last: a set that is advised is made of what was looked at above


def _train(config: Train[Any]) -> dict[str, Any]:
    if config.recipe.members:
        return _train_members(config)
    result: dict[str, Any] = resolve(config.recipe.session)(config)
    return result


def _train_members(config: Train[Any]) -> dict[str, Any]:
    """A run that consists of others: each is trained into a folder of its own inside of it."""
    path, main = run_folder(config), accelerator_on(config.device)
    with alone(path) if main.is_main_process else nullcontext():
        with main.main_process_first():
            folder = Folder.begin(path, "run", identity_of(config), {}, {}, config.overwrite and main.is_main_process)
        results = {name: _train_member(config, name, folder) for name in config.recipe.members}
        if main.is_main_process:
            write_json(path / RECIPE, recipe_of(config))
            folder.record("run", digests(path, [path / RECIPE]))
            folder.finish()
    return {"run": str(path), "members": results}


def _train_member(config: Train[Any], name: str, folder: Folder) -> dict[str, Any]:
    """A member's training; one that is not begun has nothing to go on with."""
    console.say(f"{config.recipe.name}: {name}")
    changes = {"recipe": config.recipe.members[name], "out": folder.path / name, "overwrite": False, "resume": False}
    with folder.vanishing():
        return _train(replace(config, **changes))


def begin_with(config: Train[Any], other: Path) -> None:
    """Begin a run with the steps of a finished one, from which it differs in what its steps do not look at.

    To `train` it then is one that was stopped after its last step. Raises PagenError where `other` is no finished run.
    """
    path, lent, state = run_folder(config), Folder.open(other, "run"), newest_state(other / STATE)
    with alone(path):
        folder = Folder.begin(path, "run", identity_of(config), lent.inputs, lent.volatile)
        if state is not None and newest_state(path / STATE) is None and not folder.complete:
            copied = path / STATE / f".tmp-{state.name}"
            shutil.rmtree(copied, ignore_errors=True)
            shutil.copytree(state, copied)
            copied.rename(path / STATE / state.name)
    for name, member in config.recipe.members.items():
        begin_with(replace(config, recipe=member, out=path / name), other / name)


def train_in_folder(config: Train[Any], open_inputs: Callable[[Accelerator], Opened], work: Work) -> Path:
    """Train one network or detector into its run folder, unless it is finished; returns the folder.

    Raises PagenError where there is nothing to resume, for a folder of something else, and as the two functions.
    """
    path = run_folder(config)
    accelerator = accelerator_on(config.device, precision_of(config), config.log, path)
    if config.resume and newest_state(path / STATE) is None:
        raise PagenError(f"expected a run to go on with at {path}, found none; leave --resume out, or check --out")
    with alone(path) if accelerator.is_main_process else nullcontext():
        _train_alone(config, accelerator, open_inputs, work)
    accelerator.end_training()
    return path


def _train_alone(
    config: Train[Any], accelerator: Accelerator, open_inputs: Callable[[Accelerator], Opened], work: Work
) -> None:
    path = run_folder(config)
    with accelerator.main_process_first():
        inputs, prints, paths = open_inputs(accelerator)
        again = config.overwrite and accelerator.is_main_process
        folder = Folder.begin(path, "run", identity_of(config), prints, paths, again)
    if folder.complete and not folder.pending(["run"]):
        console.say(f"{path} is finished; `pagen train` with --overwrite trains it again")
        return
    with folder.vanishing():
        rows, save = work(config, inputs, path, accelerator)
    if accelerator.is_main_process:
        _leave(folder, config, rows, save())
    accelerator.wait_for_everyone()


def _leave(folder: Folder, config: Train[Any], rows: list[Row], calibration: Calibration) -> None:
    """Recipe, environment and calibration, beside the model; metrics and curves where there were steps."""
    path, recipe, names = folder.path, recipe_of(config), list(LEFT)
    write_json(path / RECIPE, recipe)
    write_json(path / "environment.json", environment())
    write_json(path / CALIBRATION, calibration)
    if rows:
        write_text(path / METRICS, as_csv(rows))
        curves(rows, title(recipe), path / "curves.png")
        names.append(METRICS)
    folder.record("run", digests(path, [path / name for name in names]))
    folder.finish()
