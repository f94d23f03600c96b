"""The loop: ours, short, on accelerate: devices, several processes, mixed precision.

A step depends on the seed and its number alone, what is drawn inside the network too; with the state on disk
a training that was stopped anywhere ends in the weights of an undisturbed one, bit for bit on the CPU.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import nn

from pagen import console
from pagen.errors import PagenError
from pagen.folders import write_text
from pagen.models.pretrained import save_tensors
from pagen.models.speed import fast_clips, fast_layout, keep_memory
from pagen.seeds import entropy
from pagen.train.batches import Batch, Batches, draw
from pagen.train.interrupt import Interrupt
from pagen.train.recipes.base import Recipe
from pagen.train.state import METRICS, STATE, Average, Progress, Row, as_csv, load_state, newest_state, save_state
from pagen.train.step import Step, synchronise_norms

BEST, AUROC = "best.safetensors", "pseudo_auroc"
Validate = Callable[[Any], float]


@dataclass(frozen=True)
class Training:
    """What is trained, in place, on what.

    Attributes:
        path: the run folder.
        seed: of what is drawn inside the network (dropout).
        validate: network -> AUROC on held-out pseudo-anomalies, after each epoch.
        keep: `last` epoch's weights, or those of the `best` validation.
    """

    network: nn.Module
    batches: Batches
    path: Path
    accelerator: Accelerator
    seed: int = 0
    validate: Validate | None = None
    keep: str = "last"

    @property
    def recipe(self) -> Recipe:
        """What is trained."""
        return self.batches.recipe

    def indices(self, step: int, part: int) -> range:
        """The samples of a step that this process takes in one of the parts that the step is computed in."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        count = self.recipe.batch // (self.recipe.accumulate * world)
        first = step * self.recipe.batch + (part * world + rank) * count
        return range(first, first + count)


def fit(training: Training) -> list[Row]:
    """Train; go on from the state that lies in the run folder, if one does.

    Returns:
        One row an epoch: epoch, step, loss and its parts (means over the epoch), lr, the validation.

    Raises:
        PagenError: the loss is not finite (the newest state before is kept), the memory does not suffice, the
            batch does not divide among the processes, or the state is damaged.
        KeyboardInterrupt: Ctrl-C or a request to terminate; the state of that step is kept.
    """
    keep_memory()
    network, recipe, accelerator = training.network, training.recipe, training.accelerator
    shares = recipe.accumulate * accelerator.num_processes
    if recipe.batch % shares:
        wanted = f"a multiple of {shares} (parts of a step times processes)"
        raise PagenError(f"expected --batch to be {wanted}, found {recipe.batch}; change one of them")
    network.to(accelerator.device)
    fast_layout(network)
    average = Average(network, recipe.ema)
    plain = recipe.optimiser(network.parameters())
    progress = load_state(training.path / STATE, network, plain, average)
    if accelerator.num_processes > 1:
        synchronise_norms(network)
    module, optimiser = accelerator.prepare(Step(network, recipe.objective), plain)
    with ExitStack() as stack:
        interrupt = stack.enter_context(Interrupt())
        stack.enter_context(deterministic(accelerator.device))
        stack.enter_context(torch.random.fork_rng())
        for _ in epochs(progress, recipe.epochs, accelerator.is_main_process):
            _epoch(training, module, optimiser, average, progress, interrupt)
    average.swap()
    if training.keep == "best":
        network.load_state_dict(load_file(training.path / BEST))
    return progress.rows


def _epoch(
    training: Training, module: Any, optimiser: Any, average: Average, progress: Progress, interrupt: Interrupt
) -> None:
    """One epoch, or what is left of it, up to its row and its state."""
    recipe, steps = training.recipe, training.batches.steps
    end = (len(progress.rows) + 1) * steps
    network = training.network.train()
    left, total = range(progress.step, end), recipe.epochs * steps
    shown = f" loss {progress.rows[-1]['loss']:.5f}" if progress.rows else ""
    label = f"epoch {len(progress.rows) + 1}/{recipe.epochs}{shown}"
    for step, parts in console.progress(drawn(training, left), label, len(left), "steps"):
        losses = train_step(training, module, optimiser, parts, learning_rate(recipe, step, total), step)
        if not math.isfinite(losses["loss"]):
            if newest_state(training.path / STATE) is None:
                _save(training, optimiser, average, progress)
            raise _not_finite(training, step)
        average.update(step)
        progress.step = step + 1
        progress.sums = {key: progress.sums.get(key, 0.0) + value for key, value in losses.items()}
        if interrupt.asked(training.accelerator):
            _save(training, optimiser, average, progress)
            raise interrupt.error()
    means = {key: total / steps for key, total in progress.sums.items()}
    row: Row = {"epoch": len(progress.rows) + 1, "step": end, **means, "lr": learning_rate(recipe, end - 1, total)}
    if training.validate is not None:
        row[AUROC] = _validated(training, training.validate, average, progress.rows)
    progress.rows.append(row)
    progress.sums = {}
    network.train()
    _save(training, optimiser, average, progress)
    if training.accelerator.is_main_process:
        write_text(training.path / METRICS, as_csv(progress.rows))
        training.accelerator.log({key: value for key, value in row.items() if key != "step"}, step=end)


