"""How far a reconstruction lies from what was shown, one number a frame.

All reductions are done in float64, and over one frame only, so that no number depends on what else
lies in the batch or the window.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pagen.errors import PagenError

FLOOR = 1e-12
"""Share of peak^2 that counts as the least error: 120 dB, beyond what float32 resolves."""


def frame_mse(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of each frame.

    Args:
        x, y: (B, C, T, H, W).

    Returns:
        (B, T) float64, in the square of the inputs' unit.
    """
    return _difference(x, y).square().mean(dim=(1, 3, 4))


def flow_l2(x: Tensor, y: Tensor) -> Tensor:
    """Mean over the pixels of the length of the difference vector: the end-point error of (encoded) flow.

    Args:
        x, y: (B, C, T, H, W); the channels are the components of one vector.

    Returns:
        (B, T) float64, in the inputs' unit.
    """
    return _difference(x, y).square().sum(dim=1).sqrt().mean(dim=(2, 3))


def psnr(mse: Tensor, peak: float) -> Tensor:
    """Peak signal-to-noise ratio 10 log10(peak^2 / mse) in dB; higher = better reconstructed.

    Deviation: an error below `FLOOR` * peak^2 counts as that, so that a perfect frame has 120 dB and
    not infinity, which no rescaling survives.

    Args:
        mse: any shape.
        peak: width of the value range: 2 for values in [-1, 1], which equals 1 for (x + 1) / 2.
            LNTRA takes 1 for [-1, 1]: its values lie 6.02 dB lower, and are the same after min-max.
    """
    relative = mse.to(torch.float64) / peak**2
    return -10 * torch.log10(relative.clamp_min(FLOOR))


def _difference(x: Tensor, y: Tensor) -> Tensor:
    if x.ndim != 5 or x.shape != y.shape:
        raise PagenError(
            f"expected two tensors (B, C, T, H, W) of one shape, found {tuple(x.shape)} and {tuple(y.shape)}; "
            "does the model return its input's shape?"
        )
    return x.to(torch.float64) - y.to(torch.float64)
