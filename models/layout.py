"""The layout that 3D convolutions are fastest in: on CPUs about twice as fast as the usual one."""

from __future__ import annotations

import torch
from torch import nn


def fast_layout(network: nn.Module) -> None:
    """Lay the weights of 3D convolutions out with the channels last, in place; what is computed stays the same."""
    for parameter in network.parameters():
        if parameter.ndim == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)


def fast_clips(clips: torch.Tensor) -> torch.Tensor:
    """Clips (B, C, T, H, W) laid out the same way; anything else as it is."""
    return clips.contiguous(memory_format=torch.channels_last_3d) if clips.ndim == 5 else clips
