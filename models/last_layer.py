"""The last layer of a decoder, which makes few channels of many at twice the height and width: fast on a processor."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, pixel_shuffle

from pagen.models.speed import channels_last

PHASES = [[1, 3], [2, 0]]
"""Which taps of width 3 fall on even and on odd places of the output, from the place itself and the next; 3 is none."""


class LastLayer(nn.ConvTranspose3d):
    """A transposed convolution of width 3 that keeps the time and doubles height and width.

    On a processor, libraries take a transposed convolution to a single channel for a narrow case of a wide one. Here
    the four phases of a pixel, three moments of each, are the channels of one plain convolution over the frames; the
    moments are added up, and the phases laid side by side. Results differ by the order of sums alone.

    Shape:
        (B, C, T, H, W) -> (B, channels, T, 2 H, 2 W).

    Example:
        >>> LastLayer(8, 1)(torch.zeros(1, 8, 4, 3, 5)).shape
        torch.Size([1, 1, 4, 6, 10])
    """

    def __init__(self, inward: int, channels: int) -> None:
        super().__init__(inward, channels, 3, (1, 2, 2), 1, output_padding=(0, 1, 1))

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        # a graph is given the layer as every runtime knows it; the gradients of several channels are slower so
        learning = torch.is_grad_enabled() and self.out_channels > 1
        if torch.compiler.is_compiling() or input.device.type != "cpu" or learning:
            return super().forward(input, output_size)
        return self._as_convolution(input)

    def _as_convolution(self, clips: Tensor) -> Tensor:
        batch, _, length, height, width = clips.shape
        # padded by the convolution, which needs no copy for it, on the side where nothing is wanted, too
        taps = conv2d(clips.transpose(1, 2).flatten(0, 1), self._kernel(), padding=1)[..., 1:, 1:]
        taps = taps.unflatten(1, (3, -1)).unflatten(0, (batch, length))
        shuffled = taps[:, :, 1]
        if self.bias is not None:
            shuffled = shuffled + self.bias.repeat_interleave(4).view(-1, 1, 1)
        shuffled[:, 1:] += taps[:, :-1, 2]
        shuffled[:, :-1] += taps[:, 1:, 0]
        rebuilt = pixel_shuffle(shuffled.flatten(0, 1), 2)
        return rebuilt.view(batch, length, -1, 2 * height, 2 * width).transpose(1, 2)

    def _kernel(self) -> Tensor:
        """(moments x channels x phases, C, 2, 2): what a place and the next ones give to each phase of a pixel."""
        rows = pad(self.weight, (0, 1, 0, 1))[..., PHASES][:, :, :, PHASES]
        kernel = rows.permute(2, 1, 3, 5, 0, 4, 6).flatten(0, 3)
        return channels_last(kernel)
