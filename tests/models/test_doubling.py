"""The layers that double clips: torch's own transposed convolution, whichever way is taken."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pagen.device import rounding
from pagen.models.doubling import Doubling
from pagen.models.speed import fast_clips, fast_layout


def plain(layer: Doubling) -> nn.ConvTranspose3d:
    twin = nn.ConvTranspose3d(layer.in_channels, layer.out_channels, 3, 2, 1, output_padding=1)
    twin.load_state_dict(layer.state_dict())
    return twin


@given(
    batch=st.integers(1, 3),
    length=st.integers(1, 5),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    channels=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    laid_out=st.booleans(),
)
def test_a_clip_alone_comes_out_as_of_torch(
    batch: int, length: int, height: int, width: int, channels: tuple[int, int], laid_out: bool
) -> None:
    torch.manual_seed(0)
    layer = Doubling(*channels).eval()
    clips, twin = torch.randn(batch, channels[0], length, height, width), plain(layer)
    if laid_out:
        fast_layout(layer)
        clips = fast_clips(clips)
    with torch.inference_mode():
        torch.testing.assert_close(layer(clips), twin(clips), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_gradients_and_rounded_numbers_are_torchs(batch: int) -> None:
    layer = Doubling(3, 2)
    clips, twin = torch.randn(batch, 3, 2, 4, 4), plain(layer)
    for each in (layer, twin):
        each(clips).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, twin.weight.grad)
    with torch.inference_mode(), rounding("bf16", "cpu"):
        assert layer(clips).dtype == torch.bfloat16
        assert torch.equal(layer(clips), twin(clips))
