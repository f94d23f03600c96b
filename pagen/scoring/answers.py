"""What a network answers to windows that move by one frame, while their frames come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from torch import Tensor, nn

from pagen.models.clip_network import Answer
from pagen.models.conv_ae import Autoencoder, padded
from pagen.models.speed import fast_clips
from pagen.models.streaming import Encode, over_windows


class Answers:
    """Answers of a network of `ClipNetwork`'s kind, in evaluation mode, to the windows of a new stream.

    An autoencoder that encodes and answers as `Autoencoder` does streams; any other network is shown whole windows.

    Example:
        >>> import torch
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> answers = Answers(ConvAE3d(widths="tiny").eval(), window=8)
        >>> [answers(torch.zeros(count, 1, 1, 20, 30), [7]).frames["rebuilt"].shape[0] for count in (1, 4)]
        [1, 4]
    """

    def __init__(self, network: Any, window: int) -> None:
        self._network, self._window = network, window
        kind = type(network)  # one of others may answer otherwise
        own = isinstance(network, Autoencoder) and (kind.answer, kind.encoded)
        self._coded = own == (Autoencoder.answer, Autoencoder.encoded)
        self._encode: Encode = over_windows(network.encoder if self._coded else nn.Identity(), window)

    def __call__(self, frames: Tensor, asked: Sequence[int]) -> Answer:
        """The answer in these frames of the windows that end with the newest frames (N, C, 1, H, W) of the stream.

        Raises PagenError for a shape that the network does not take.
        """
        (answer,) = self.each(frames, [asked])
        return answer

    def each(self, frames: Tensor, asked: Iterable[Sequence[int]]) -> list[Answer]:
        """The answers in each of several choices of frames of those windows, which are encoded once."""
        network, size = self._network, frames.shape[-2:]
        if not self._coded:
            windows = self._encode(frames)
            return [network.answer(windows, chosen) for chosen in asked]
        frames = padded(frames)
        network.check(frames.expand(-1, -1, self._window, -1, -1))
        return cast(list[Answer], network.answers_of(fast_clips(self._encode(frames)), asked, size))
