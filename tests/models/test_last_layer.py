"""The last layer of a decoder is the transposed convolution that it says it is."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pagen.models.last_layer import LastLayer


@given(
    channels=st.sampled_from([1, 2, 3]),
    inward=st.integers(1, 9),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 7), st.integers(1, 7)),
    last=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_it_is_a_transposed_convolution(
    channels: int, inward: int, shape: tuple[int, int, int, int], last: bool
) -> None:
    torch.manual_seed(inward)
    layer, (batch, *sides) = LastLayer(inward, channels).double(), shape
    clips = torch.randn(batch, inward, *sides, dtype=torch.float64)
    if last:
        clips = clips.contiguous(memory_format=torch.channels_last_3d)
    expected = nn.functional.conv_transpose3d(clips, layer.weight, layer.bias, (1, 2, 2), 1, (0, 1, 1))
    for mode in (torch.inference_mode, torch.enable_grad):
        with mode():
            found = layer(clips)
        assert found.shape == (batch, channels, sides[0], 2 * sides[1], 2 * sides[2])
        torch.testing.assert_close(found.detach().clone(), expected.detach())


@pytest.mark.parametrize("channels", [1, 3])
def test_its_gradients_are_those_of_a_transposed_convolution(channels: int) -> None:
    torch.manual_seed(0)
    layer = LastLayer(4, channels).double()
    clips = torch.randn(2, 4, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, channels, 3, 8, 10, dtype=torch.float64)
    plain = nn.functional.conv_transpose3d(clips, layer.weight, layer.bias, (1, 2, 2), 1, (0, 1, 1))
    asked = [clips, *layer.parameters()]
    expected = torch.autograd.grad((weights * plain).sum(), asked)
    for found, wanted in zip(torch.autograd.grad((weights * layer(clips)).sum(), asked), expected, strict=True):
        torch.testing.assert_close(found, wanted)
