"""The layers of a decoder that double length, height and width: fast of a single clip, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d

from pagen.models.speed import channels_last


class Doubling(nn.ConvTranspose3d):
    """A transposed convolution of width 3 that doubles the time, height and width of clips.

    Of one clip alone, and in fp32, torch 2.13 does not give it to oneDNN, and takes as long for it as for three clips.
    There a moment of an even place comes from one moment below, one of an odd place from two, by transposed
    convolutions over pictures, which oneDNN is given. Results differ by the order of sums.

    Shape:
        (B, C, T, H, W) -> (B, channels, 2 T, 2 H, 2 W).

    Example:
        >>> Doubling(8, 4)(torch.zeros(1, 8, 2, 3, 5)).shape
        torch.Size([1, 4, 4, 6, 10])
    """

    def __init__(self, inward: int, channels: int) -> None:
        super().__init__(inward, channels, 3, 2, 1, output_padding=1)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        # a graph is given the layer as every runtime knows it, and is for clips of any number: nothing is looked at
        if torch.compiler.is_compiling() or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return super().forward(input, output_size)
        alone = len(input) == 1 and input.dtype == torch.float32 and input.device.type == "cpu"
        return self._by_moments(input) if alone else super().forward(input, output_size)

    def _by_moments(self, clips: Tensor) -> Tensor:
        """Output 2 i + k - 1 takes tap k of moment i, of which the last has no next."""
        of_next, even, odd = self.weight.unbind(dim=2)
        moments = clips.permute(0, 2, 3, 4, 1)  # as they lie in memory; so they stay
        pairs = torch.cat([moments[:, :-1], moments[:, 1:]], dim=-1)
        parts = [self._over_pictures(pairs, torch.cat([odd, of_next]))] if clips.shape[2] > 1 else []
        parts.append(self._over_pictures(moments[:, -1:], odd))
        both = torch.stack([self._over_pictures(moments, even), torch.cat(parts, dim=1)], dim=2)
        return both.flatten(1, 2).permute(0, 4, 1, 2, 3)

    def _over_pictures(self, moments: Tensor, weight: Tensor) -> Tensor:
        """Moments (B, T, H, W, C) by a tap, (B, T, 2 H, 2 W, channels)."""
        pictures = moments.flatten(0, 1).permute(0, 3, 1, 2)
        doubled: Tensor = conv_transpose2d(pictures, channels_last(weight), self.bias, 2, 1, 1)
        laid_out: Tensor = doubled.permute(0, 2, 3, 1)
        return laid_out.view(len(moments), -1, *laid_out.shape[1:])
