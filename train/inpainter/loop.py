"""The loop that the networks of the bundled inpainter learn in, one after the other; resumed where a kill left it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pagen import console
from pagen.folders import write_text
from pagen.train.state import Average, Progress, as_csv, load_state, save_state

SAVE_EVERY = 250
Loss = Callable[[Any, int], Tensor]
"""Network and step -> loss."""


@dataclass(frozen=True)
class Stage:
    """How long and how fast a network learns, with how many crops in a step.

    Attributes:
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
    average = Average(network, stage.decay)
    progress = load_state(out / name, network, optimiser, average)
    left = range(progress.step, stage.steps)
    for step in console.progress(left, name, len(left)):
        for group in optimiser.param_groups:
            group["lr"] = rate(stage, step)
        loss = loss_of(network, step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        average.update(step)
        progress.step = step + 1
        progress.sums = {key: progress.sums.get(key, 0) + value for key, value in (("loss", loss.item()), ("count", 1))}
        if progress.step % SAVE_EVERY == 0 or progress.step == stage.steps:
            _note(progress, out / f"{name}.csv", name)
            save_state(out / name, network, optimiser, average, progress)
    average.swap()
    network.eval().requires_grad_(False)


def rate(stage: Stage, step: int) -> float:
    """The learning rate of a step."""
    return stage.lr * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / stage.steps))


def _note(progress: Progress, path: Path, name: str) -> None:
    """A row of the mean loss since the last one."""
    loss = progress.sums["loss"] / progress.sums["count"]
    progress.rows.append({"step": progress.step, "loss": loss})
    progress.sums = {}
    write_text(path, as_csv(progress.rows))
    console.say(f"{name} step {progress.step}  loss {loss:.5f}")
