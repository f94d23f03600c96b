"""Objectives: what the papers minimise."""

from __future__ import annotations

import torch


def reconstruction_error(reconstruction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error over clips (B, C, T, H, W) in [-1, 1], all clips alike, all frames of each.

    The target of a pseudo-anomaly is the normal clip (LNTRA; Rai et al., equation 4), so that the
    network learns to put right what is not normal.
    """
    return torch.nn.functional.mse_loss(reconstruction, target)
