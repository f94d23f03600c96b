"""The loop: ours, short, on accelerate. Its state lies whole on disk after every epoch."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import patch_environment
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from pagen import console
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.folders import atomic, write_json, write_text
from pagen.models.conv_ae import ConvAE3d
from pagen.models.memory import keep_memory
from pagen.models.pretrained import WEIGHTS
from pagen.train.adam import flat_slots, load_slots
from pagen.train.batches import Batch, Batches
from pagen.train.objectives import reconstruction_error
from pagen.train.recipes import Recipe

Row = dict[str, float]
STATE, METRICS = "state", "metrics.csv"
ADAM, ROWS = "adam.safetensors", "rows.json"
COLUMNS = ("epoch", "step", "loss", "lr")


def accelerator_on(device: str) -> Accelerator:
    """Accelerate on a device of torch's, or on the best there is ("auto"). Raises PagenError for one that is not there.

    Accelerate keeps its device for the whole process, where an earlier training may have chosen another.
    """
    AcceleratorState._reset_state(reset_partial_state=True)
    if device == "auto":
        return Accelerator()
    device_named(device)
    with patch_environment(accelerate_torch_device=device):
        return Accelerator(cpu=device == "cpu")


def fit(model: ConvAE3d, batches: Batches, recipe: Recipe, path: Path, accelerator: Accelerator) -> list[Row]:
    """Train the model in place; go on from the state that lies in the run folder, if one does.

    Returns:
        One row an epoch: epoch, step, loss (mean over the epoch), lr.

    Raises:
        PagenError: the loss is not finite (the state of the epoch before stays), or the state is damaged.
    """
    keep_memory()
    model.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # 1.4 times the clips a second on CPU
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    rows = load_state(path / STATE, model, optimiser)
    network, optimiser = accelerator.prepare(model, optimiser)
    total = recipe.epochs * batches.steps
    with deterministic(accelerator.device):
        for epoch in epochs(rows, recipe.epochs):
            steps = range(epoch * batches.steps, (epoch + 1) * batches.steps)
            loss = 0.0
            for step, (inputs, targets) in console.progress(drawn(batches, steps), f"epoch {epoch + 1}", len(steps)):
                rate = learning_rate(recipe, step, total)
                loss += train_step(accelerator, network, optimiser, inputs, targets, rate) / len(steps)
                if not math.isfinite(loss):
                    raise PagenError(f"the loss is not finite at step {step}; lower --lr and give another --out")
            rows.append({"epoch": epoch + 1, "step": steps.stop, "loss": loss, "lr": rate})
            save_state(path / STATE, model, optimiser, rows)
            write_text(path / METRICS, as_csv(rows))
    return rows


def train_step(
    accelerator: Accelerator,
    network: torch.nn.Module,
    optimiser: Any,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    rate: float,
) -> float:
    """One step of the optimiser; returns the loss before it."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    inputs = inputs.to(accelerator.device).contiguous(memory_format=torch.channels_last_3d)
    loss = reconstruction_error(network(inputs), targets.to(accelerator.device))
    accelerator.backward(loss)
    optimiser.step()
    optimiser.zero_grad()
    return loss.item()


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """The learning rate of a step: constant, or half a cosine from `lr` to zero."""
    if recipe.schedule == "constant":
        return recipe.lr
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * step / total))


def drawn(batches: Batches, steps: range) -> Iterator[tuple[int, Batch]]:
    """The batches of the steps, each drawn while the step before it is computed."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(batches.draw, steps.start)
        for step in steps:
            batch = ahead.result()
            if step + 1 < steps.stop:
                ahead = pool.submit(batches.draw, step + 1)
            yield step, batch


def epochs(rows: list[Row], count: int) -> Iterator[int]:
    """The epochs that are left, with a line for each where no bar can be seen."""
    begin, first = time.monotonic(), len(rows)
    for epoch in range(first, count):
        yield epoch
        if not sys.stderr.isatty():
            left = (time.monotonic() - begin) / (epoch + 1 - first) * (count - epoch - 1)
            console.say(f"epoch {epoch + 1}/{count}  loss {rows[-1]['loss']:.5f}  left {left / 60:.1f} min")


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """The same bits from the same seed, on the CPU; on a GPU speed goes first."""
    settings: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(device.type == "cpu")
    settings.fill_uninitialized_memory = False  # costs a tenth of a step, and no result reads it
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        settings.fill_uninitialized_memory = before[1]


def save_state(path: Path, model: ConvAE3d, optimiser: Any, rows: list[Row]) -> None:
    """Put a whole state in place of the one before, so that a kill at any moment leaves one of the two."""
    step = int(rows[-1]["step"])
    temporary, final = path / f".tmp-{step:09d}", path / f"{step:09d}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    model.save_pretrained(temporary)
    with atomic(temporary / ADAM) as file:
        save_file({key: value.detach().cpu().contiguous() for key, value in flat_slots(optimiser).items()}, file)
    write_json(temporary / ROWS, rows)
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    for other in path.iterdir():
        if other != final:
            shutil.rmtree(other)


def newest_state(path: Path) -> Path | None:
    """Where the newest whole state lies, or None."""
    return max(path.glob("[0-9]*"), default=None)


def load_state(path: Path, model: ConvAE3d, optimiser: torch.optim.Optimizer) -> list[Row]:
    """Take up the newest state, if there is one; returns its rows, else none. Raises PagenError for a damaged one."""
    state = newest_state(path)
    if state is None:
        return []
    try:
        model.load_state_dict(load_file(state / WEIGHTS))
        load_slots(optimiser, load_file(state / ADAM))
        rows: list[Row] = json.loads((state / ROWS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = textwrap.shorten(str(error), 160)
        raise PagenError(
            f"expected the state of a training in {state}, found it damaged ({reason}); train again with --overwrite"
        ) from error
    return rows


def as_csv(rows: list[Row]) -> str:
    """The rows as CSV; `from_csv` gives back the same."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def from_csv(text: str) -> list[Row]:
    """The rows of a CSV."""
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
