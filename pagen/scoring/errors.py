"""How far a reconstruction lies from what was shown: maps, and one number a frame.

MSE counts every pixel for itself. PSE (Gudi et al. 2022) blurs the signed residual first, so that noise, which
has no sign in common, cancels; BPE (LUSS-AE) then keeps only every second pixel, as blur pooling does (Zhang 2019).

Everything is done in float64, by additions and products of whole tensors in one order, and over one frame only,
so that no number depends on what else lies in the batch or the window: a convolution of a library's chooses its
order by the batch, and torch splits a sum over threads when it is the only one.

Errors are of tensors x and y (B, C, T, H, W); for others, and for shapes that differ, they raise PagenError. An error
of frames is (B, T) float64, in the square of the inputs' unit.

Deviations: the Gaussian sums to 1, as in LUSS-AE's released code; equation 10 does not (2 percent less in the
middle). The local maximum is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from pagen.errors import PagenError, require_name

FLOOR = 1e-12
"""Share of peak^2 that counts as the least error: 120 dB, beyond what float32 resolves."""
PADDINGS = {"zero": "constant", "replicate": "replicate"}
"""What lies beyond a frame's border -> its name in torch."""


@dataclass(frozen=True)
class Pool:
    """How a residual is blurred and sampled; raises PagenError for what cannot be.

    Attributes:
        sigma: of the Gaussian in pixels, 1/3 and more; it is 6 sigma - 1 pixels wide (the nearest odd
            number), 5 for sigma 1 and 1, which is no blur, for sigma 1/3.
        stride: every so many pixels of the blurred residual are kept, from pixel 0.
        padding: `zero` as in LUSS-AE's released code: a border pixel counts less (a constant residual of 1
            becomes 0.70 on an edge and 0.49 in a corner); `replicate` repeats the border.
        normaliser: a frame's error is the sum of its map over the pixels of the map (`pooled`, the code) or
            of the frame (`full`, the paper: lower by the square of the stride). The map is the same.

    Example:
        >>> [round(weight, 3) for weight in Pool(sigma=1.0).weights()]
        [0.054, 0.244, 0.403, 0.244, 0.054]
    """

    sigma: float = 1.0
    stride: int = 2
    padding: Literal["zero", "replicate"] = "zero"
    normaliser: Literal["pooled", "full"] = "pooled"

    def __post_init__(self) -> None:
        if not 1 / 3 <= self.sigma < math.inf or self.stride < 1:
            raise PagenError(
                f"expected a sigma of 1/3 (no blur) and more and a stride of 1 and more, found {self.sigma} and "
                f"{self.stride}; BPE as published takes 1 and 2"
            )
        require_name("padding", self.padding, PADDINGS)
        require_name("normaliser", self.normaliser, ("pooled", "full"))

    def weights(self) -> list[float]:
        """The Gaussian in one dimension, of sum 1; the kernel is its product with itself."""
        reach = round(3 * self.sigma) - 1
        bell = [math.exp(-(offset**2) / (2 * self.sigma**2)) for offset in range(-reach, reach + 1)]
        return [height / math.fsum(bell) for height in bell]


POOL = Pool()