def train_step(
    training: Training, module: Any, optimiser: Any, parts: list[Batch], rate: float, step: int
) -> dict[str, float]:
    """One step of the optimiser; returns the parts of the loss before it, means over all processes.

    Nothing is changed where the loss is not finite.
    """
    accelerator, recipe = training.accelerator, training.recipe
    for group in optimiser.param_groups:
        group["lr"] = rate
    torch.manual_seed(entropy(training.seed, "step", step, accelerator.process_index) % 2**63)
    sums: dict[str, torch.Tensor] = {}
    with _enough_memory(recipe):
        for number, part in enumerate(parts):
            last = number + 1 == len(parts)
            with nullcontext() if last else accelerator.no_sync(module):
                losses = module({key: fast_clips(value.to(accelerator.device)) for key, value in part.items()})
                for key, value in losses.items():
                    sums[key] = sums.get(key, torch.zeros_like(value.detach())) + value.detach() / len(parts)
                accelerator.backward(losses["loss"] / len(parts))
        means = {key: float(accelerator.reduce(value, "mean")) for key, value in sums.items()}
        if math.isfinite(means["loss"]):
            if recipe.max_norm:
                accelerator.clip_grad_norm_(module.parameters(), recipe.max_norm)
            optimiser.step()
        optimiser.zero_grad()
    return means


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """The learning rate of a step: constant, or half a cosine from `lr` to zero."""
    if recipe.schedule == "constant":
        return recipe.rate
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * step / total))


def drawn(training: Training, steps: range) -> Iterator[tuple[int, list[Batch]]]:
    """The batches of the steps, in their parts, each drawn while the step before it is computed."""

    def parts(step: int) -> list[Batch]:
        return [draw(training.batches, training.indices(step, part)) for part in range(training.recipe.accumulate)]

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(parts, steps.start)
        for step in steps:
            batches = ahead.result()
            if step + 1 < steps.stop:
                ahead = pool.submit(parts, step + 1)
            yield step, batches


def epochs(progress: Progress, count: int, tell: bool = True) -> Iterator[int]:
    """The epochs that are left, with a line for each where no bar can be seen; not from every process."""
    begin, first = time.monotonic(), len(progress.rows)
    for epoch in range(first, count):
        yield epoch
        if tell and not sys.stderr.isatty():
            left = (time.monotonic() - begin) / (epoch + 1 - first) * (count - epoch - 1)
            row = progress.rows[-1]
            parts = "  ".join(f"{key} {value:.5g}" for key, value in row.items() if key not in ("epoch", "step", "lr"))
            console.say(f"epoch {epoch + 1}/{count}  {parts}  left {left / 60:.1f} min")


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


def _save(training: Training, optimiser: Any, average: Average, progress: Progress) -> None:
    if training.accelerator.is_main_process:
        save_state(training.path / STATE, training.network, optimiser, average, progress)
    training.accelerator.wait_for_everyone()


def _validated(training: Training, validate: Validate, average: Average, rows: list[Row]) -> float:
    """The AUROC of the weights that would be kept; the best ones so far are put aside."""
    average.swap()
    area = validate(training.network.eval())
    if training.accelerator.is_main_process and area > max((row[AUROC] for row in rows), default=-math.inf):
        save_tensors(training.path / BEST, training.network.state_dict())
    average.swap()
    return area


def _not_finite(training: Training, step: int) -> PagenError:
    first, state = step * training.recipe.batch, newest_state(training.path / STATE)
    clips = ", ".join(training.batches.describe(index) for index in range(first, first + training.recipe.batch))
    return PagenError(
        f"the loss is not finite at step {step} (clips: {clips}); step {int(state.name) if state else 0} is kept in "
        f"{training.path / STATE}; lower --lr or give --max-norm 1, and another --out"
    )


@contextmanager
def _enough_memory(recipe: Recipe) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "can't allocate memory" not in str(error):
            raise
        advice = f"compute it in parts (--accumulate {2 * recipe.accumulate}), or lower --batch, --crop or --size"
        raise PagenError(f"the memory does not suffice for a step of {recipe.batch} clips; {advice}") from error
