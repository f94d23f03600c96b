"""The 3D-convolutional autoencoder of MemAE (Gong et al. 2019), LNTRA, STEAL, LUSS-AE and the unified PA paper.

Four strided convolutions and their mirror images, no skip connections, batch normalisation and LeakyReLU(0.2) after
all but the last layer, which ends in tanh as in LNTRA (MemAE: linear). The layers are numbered as in the published
checkpoints. Fully convolutional: trained on crops, it scores whole frames.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import nn

from pagen.errors import PagenError, unknown_name
from pagen.models.clip_network import REBUILT, Answer, ClipNetwork
from pagen.models.doubling import Doubling
from pagen.models.foreign import shape_of
from pagen.models.last_layer import LastLayer

WIDTHS = {"paper": (96, 128, 256, 256), "small": (32, 48, 96, 128), "tiny": (8, 12, 24, 32)}
"""Channels after each convolution, by name; only `paper` is published."""
TIME_FACTOR, SPACE_FACTOR = 8, 16


class Autoencoder(ClipNetwork):
    """A network with an `encoder` and a `decoder` that gives clips back: what all autoencoders of clips have.

    Args:
        channels: of the input: 1 (grey), 2 (flow), 3 (colour, or flow with its magnitude).
        widths: a name of `WIDTHS` or four channel counts.
        settings: the further arguments of the constructor, for `config`.

    Example:
        >>> import torch
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> network = ConvAE3d(widths="tiny").eval()
        >>> network.answer(torch.zeros(1, 1, 8, 20, 30), [7]).frames["rebuilt"].shape
        torch.Size([1, 1, 1, 20, 30])
    """

    published: ClassVar[str] = r"(^|\.)encoder\.encoder\."
    """Pattern that names of published weights have: LNTRA's and STEAL's."""
    published_layers: ClassVar[Mapping[str, str]] = {}
    """Layers as they are published -> here, where these are not those of `encoder` and `decoder`."""

    def __init__(self, channels: int, widths: str | Sequence[int], **settings: Any) -> None:
        super().__init__()
        self.config = {"channels": channels, "widths": widths, **settings}
        self.encoder, self.decoder = encoder_of(channels, widths), decoder_of(channels, widths)

    def check(self, clips: torch.Tensor) -> None:
        """Raise PagenError for clips whose shape it does not take, or would not come back from encoder and decoder.

        Example:
            >>> import torch
            >>> ConvAE3d(widths="tiny").check(torch.zeros(1, 1, 8, 16, 20))  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            pagen.errors.PagenError: expected clips (B, 1, T, H, W) with T divisible by 8 and H, W by 16, found ...
        """
        channels, factors = self.config["channels"], (TIME_FACTOR, SPACE_FACTOR, SPACE_FACTOR)
        sizes = zip(clips.shape[2:], factors, strict=False)
        if clips.ndim != 5 or clips.shape[1] != channels or any(size % factor for size, factor in sizes):
            wanted = f"(B, {channels}, T, H, W) with T divisible by {TIME_FACTOR} and H, W by {SPACE_FACTOR}"
            raise PagenError(f"expected clips {wanted}, found {tuple(clips.shape)}; `reconstruct` takes any H and W")

    def encoded(self, clips: torch.Tensor) -> torch.Tensor:
        """The codes of clips (B, C, T, H, W). Raises PagenError for a shape that it does not take."""
        self.check(clips)
        return cast(torch.Tensor, self.encoder(clips))

    def answer(self, clips: torch.Tensor, frames: Sequence[int]) -> Answer:
        return self.answer_of(self.encoded(padded(clips)), frames, clips.shape[-2:])

    @abstractmethod
    def answer_of(self, codes: torch.Tensor, frames: Sequence[int], size: Sequence[int]) -> Answer:
        """Its answer to clips of this H and W, of which the encoder gave these codes (B, D, T / 8, H / 16, W / 16)."""

    def answers_of(self, codes: torch.Tensor, frames: Iterable[Sequence[int]], size: Sequence[int]) -> list[Answer]:
        """Its answers in several choices of frames, each as `answer_of` gives it alone, to the last bit."""
        return [self.answer_of(codes, chosen, size) for chosen in frames]

    def graph(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (reconstruct(self, clips),)

    @classmethod
    def recognises(cls, names: Iterable[str]) -> bool:
        """Whether names are those of published weights."""
        return any(re.search(cls.published, name) for name in names)

    @classmethod
    def published_name(cls, name: str) -> str:
        """The name here of a published weight."""
        layer, _, kind = re.sub(r"^(encoder|decoder)\.\1\.", r"\1.", name).rpartition(".")
        return f"{cls.published_layers.get(layer, layer)}.{kind}".removeprefix(".")

    @classmethod
    def from_published(cls, weights: Mapping[str, torch.Tensor]) -> Autoencoder:
        """The network that published weights fit, by their names here, not yet filled. Raises PagenError: none."""
        return cls(**sizes_of(weights))


class ConvAE3d(Autoencoder):
    """Autoencoder of clips.

    Raises PagenError: no such widths.

    Args:
        channels, widths: as `Autoencoder` takes them.
        tanh: end in tanh (LNTRA, STEAL), for targets in [-1, 1]; False is MemAE's linear end.

    Shape:
        (B, C, T, H, W) -> the same, T a multiple of 8, H and W of 16; code (B, widths[3], T / 8, H / 16, W / 16).

    Example:
        >>> import torch
        >>> network = ConvAE3d(channels=3, widths="tiny").eval()
        >>> clips = torch.zeros(1, 3, 8, 16, 32)
        >>> network(clips).shape, network.code(clips).shape
        (torch.Size([1, 3, 8, 16, 32]), torch.Size([1, 32, 1, 1, 2]))
    """

    def __init__(self, channels: int = 1, widths: str | Sequence[int] = "paper", tanh: bool = True) -> None:
        super().__init__(channels, widths, tanh=tanh)
        self.end: nn.Module = nn.Tanh() if tanh else nn.Identity()

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Reconstruct clips (B, C, T, H, W). Raises PagenError for a shape that would not come back."""
        return cast(torch.Tensor, self.end(self.decoder(self.code(clips))))

    def code(self, clips: torch.Tensor) -> torch.Tensor:
        """The code that the decoder is given. Raises PagenError for a shape that would not come back."""
        return self.encoded(clips)

    def answer_of(self, codes: torch.Tensor, frames: Sequence[int], size: Sequence[int]) -> Answer:
        """The frames rebuilt; where one is asked for, no more is decoded than it depends on."""
        return Answer({REBUILT: self.end(decoded_frames(self.decoder, codes, frames, size))})


