"""What an optimiser remembers of each parameter, as a flat table of tensors, as safetensors holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


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
