"""The networks that benchmarks time."""

from __future__ import annotations

import torch

from pagen.models.conv_ae import ConvAE3d
from pagen.models.speed import fast_layout


def made(widths: str) -> ConvAE3d:
    """An autoencoder of clips with random weights, laid out for speed."""
    torch.manual_seed(0)
    network = ConvAE3d(1, widths)
    fast_layout(network)
    return network
