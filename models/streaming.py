"""Windows that move by one frame, without computing again what they share.

A convolution of width 3 in time adds up three convolutions of single moments. What a moment gives to each of them is
computed once and kept until the last sum has taken it. Moments that see neither end of a window are the same in all
windows that hold them. Those that see one, where the encoder is shown its padding, belong to one window each, and are
added up of what is kept and of each other. A stride needs no case of its own: the moments of a window lie `spacing`
frames apart, and between them those of the windows between.

Results are those of whole windows but for the order of sums. A stream holds a few moments of each layer, and before
its first frame has seen that one for ever, as windows that begin before a clip have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pagen.models.speed import channels_last, fast_clips

ACTIVATIONS = (nn.LeakyReLU, nn.ReLU)
Place = int | None
"""The place in the window of a moment that sees an end of it; None of all that see none."""
Input = tuple[int, Place, int]
"""What a sum takes: a share (0, 1, 2) of the moments of a place, and how many frames ago that came."""
Encode = Callable[[Tensor], Tensor]
"""The newest frames (N, C, 1, H, W) of a stream -> codes (N, D, T', H', W') of the windows that end with each."""


def over_windows(encoder: nn.Module, window: int) -> Encode:
    """A new stream, whose windows of so many frames are encoded by an encoder in evaluation mode.

    What is no row of convolutions of width 3 with their batch normalisation and activation is shown whole windows.
    How many frames come at once changes the last bits alone.

    Example:
        >>> import torch
        >>> from pagen.models.conv_ae import encoder_of
        >>> encoder, frames = encoder_of(1, "tiny").eval(), torch.rand(20, 1, 1, 16, 32)
        >>> with torch.inference_mode():
        ...     codes, whole = over_windows(encoder, 16)(frames), encoder(frames[4:].transpose(0, 2))
        >>> codes.shape, torch.allclose(codes[19:], whole, atol=1e-5)
        (torch.Size([20, 32, 2, 1, 2]), True)
    """
    blocks = _blocks(encoder)
    return _Streamed(blocks, window) if blocks else _Whole(encoder, window)


class _Past:
    """The values of the newest frames and of so many before them; what was first was there for ever."""

    def __init__(self, oldest: int) -> None:
        self._oldest, self._held = oldest, list[Tensor]()

    def add(self, values: Tensor) -> None:
        before = self._held[len(self._held) - self._oldest :] or [values[0]] * self._oldest
        self._held, self.newest = [*before, *values], values

    def ago(self, age: int) -> list[Tensor]:
        first = self._oldest - age
        return self._held[first : first + len(self.newest)]


class _Whole:
    def __init__(self, encoder: nn.Module, window: int) -> None:
        self._encoder, self._window, self._past = encoder, window, _Past(window - 1)

    def __call__(self, frames: Tensor) -> Tensor:
        self._past.add(frames)
        windows = zip(*(self._past.ago(age) for age in reversed(range(self._window))), strict=True)
        return cast(Tensor, self._encoder(fast_clips(torch.stack([torch.cat(each, dim=1) for each in windows]))))


class _Streamed:
    def __init__(self, blocks: Sequence[tuple[nn.Conv3d, nn.Sequential]], window: int) -> None:
        moments, self._layers = _Moments(window, 1, range(window), {None: 0}), list[_Layer]()
        for convolution, after in blocks:
            moments, sums = moments.above(convolution.stride[0])
            self._layers.append(_Layer(convolution, after, sums))
        places = [moments.place(at) for at in range(moments.length)]
        ages = [(place, window - 1 - frame - moments.known[place]) for place, frame in places]
        self._code = [(place, age, _Past(age)) for place, age in ages]

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        moments: Mapping[Place, Tensor] = {None: frames[:, :, 0]}
        for layer in self._layers:
            moments = layer(moments)
        for place, _, past in self._code:
            past.add(moments[place])
        return torch.stack([torch.stack(past.ago(age)) for _, age, past in self._code], dim=2)


@dataclass(frozen=True)
class _Moments:
    """The moments of a layer: how many a window has, how many frames lie between two, and which see no end of it.

    `known` is how many frames after its own a moment of a place is known; one that sees an end has the window's first.
    """

    length: int
    spacing: int
    free: Sequence[int]
    known: dict[Place, int] = field(default_factory=dict)

    def place(self, at: int) -> tuple[Place, int]:
        """The place of a moment of a window, and its frame, counted from the window's first."""
        return (None, self.spacing * at) if at in self.free else (at, 0)

    def above(self, stride: int) -> tuple[_Moments, dict[Place, list[Input]]]:
        """The moments of the next layer, and what is added up for those of each place."""
        seen = [range(middle - 1, middle + 2) for middle in range(0, self.length, stride)]
        free = [at for at, each in enumerate(seen) if all(below in self.free for below in each)]
        above, sums = _Moments(len(seen), self.spacing * stride, free), dict[Place, list[Input]]()
        for at, each in enumerate(seen):
            place, frame = above.place(at)
            below = [(share, *self.place(one)) for share, one in enumerate(each) if 0 <= one < self.length]
            came = [(share, source, self.known[source] + first - frame) for share, source, first in below]
            above.known[place] = last = max(when for *_, when in came)
            sums[place] = [(share, source, last - when) for share, source, when in came]
        return above, sums


class _Layer:
    """What `sums` says is added up for the moments of each place."""

    def __init__(self, convolution: nn.Conv3d, after: nn.Module, sums: Mapping[Place, list[Input]]) -> None:
        shares = convolution.weight.unbind(dim=2)
        self._weights = [channels_last(share.detach()) for share in shares]
        self._bias, self._after, self._sums = convolution.bias, after, sums
        in_space = (each[1:] for each in (convolution.stride, convolution.padding, convolution.dilation))
        self._settings: Any = (*in_space, convolution.groups)
        inputs = sorted((each for place in sums for each in sums[place]), key=lambda each: each[2])
        self._given = {(share, place): _Past(age) for share, place, age in inputs}  # the oldest comes last

    def __call__(self, moments: Mapping[Place, Tensor]) -> dict[Place, Tensor]:
        """Place -> the newest moments (N, C, H, W), from those of the layer below."""
        for (share, place), past in self._given.items():
            bias = self._bias if share == 1 else None  # every sum takes a middle one
            past.add(torch.conv2d(moments[place], self._weights[share], bias, *self._settings))
        return {place: self._after(self._sum(inputs)) for place, inputs in self._sums.items()}

    def _sum(self, inputs: Sequence[Input]) -> Tensor:
        first, *others = (self._given[share, place].ago(age) for share, place, age in inputs)
        newest = self._given[inputs[0][:2]].newest
        total = torch.empty_like(newest, dtype=torch.promote_types(newest.dtype, torch.float32))  # of bf16, too
        for i, moment in enumerate(total):  # one by one: stacked, they would be copied first
            moment.copy_(first[i])
            for other in others:
                moment += other[i]
        return total


def _blocks(encoder: nn.Module) -> list[tuple[nn.Conv3d, nn.Sequential]]:
    """Convolutions with their normalisation, and the activations after each; none where that is not all there is."""
    blocks = list[tuple[nn.Conv3d, nn.Sequential]]()
    if type(encoder) is not nn.Sequential or any(module.training for module in encoder.modules()):
        return blocks
    module: Any
    for module in encoder:
        kind = type(module)
        if kind is nn.Conv3d and _streams(module):
            blocks.append((module, nn.Sequential()))
        elif kind is nn.BatchNorm3d and blocks and not blocks[-1][1] and module.track_running_stats:
            blocks[-1] = fuse_conv_bn_eval(blocks[-1][0], module), nn.Sequential()
        elif kind in ACTIVATIONS and blocks:
            blocks[-1][1].append(module)
        else:
            return []
    return blocks


def _streams(convolution: nn.Conv3d) -> bool:
    in_time = (each[0] for each in (convolution.kernel_size, convolution.padding, convolution.dilation))
    return (*in_time, convolution.padding_mode) == (3, 1, 1, "zeros")