def sizes_of(weights: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The channels and widths of an encoder's weights, by name where they have one. Raises PagenError: no encoder.

    Example:
        >>> sizes_of(ConvAE3d(channels=2, widths="tiny").state_dict())
        {'channels': 2, 'widths': 'tiny'}
    """
    shapes = [shape_of(weights, f"encoder.{layer}.weight", 5) for layer in (0, 3, 6, 9)]
    widths = tuple(shape[0] for shape in shapes)
    name = next((name for name, counts in WIDTHS.items() if counts == widths), list(widths))
    return {"channels": shapes[0][1], "widths": name}


def encoder_of(channels: int, widths: str | Sequence[int]) -> nn.Sequential:
    """Clips (B, C, T, H, W) to codes (B, widths[3], T / 8, H / 16, W / 16). Raises PagenError: no such widths.

    Example:
        >>> import torch
        >>> encoder_of(1, "tiny")(torch.zeros(2, 1, 8, 16, 32)).shape
        torch.Size([2, 32, 1, 1, 2])
    """
    a, b, c, d = widths_of(widths)
    return nn.Sequential(*_down(channels, a, (1, 2, 2)), *_down(a, b), *_down(b, c), *_down(c, d))


def decoder_of(channels: int, widths: str | Sequence[int]) -> nn.Sequential:
    """The way back of `encoder_of`, with a linear end. Raises PagenError: no such widths.

    Example:
        >>> import torch
        >>> decoder_of(1, "tiny")(torch.zeros(2, 32, 1, 1, 2)).shape
        torch.Size([2, 1, 8, 16, 32])
    """
    a, b, c, d = widths_of(widths)
    layers = [*_up(d, c), *_up(c, b), *_up(b, a)]
    return nn.Sequential(*layers, LastLayer(a, channels))


def widths_of(widths: str | Sequence[int]) -> Sequence[int]:
    """The channels after each of the four convolutions. Raises PagenError: no such widths.

    Example:
        >>> widths_of("paper"), widths_of([2, 3, 4, 5])
        ((96, 128, 256, 256), [2, 3, 4, 5])
    """
    if isinstance(widths, str) and widths not in WIDTHS:
        raise unknown_name("widths", widths, WIDTHS)
    counts = WIDTHS[widths] if isinstance(widths, str) else widths
    if len(counts) != 4 or min(counts) < 1:
        raise PagenError(f"expected four widths of 1 and more, found {list(counts)}; or give {' '.join(WIDTHS)}")
    return counts


def _down(inward: int, outward: int, stride: tuple[int, int, int] = (2, 2, 2)) -> list[nn.Module]:
    return [nn.Conv3d(inward, outward, 3, stride, 1), nn.BatchNorm3d(outward), nn.LeakyReLU(0.2, inplace=True)]


def _up(inward: int, outward: int) -> list[nn.Module]:
    return [Doubling(inward, outward), nn.BatchNorm3d(outward), nn.LeakyReLU(0.2, inplace=True)]


def padded(clips: torch.Tensor) -> torch.Tensor:
    """Clips (B, C, T, H, W) with their last row and column repeated up to multiples of 16.

    Example:
        >>> import torch
        >>> padded(torch.zeros(1, 1, 8, 20, 32)).shape
        torch.Size([1, 1, 8, 32, 32])
    """
    height, width = clips.shape[-2:]
    return nn.functional.pad(clips, (0, -width % SPACE_FACTOR, 0, -height % SPACE_FACTOR, 0, 0), mode="replicate")


def reconstruct(model: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    """Reconstruct clips (B, C, T, H, W) of any H and W: edges are repeated up to multiples of 16, and cut off.

    Example:
        >>> import torch
        >>> reconstruct(ConvAE3d(widths="tiny").eval(), torch.zeros(1, 1, 8, 20, 30)).shape
        torch.Size([1, 1, 8, 20, 30])
    """
    height, width = clips.shape[-2:]
    return cast(torch.Tensor, model(padded(clips)))[..., :height, :width]


def reconstruct_frame(model: Any, clips: torch.Tensor, frame: int) -> torch.Tensor:
    """Frame `frame` of `reconstruct`, (B, C, 1, H, W); `ConvAE3d` and `MemAE` decode no more than that takes.

    Example:
        >>> import torch
        >>> network, clips = ConvAE3d(widths="tiny").eval(), torch.rand(1, 1, 8, 20, 30)
        >>> frame = reconstruct_frame(network, clips, 3)
        >>> frame.shape, torch.allclose(frame, reconstruct(network, clips)[:, :, [3]], atol=1e-5)
        (torch.Size([1, 1, 1, 20, 30]), True)
    """
    if not hasattr(model, "code"):
        return reconstruct(model, clips)[:, :, [frame]]
    decoded = decoded_frames(model.decoder, model.code(padded(clips)), [frame], clips.shape[-2:])
    return cast(torch.Tensor, model.end(decoded))


def decoded_frames(
    decoder: nn.Sequential, codes: torch.Tensor, frames: Sequence[int], size: Sequence[int]
) -> torch.Tensor:
    """These frames of what the decoder makes of codes, (B, C, P, H, W) of this size; of one no more than it takes.

    Example:
        >>> import torch
        >>> decoded_frames(decoder_of(1, "tiny").eval(), torch.zeros(1, 32, 1, 2, 2), [0, 7], (20, 30)).shape
        torch.Size([1, 1, 2, 20, 30])
    """
    height, width = size
    decoded = decoded_frame(decoder, codes, frames[0]) if len(frames) == 1 else decoder(codes)[:, :, frames]
    return cast(torch.Tensor, decoded)[..., :height, :width]


def decoded_frame(decoder: nn.Sequential, codes: torch.Tensor, frame: int) -> torch.Tensor:
    """One frame of what the decoder makes of codes (B, D, T / 8, H / 16, W / 16): (B, C, 1, H, W).

    A frame depends on two or three moments of each layer's input. Every layer is given those; what it makes
    at the cut ends lacks a neighbour, and the next layer's share leaves it out.

    Example:
        >>> import torch
        >>> decoded_frame(decoder_of(1, "tiny").eval(), torch.zeros(1, 32, 2, 1, 2), frame=9).shape
        torch.Size([1, 1, 1, 16, 32])
    """
    layers = list(decoder)
    needed = _needed(layers, codes.shape[2], frame)
    values, first = codes, 0
    for layer in layers:
        if isinstance(layer, nn.ConvTranspose3d):
            share = needed.pop(0)
            values = values[:, :, share.start - first : share.stop - first]
            first = share.start * layer.stride[0]
        values = layer(values)
    return values[:, :, frame - first : frame - first + 1]


def _needed(layers: Sequence[nn.Module], moments: int, frame: int) -> list[range]:
    """The moments that each transposed convolution (width 3 in time, padding 1) needs for a frame of the last one."""
    strides = [layer.stride[0] for layer in layers if isinstance(layer, nn.ConvTranspose3d)]
    lengths = [moments]
    for stride in strides[:-1]:
        lengths.append(lengths[-1] * stride)
    needed: list[range] = []
    wanted = range(frame, frame + 1)
    for stride, length in zip(reversed(strides), reversed(lengths), strict=True):
        # output o comes from the inputs i with |o - stride i| <= 1
        wanted = range(max(-((1 - wanted.start) // stride), 0), min(wanted.stop // stride + 1, length))
        needed.insert(0, wanted)
    return needed
