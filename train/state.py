"""The state of a training on disk: whole after every epoch and after Ctrl-C, so that a kill loses an epoch at most."""

from __future__ import annotations

import csv
import io
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pagen.csv_cell import cell
from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.folders import write_json
from pagen.hub import WEIGHTS
from pagen.locks import locked
from pagen.models.pretrained import save_tensors

Row = dict[str, int | float]

STATE, METRICS = "state", "metrics.csv"
OPTIMISER, AVERAGE, PROGRESS = "optimiser.safetensors", "average.safetensors", "progress.json"


@dataclass
class Progress:
    """How far a training is: steps done, a row for each epoch done, and the loss summed over the present epoch."""

    __pydantic_config__: ClassVar = {"strict": True, "extra": "forbid"}  # what is undefined is NaN in a row

    step: int = 0
    rows: list[Row] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)


class Average:
    """The exponential moving average of a network's weights; with a decay of 0 the weights themselves."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = network, decay
        self.tensors = {name: value.detach().clone() for name, value in network.named_parameters()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the weights; faster at first, when they mean little."""
        if self.decay:
            values = [value.detach() for value in self.network.parameters()]
            torch._foreach_lerp_(list(self.tensors.values()), values, 1 - min(self.decay, (step + 1) / (step + 10)))

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the weights and their average."""
        for name, value in self.network.named_parameters():
            if name in self.tensors:
                kept = value.detach().clone()
                value.copy_(self.tensors[name])
                self.tensors[name].copy_(kept)


def save_state(path: Path, network: nn.Module, optimiser: Any, average: Average, progress: Progress) -> None:
    """Put a whole state in place of the one before, so that a kill at any moment leaves one of the two."""
    temporary, final = path / f".tmp-{progress.step:09d}", path / f"{progress.step:09d}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    with locked(temporary):  # which a sweep leaves alone
        save_tensors(temporary / WEIGHTS, network.state_dict())
        save_tensors(temporary / OPTIMISER, flat_slots(optimiser))
        save_tensors(temporary / AVERAGE, average.tensors)
        write_json(temporary / PROGRESS, vars(progress))
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
    for other in path.iterdir():
        if other != final:
            shutil.rmtree(other)


def newest_state(path: Path) -> Path | None:
    """Where the newest whole state lies, or None."""
    return max(path.glob("[0-9]*"), default=None)


def load_state(path: Path, network: nn.Module, optimiser: Any, average: Average) -> Progress:
    """Take up the newest state, if there is one. Raises PagenError for a damaged one."""
    state = newest_state(path)
    if state is None:
        return Progress()
    try:
        network.load_state_dict(load_file(state / WEIGHTS))
        load_slots(optimiser, load_file(state / OPTIMISER))
        for key, value in load_file(state / AVERAGE).items():
            average.tensors[key].copy_(value)
        return read_json(state / PROGRESS, Progress, "the progress of a training")
    except (PagenError, OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        found = f"it damaged ({textwrap.shorten(str(error), 160)})"
        advice = "train again with --overwrite"
        raise PagenError(f"expected the state of a training in {state}, found {found}; {advice}") from error


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """The rows as CSV, in the order of the columns, if they are given; `from_csv` gives back the same."""
    text = io.StringIO()
    places = {"epoch": 0, "step": 1, "loss": 2, "lr": 4, "pseudo_auroc": 5}  # whatever way a row has gone
    names = columns or sorted(rows[0] if rows else (), key=lambda column: (places.get(column, 3), column))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def from_csv(text: str) -> list[Row]:
    """The rows of a CSV."""
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def flat_slots(optimiser: Any) -> dict[str, Tensor]:
    """`"3.exp_avg"` -> tensor: what the optimiser keeps for its third parameter."""
    state = optimiser.state_dict()["state"]
    return {f"{i}.{key}": value for i, of in state.items() for key, value in of.items()}


def load_slots(optimiser: Any, tensors: Mapping[str, Tensor]) -> None:
    """Give back what `flat_slots` took, in the layout that training keeps it in."""
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        slot, key = name.split(".")
        layout = torch.channels_last_3d if tensor.ndim == 5 else torch.contiguous_format
        slots.setdefault(int(slot), {})[key] = tensor.contiguous(memory_format=layout)
    optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