def frame_mse(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared error (B, T) of each frame of x and y (B, C, T, H, W) (LUSS-AE, equation 8), in float64.

    Raises PagenError: tensors of other or differing shapes; so do all errors here.

    Example:
        >>> frame_mse(torch.zeros(1, 1, 2, 8, 8), torch.full((1, 1, 2, 8, 8), 0.5)).tolist()
        [[0.25, 0.25]]
    """
    return frame_means(_residual(x, y).square()).mean(dim=1)


def frame_pse(x: Tensor, y: Tensor, pool: Pool = POOL) -> Tensor:
    """Proximally sensitive error of each frame (LUSS-AE, equation 9): the mean square of the blurred residual, (B, T).

    The pool's stride is taken for 1, and so its normaliser plays no part.

    Example:
        >>> noise = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4)[None, None, None]
        >>> [round(float(error(noise, 0 * noise)), 2) for error in (frame_mse, frame_pse)]
        [1.0, 0.0]
    """
    return frame_bpe(x, y, replace(pool, stride=1))


def frame_bpe(x: Tensor, y: Tensor, pool: Pool = POOL) -> Tensor:
    """Blur-pooled error (B, T) of each frame (LUSS-AE, equation 11): `pooled_error_map`, normalised.

    Example:
        >>> frames = torch.ones(1, 1, 1, 8, 8)
        >>> round(float(frame_bpe(frames, 0 * frames, Pool(padding="replicate"))), 9)
        1.0
    """
    errors = pooled_error_map(x, y, pool)
    kept = errors[0, 0].numel() / x[0, 0, 0].numel() if pool.normaliser == "full" else 1.0
    return frame_means(errors) * kept


MEASURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": frame_mse, "pse": frame_pse, "bpe": frame_bpe}
"""How the error of a whole frame is measured. `NAME_local` is always of the blur-pooled map."""


def pooled_error_map(x: Tensor, y: Tensor, pool: Pool = POOL) -> Tensor:
    """Where a frame errs: the signed residual blurred, sampled, squared, and averaged over the channels.

    (B, T, ceil(H / stride), ceil(W / stride)) float64, in the square of the inputs' unit; its pixel (i, j) lies on the
    frame's pixel (stride i, stride j).

    Example:
        >>> frames = torch.zeros(1, 1, 1, 8, 8)
        >>> frames[..., 4, 6] = 1
        >>> errors = pooled_error_map(frames, 0 * frames)
        >>> tuple(errors.shape), divmod(int(errors.argmax()), 4)
        ((1, 1, 4, 4), (2, 3))
    """
    weights = pool.weights()
    reach = len(weights) // 2
    blurred = F.pad(_residual(x, y), (reach, reach, reach, reach, 0, 0), PADDINGS[pool.padding])
    for _ in range(2):
        blurred = _blurred_along_rows(blurred, weights, pool.stride).transpose(-1, -2)
    return blurred.square().mean(dim=1).contiguous()


def local_max(errors: Tensor, size: int = 12) -> Tensor:
    """The worst place (B, T) of frames: the highest mean over a window of size x size pixels inside maps (B, T, h, w).

    Not in the papers. A sum over the whole frame follows how crowded a video is, and what is small is lost in it; the
    worst place does not. A size of 12 pixels of a map of stride 2 is 24 of the frame; a map that is smaller is averaged
    over all that it has. Raises PagenError: a window without a pixel.

    Example:
        >>> local_max(torch.eye(4)[None, None], size=2).tolist()
        [[0.5]]
    """
    if size < 1:
        raise PagenError(f"expected a window of 1 pixel and more, found {size}; 1 is the maximum itself")
    rows, columns = (min(size, length) for length in errors.shape[-2:])
    means = F.avg_pool2d(F.avg_pool2d(errors, (rows, 1), stride=1), (1, columns), stride=1)
    return means.amax(dim=(-1, -2))


def flow_error_map(x: Tensor, y: Tensor) -> Tensor:
    """Length (B, T, H, W) of the difference vector at every pixel: the end-point error of (encoded) flow, in its unit.

    The channels of the inputs (B, C, T, H, W) are the components of one vector.

    Example:
        >>> flow = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1, 1)
        >>> float(flow_error_map(flow, 0 * flow))
        5.0
    """
    return _residual(x, y).square().sum(dim=1).sqrt()


def psnr(mse: Tensor, peak: float) -> Tensor:
    """Peak signal-to-noise ratio 10 log10(peak^2 / mse) in dB, of any shape; higher = better reconstructed.

    Deviation: an error below `FLOOR` * peak^2 counts as that, so that a perfect frame has 120 dB and not infinity,
    which no rescaling survives. The peak is the width of the value range: 2 for values in [-1, 1], which equals 1 for
    (x + 1) / 2. LNTRA takes 1 for [-1, 1]: its values lie 6.02 dB lower, and are the same after min-max.

    Example:
        >>> psnr(torch.tensor([4.0, 0.0]), 2.0).tolist()
        [-0.0, 120.0]
    """
    relative = mse.to(torch.float64) / peak**2
    return -10 * torch.log10(relative.clamp_min(FLOOR))


def _residual(x: Tensor, y: Tensor) -> Tensor:
    if x.ndim != 5 or x.shape != y.shape:
        raise PagenError(
            f"expected two tensors (B, C, T, H, W) of one shape, found {tuple(x.shape)} and {tuple(y.shape)}; "
            "does the model return its input's shape?"
        )
    # sums run in the order of the layout, which networks change
    return (x.to(torch.float64) - y.to(torch.float64)).contiguous()


def frame_means(values: Tensor) -> Tensor:
    """Means of (..., H, W) over rows, then over the means of the rows: never one long sum by itself.

    Example:
        >>> frame_means(torch.arange(4.0).reshape(1, 2, 2)).tolist()
        [1.5]
    """
    return values.mean(dim=-1).mean(dim=-1)


def _blurred_along_rows(values: Tensor, weights: Sequence[float], stride: int) -> Tensor:
    """(..., W + len(weights) - 1) -> (..., ceil(W / stride))."""
    width = values.shape[-1] - len(weights) + 1
    total = torch.zeros_like(values[..., :width:stride])
    for first, weight in enumerate(weights):
        # not `add(alpha=...)`: fused, it rounds as the place in the processor's vector has it
        total += weight * values[..., first : first + width : stride]
    return total
