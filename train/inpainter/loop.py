"""The loop that the networks of the bundled inpainter learn in, one after the other; resumed where a kill left it."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from pagen import console
from pagen.folders import atomic
from pagen.models.pretrained import save_tensors
from pagen.train.state import flat_slots, load_slots

SAVE_EVERY = 250
Loss = Callable[[Any, int], Tensor]
"""Network and step -> loss."""


@dataclass(frozen=True)
class Stage:
    """How long and how fast a network learns.

    Attributes:
        steps: of the optimiser.
        batch: crops in a step.
        lr: highest learning rate of Adam; up over 200 steps, then half a cosine to zero.
        decay: of the exponential moving average of the weights, which is what is kept.
    """

    steps: int
    batch: int
    lr: float
    decay: float


def train(network: Any, loss_of: Loss, stage: Stage, out: Path, name: str) -> None:
    """Train in place, from the state of `name` if one lies there; the averaged weights are what remains."""
    network.to(memory_format=torch.channels_last).train().requires_grad_(True)
    optimiser = torch.optim.Adam(network.parameters(), lr=stage.lr, betas=(0.9, 0.99))
    average = {key: value.detach().clone() for key, value in network.named_parameters()}
    state, losses = out / f"{name}.safetensors", []
    first = _load(state, network, optimiser, average)
    for step in console.progress(range(first, stage.steps), name, stage.steps - first):
        for group in optimiser.param_groups:
            group["lr"] = rate(stage, step)
        loss = loss_of(network, step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        blend(average, network, min(stage.decay, (step + 1) / (step + 10)))
        losses.append(loss.item())
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == stage.steps:
            # first the log: a line of a step that was not saved is written again
            _log(out / "log.csv", name, step + 1, float(np.mean(losses)))
            _save(state, network, optimiser, average, step + 1)
            losses = []
    with torch.no_grad():
        for key, value in network.named_parameters():
            value.copy_(average[key])
    network.eval().requires_grad_(False)


def rate(stage: Stage, step: int) -> float:
    """The learning rate of a step."""
    return stage.lr * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / stage.steps))


@torch.no_grad()
def blend(average: dict[str, Tensor], network: Any, decay: float) -> None:
    """Move the averaged weights towards the network's."""
    values = [value.detach() for _, value in network.named_parameters()]
    torch._foreach_lerp_(list(average.values()), values, 1 - decay)


def _save(path: Path, network: Any, optimiser: Any, average: dict[str, Tensor], step: int) -> None:
    tensors = {f"adam.{key}": value for key, value in flat_slots(optimiser).items()}
    tensors |= {f"network.{key}": value for key, value in network.named_parameters()}
    tensors |= {f"average.{key}": value for key, value in average.items()} | {"step": torch.tensor(step)}
    save_tensors(path, tensors)


def _load(path: Path, network: Any, optimiser: Any, average: dict[str, Tensor]) -> int:
    """Take up the state, if there is one; returns the step to go on with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return 0
    tensors = load_file(path)
    network.load_state_dict(_under(tensors, "network."))
    average.update({key: value.to(average[key].device) for key, value in _under(tensors, "average.").items()})
    load_slots(optimiser, _under(tensors, "adam."))
    return int(tensors["step"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _log(path: Path, stage: str, step: int, loss: float) -> None:
    """One line more; lines of steps that a kill took back are dropped."""
    rows = [row for row in _rows(path) if row[0] != stage or int(row[1]) < step]
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, [stage, step, f"{loss:.5f}"]])
    console.say(f"{stage} step {step}  loss {loss:.5f}")


def _rows(path: Path) -> Iterator[list[str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from list(csv.reader(file))
