"""Networks over clips made fast on a CPU, with the same results: layout of tensors, and memory that is kept."""

from __future__ import annotations

import ctypes
import sys

import torch
from torch import nn


def fast_layout(network: nn.Module) -> None:
    """Lay the weights of 3D convolutions out with the channels last, in place; what is computed stays the same.

    Example:
        >>> network = nn.Sequential(nn.Conv3d(2, 3, 3))
        >>> fast_layout(network)
        >>> network[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
        True
    """
    for parameter in network.parameters():
        if parameter.ndim == 5:
            parameter.data = fast_clips(parameter.data)


def fast_clips(clips: torch.Tensor) -> torch.Tensor:
    """Clips (B, C, T, H, W) laid out the same way; anything else as it is.

    Example:
        >>> fast_clips(torch.zeros(1, 3, 8, 16, 16)).stride()
        (6144, 1, 768, 48, 3)
    """
    return channels_last(clips) if clips.ndim == 5 else clips


def channels_last(values: torch.Tensor) -> torch.Tensor:
    """Pictures (B, C, H, W) or clips (B, C, T, H, W) with the channels last in memory, and strides that say so.

    Of one channel both layouts are the same memory; torch's own `contiguous` leaves the strides of the other, by which
    its convolutions then go.

    Example:
        >>> channels_last(torch.zeros(1, 1, 4, 5)).stride()
        (20, 1, 5, 1)
    """
    layout = torch.channels_last_3d if values.ndim == 5 else torch.channels_last
    laid_out = values.contiguous(memory_format=layout)
    return laid_out.squeeze(1).unsqueeze(-1).movedim(-1, 1) if values.shape[1] == 1 else laid_out


def keep_memory() -> None:
    """Let this process keep the memory that its activations need, from step to step; on Linux with glibc.

    Example:
        >>> keep_memory()
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # musl has none
        for option, value in ((-1, 2**31 - 1), (-4, 0), (-8, 1)):  # M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX
            libc.mallopt(option, value)
