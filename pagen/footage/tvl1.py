"""TV-L1 flow (Zach, Pock and Bischof 2007; Sanchez, Meinhardt-Llopis and Facciolo, IPOL 2013), in torch.

Over a pyramid, coarse to fine, the second image is warped by the flow so far and linearised there, and the flow (u, v)
minimises the sum over the pixels of |grad u| + |grad v| + lambda |residual| by turns of a pointwise step (thresholding
and divergence) and a dual step (projection). The two steps are compiled where a C++ compiler is at hand and run plain
elsewhere, with results that differ by rounding: two small kernels in a Python loop, since one compiled loop would
compute its stencils again and again through the fusion.

Our choices: pyramid factor 1/2, bicubic warps, central differences, a 3 x 3 median of the flow after each warp (Wedel
et al. 2009) but the very last, which would smooth what the data had just shaped. Slopes of the flow below epsilon are
smoothed quadratically, as a Huber norm does (Werlberger et al. 2009), since total variation makes stairs of a rotation
or a zoom. What is left of the difference of the pictures over large areas counts as light, not motion. Parameters were
picked on known motions and training frames alone; `benchmarks/tvl1_warps.py` tells what was tried.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, pad

from pagen.footage.flow import computed

PAIRS_AT_ONCE = 4
"""A constant, so that the bytes of a clip's flow do not depend on settings."""


@dataclass(frozen=True)
class TVL1:
    """The method and its parameters.

    Attributes:
        weight: lambda, of the data against smoothness, for intensities in [0, 1].
        slack: epsilon, the slope of the flow below which smoothing is quadratic rather than total variation.
        tightness: theta, how far the two halves of an iteration may part.
        time_step: tau, of the dual step.
        warps, iterations: on each level of the pyramid, and after each warp.
        smallest: shorter side of the coarsest level, at least, pixels.
        compiled: compile the steps where a compiler is at hand.

    Example:
        >>> method = TVL1(warps=1, iterations=2, compiled=False)
        >>> frame = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> bool(method(frame, frame).abs().max() < 1e-3)
        True
    """

    weight: float = 30.0
    slack: float = 0.01
    tightness: float = 0.3
    time_step: float = 0.25
    warps: int = 5
    iterations: int = 20
    smallest: int = 16
    compiled: bool = True

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Flow (B, 2, H, W) in pixels, x then y, from the first images to the second, (B, H, W) float32 in [0, 1]."""
        levels = [(first[:, None], second[:, None])]
        while min(levels[-1][0].shape[-2:]) >= 2 * self.smallest:
            one, two = levels[-1]
            levels.append((_halved(one), _halved(two)))
        flow = first.new_zeros(len(first), 2, *levels[-1][0].shape[-2:])
        for one, two in reversed(levels):
            flow = self._refined(one, two, _resized(flow, one.shape[-2:]), finest=one is levels[0][0])
        return flow

    def _refined(self, first: Tensor, second: Tensor, flow: Tensor, finest: bool) -> Tensor:
        """The flow of one level, from where the coarser one left it."""
        primal, dual, median = _steps(self.compiled, first.device.type)
        layers = torch.cat([second, _slopes(second)], 1)
        duals = tuple(torch.zeros_like(first[:, 0]) for _ in range(4))
        bound, step = self.weight * self.tightness, self.time_step / self.tightness
        for warp in range(self.warps):
            warped, gx, gy = _warped(layers, flow).unbind(1)
            u, v = flow[:, 0].contiguous(), flow[:, 1].contiguous()
            rest = warped - first[:, 0]
            rest = rest - _light(rest) - gx * u - gy * v
            inverse = 1 / (gx.square() + gy.square() + 1e-9)
            for _ in range(self.iterations):
                u, v = primal(u, v, *duals, gx, gy, rest, inverse, bound, self.tightness)
                duals = dual(u, v, *duals, step, self.slack)
            flow = torch.stack([u, v], 1)
            if not (finest and warp == self.warps - 1):
                flow = median(pad(flow, (1, 1, 1, 1), mode="replicate"))
        return flow


def tvl1(frames: Iterator[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.floating[Any]]]:
    """TV-L1 flow (2, H, W) float32 in pixels per frame, x then y, of consecutive grey frames (H, W).

    Example:
        >>> next(tvl1(iter([np.zeros((16, 16), np.uint8)])), "one frame has no flow")
        'one frame has no flow'
    """
    method, before = TVL1(), next(frames)
    while chunk := list(islice(frames, PAIRS_AT_ONCE)):
        images = torch.from_numpy(np.stack([before, *chunk])).float() / 255
        with torch.inference_mode():
            yield from method(images[:-1], images[1:]).numpy()
        before = chunk[-1]


open_tvl1 = computed("tvl1", tvl1, edition="2")


def _primal(
    u: Tensor, v: Tensor, ux: Tensor, uy: Tensor, vx: Tensor, vy: Tensor,
    gx: Tensor, gy: Tensor, rest: Tensor, inverse: Tensor, bound: float, theta: float,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Thresholding of the residual, then theta times the divergence of the duals; all (B, H, W)."""
    share = torch.clamp(-(rest + gx * u + gy * v) * inverse, -bound, bound)
    along_u = ux - pad(ux[..., :-1], (1, 0)) + uy - pad(uy[..., :-1, :], (0, 0, 1, 0))
    along_v = vx - pad(vx[..., :-1], (1, 0)) + vy - pad(vy[..., :-1, :], (0, 0, 1, 0))
    return u + share * gx + theta * along_u, v + share * gy + theta * along_v


