"""A network over clips that gives back what is coarse in them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pagen.models.clip_network import Answer, ClipNetwork
from pagen.models.conv_ae import reconstruct


class Coarse(ClipNetwork):
    """A convolution that shrinks frames by four, and its mirror image.

    Args:
        channels: of the clips.
        width: of what lies between.
    """

    def __init__(self, channels: int = 1, width: int = 4) -> None:
        super().__init__()
        self.config = {"channels": channels, "width": width}
        self.shrink = nn.Conv3d(channels, width, (1, 4, 4), (1, 4, 4))
        self.grow = nn.ConvTranspose3d(width, channels, (1, 4, 4), (1, 4, 4))

    def forward(self, clips: Tensor) -> Tensor:
        """(B, C, T, H, W) -> the same, H and W multiples of 4."""
        grown: Tensor = torch.tanh(self.grow(torch.relu(self.shrink(clips))))
        return grown

    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        """The frames as it gives them back, scored by `detail`."""
        return Answer({"detail": reconstruct(self, clips)[:, :, frames]})

    def graph(self, clips: Tensor) -> tuple[Tensor, ...]:
        """The reconstruction."""
        return (reconstruct(self, clips),)
