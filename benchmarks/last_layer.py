"""Claim: a last layer to one channel is twice as fast as the library's transposed convolution, on a processor.

Windows of 16 frames at 192x288, four at once, for one channel and for three, at `small` and `paper` width; then a
training step's share, crops of 64x64. Both sides in one process, in turns, and how far they differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv_transpose3d

from pagen.models.conv_ae import WIDTHS
from pagen.models.last_layer import LastLayer
from pagen.models.speed import fast_clips, keep_memory

ROUNDS, CODED, CROP = 4, (16, 96, 144), (16, 32, 32)


def main() -> None:
    """Scoring, then training."""
    keep_memory()
    for widths, channels in (("small", 1), ("small", 3), ("paper", 1)):
        with torch.inference_mode():
            report(f"{widths}, {channels} channels", widths, channels, 4, CODED, lambda made: made)
    report("small, 1 channel, with gradients", "small", 1, 8, CROP, lambda made: made.sum().backward())


def report(
    name: str, widths: str, channels: int, batch: int, shape: tuple[int, int, int], then: Callable[[Tensor], object]
) -> None:
    """Milliseconds of each side, the fastest of the rounds, and the largest difference."""
    torch.manual_seed(0)
    layer = LastLayer(WIDTHS[widths][0], channels)
    clips = fast_clips(torch.rand(batch, layer.in_channels, *shape) * 2 - 1).requires_grad_(torch.is_grad_enabled())
    sides: tuple[Callable[[], Tensor], ...] = (
        lambda: layer(clips),
        lambda: conv_transpose3d(clips, layer.weight, layer.bias, (1, 2, 2), 1, (0, 1, 1)),
    )
    difference = float((sides[0]() - sides[1]()).detach().abs().max())
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for side, each in zip(sides, seconds, strict=True):
            begun = time.perf_counter()
            then(side())
            each.append(time.perf_counter() - begun)
    ours, theirs = (1000 * min(each) for each in seconds)
    print(
        f"{name}: {ours:.1f} ms, the library's {theirs:.1f} ms, {theirs / ours:.2f} times; differ by {difference:.1e}"
    )


if __name__ == "__main__":
    main()