def _dual(
    u: Tensor, v: Tensor, ux: Tensor, uy: Tensor, vx: Tensor, vy: Tensor, step: float, slack: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ascent along the forward differences of the flow, and projection."""
    u_right, u_down = pad(u[..., 1:] - u[..., :-1], (0, 1)), pad(u[..., 1:, :] - u[..., :-1, :], (0, 0, 0, 1))
    v_right, v_down = pad(v[..., 1:] - v[..., :-1], (0, 1)), pad(v[..., 1:, :] - v[..., :-1, :], (0, 0, 0, 1))
    of_u = 1 / (1 + step * (slack + torch.sqrt(u_right * u_right + u_down * u_down)))
    of_v = 1 / (1 + step * (slack + torch.sqrt(v_right * v_right + v_down * v_down)))
    ux, uy = (ux + step * u_right) * of_u, (uy + step * u_down) * of_u
    return ux, uy, (vx + step * v_right) * of_v, (vy + step * v_down) * of_v


_EXCHANGES = (
    (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3),
    (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
)  # fmt: skip


def _median(edged: Tensor) -> Tensor:
    """Median of each 3 x 3 neighbourhood of (B, C, H + 2, W + 2) by Paeth's 19 exchanges, which fuse."""
    height, width = edged.shape[-2] - 2, edged.shape[-1] - 2
    nine = [edged[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    for low, high in _EXCHANGES:
        nine[low], nine[high] = torch.minimum(nine[low], nine[high]), torch.maximum(nine[low], nine[high])
    return nine[4]


@lru_cache(maxsize=4)
def _steps(compiled: bool, device: str) -> list[Callable[..., Any]]:
    """The primal step, the dual step and the median; compiled where that is asked for and can be done."""
    can = device != "cpu" or any(shutil.which(name) for name in ("g++", "clang++", "c++"))
    plain = (_primal, _dual, _median)
    return [torch.compile(step, dynamic=True) for step in plain] if compiled and can else [*plain]


def _slopes(image: Tensor) -> Tensor:
    """Central differences (B, 2, H, W), x then y, of (B, 1, H, W)."""
    edged = pad(image, (1, 1, 1, 1), mode="replicate")
    x = (edged[..., 1:-1, 2:] - edged[..., 1:-1, :-2]) / 2
    y = (edged[..., 2:, 1:-1] - edged[..., :-2, 1:-1]) / 2
    return torch.cat([x, y], 1)


def _warped(layers: Tensor, flow: Tensor) -> Tensor:
    """Layers (B, C, H, W) read at x + flow, bicubic, edges repeated."""
    height, width = layers.shape[-2:]
    ys = torch.arange(height, device=flow.device)[:, None]
    xs = torch.arange(width, device=flow.device)
    grid = torch.stack([2 * (xs + flow[:, 0]) / (width - 1) - 1, 2 * (ys + flow[:, 1]) / (height - 1) - 1], -1)
    return grid_sample(layers, grid, "bicubic", "border", align_corners=True)


def _light(difference: Tensor) -> Tensor:
    """What changes over a tenth of the picture rather than over a thing: (B, H, W) blurred by some 16 pixels.

    Means over 8 x 8 pixels, a Gaussian of two such squares that knows the border, and back.
    """
    height, width = difference.shape[-2:]
    coarse = interpolate(difference[:, None], (-(-height // 8), -(-width // 8)), mode="area")
    blurred = _blurred(coarse) / _blurred(torch.ones_like(coarse[:1]))
    return interpolate(blurred, (height, width), mode="bilinear", align_corners=False)[:, 0]


_TAPS = [math.exp(-(k**2) / 8) for k in range(-5, 6)]


def _blurred(image: Tensor) -> Tensor:
    """Sums of shifts: a convolution of torch's would round by the number of pairs."""
    height, width = image.shape[-2:]
    edged = pad(image, (5, 5, 5, 5))
    nothing = image.new_zeros(())
    rows = sum((tap * edged[..., k : k + width] for k, tap in enumerate(_TAPS)), nothing)
    return sum((tap * rows[..., k : k + height, :] for k, tap in enumerate(_TAPS)), nothing)


def _halved(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    return interpolate(image, ((height + 1) // 2, (width + 1) // 2), mode="area")


def _resized(flow: Tensor, size: torch.Size) -> Tensor:
    if flow.shape[-2:] == size:
        return flow
    scale = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]])
    return interpolate(flow, tuple(size), mode="bilinear", align_corners=False) * scale[:, None, None]
