"""Streams of frames against the encoder on each window alone, its first frame repeated before the stream."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pagen.models import streaming
from pagen.models.conv_ae import ConvAE3d, encoder_of
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.streaming import over_windows

SMALL = settings(max_examples=60, deadline=None)


def encoder(strides: list[tuple[int, int]], normed: bool = True, biased: bool = True) -> nn.Sequential:
    """Convolutions of these strides in time and space; normalisation has the statistics of noise."""
    torch.manual_seed(0)
    modules: list[nn.Module] = []
    for number, (time, space) in enumerate(strides):
        modules.append(nn.Conv3d(number + 1, number + 2, 3, (time, space, space), 1, bias=biased))
        if normed:
            norm = nn.BatchNorm3d(number + 2)
            norm.running_mean, norm.running_var = torch.randn(number + 2), torch.rand(number + 2) + 0.5
            modules.append(norm)
        modules.append(nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(*modules).double().eval()


def stream(network: nn.Module, window: int, frames: Tensor, ends: list[int]) -> Tensor:
    """The codes of the windows that end with each of the frames, which come in parts that end there."""
    encode = over_windows(network, window)
    with torch.inference_mode():
        return torch.cat([encode(frames[first:last]) for first, last in pairwise([0, *ends, len(frames)])])


def whole(network: nn.Module, window: int, frames: Tensor) -> Tensor:
    indices = [torch.arange(end - window + 1, end + 1).clamp(0) for end in range(len(frames))]
    with torch.inference_mode():
        return torch.cat([network(frames[each].transpose(0, 2)) for each in indices])


def clip(count: int, channels: int = 1, size: tuple[int, int] = (7, 9)) -> Tensor:
    return torch.rand((count, channels, 1, *size), generator=torch.manual_seed(1), dtype=torch.float64) * 2 - 1


@SMALL
@given(
    strides=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=4),
    window=st.integers(1, 20),
    parts=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    normed=st.booleans(),
    biased=st.booleans(),
)
def test_a_stream_gives_the_codes_of_whole_windows(
    strides: list[tuple[int, int]], window: int, parts: list[int], normed: bool, biased: bool
) -> None:
    network, frames = encoder(strides, normed, biased), clip(sum(parts))
    assert isinstance(over_windows(network, window), streaming._Streamed)
    ends = [sum(parts[:number]) for number in range(1, len(parts))]
    found, expected = stream(network, window, frames, ends), whole(network, window, frames)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@SMALL
@given(window=st.sampled_from([8, 16, 24, 32]), size=st.sampled_from([(16, 16), (32, 48)]), colours=st.integers(1, 3))
def test_the_autoencoders_encoder_streams(window: int, size: tuple[int, int], colours: int) -> None:
    torch.manual_seed(0)
    network, frames = encoder_of(colours, (2, 3, 4, 5)).eval(), clip(24, colours, size).float()
    torch.testing.assert_close(stream(network, window, frames, [4, 8]), whole(network, window, frames))


OTHERS = {
    "no time": nn.Sequential(nn.Conv3d(1, 2, (1, 3, 3), padding=(0, 1, 1))),
    "unpadded": nn.Sequential(nn.Conv3d(1, 2, 3)),
    "padded alike": nn.Sequential(nn.Conv3d(1, 2, 3, padding="same")),
    "dilated": nn.Sequential(nn.Conv3d(1, 2, 3, padding=2, dilation=2)),
    "mirrored": nn.Sequential(nn.Conv3d(1, 2, 3, padding=1, padding_mode="replicate")),
    "pooled": nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.AvgPool3d(2)),
    "late norm": nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU(), nn.BatchNorm3d(2)),
    "of the batch": nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.BatchNorm3d(2, track_running_stats=False)),
    "norm first": nn.Sequential(nn.BatchNorm3d(1), nn.Conv3d(1, 2, 3, padding=1)),
    "another class": nn.Sequential(type("Mine", (nn.Conv3d,), {})(1, 2, 3, padding=1)),
    "no row": nn.Conv3d(1, 2, 3, padding=1),
    "nothing": nn.Identity(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_encoders_are_shown_whole_windows(name: str) -> None:
    network, frames = OTHERS[name].double().eval(), clip(11)
    for ends in ([], [4, 8], list(range(1, 11))):
        alone = name != "of the batch" or len(ends) == 10
        if alone:
            torch.testing.assert_close(stream(network, 6, frames, ends), whole(network, 6, frames), rtol=0, atol=0)


def test_an_encoder_in_training_is_shown_whole_windows() -> None:
    network, frames = encoder_of(1, "tiny").train(), torch.rand(8, 1, 1, 16, 16)
    encode = over_windows(network, 8)
    encode(frames)
    assert int(network[1].num_batches_tracked) == 1  # type: ignore[arg-type]  # a tensor


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_is_to_come_and_other_streams_change_no_byte(at_once: int) -> None:
    network, frames = encoder_of(1, "tiny").eval(), clip(40, size=(32, 48)).float()
    ends = list(range(at_once, 40, at_once))
    alone = stream(network, 16, frames, ends)
    part = stream(network, 16, frames[:20], [end for end in ends if end < 20])
    encode, other = over_windows(network, 16), over_windows(network, 16)
    with torch.inference_mode():
        for first in range(0, 40, at_once):
            other(frames[[39 - first] * at_once])
            assert torch.equal(encode(frames[first : first + at_once]), alone[first : first + at_once])
    assert torch.equal(part, alone[:20])


@pytest.mark.parametrize("network", [ConvAE3d(1, "tiny"), MemAE(1, "tiny", memory=10), LUSSAE(1, "tiny", prp="conv")])
def test_a_frame_takes_a_third_of_its_windows_work_at_most(network: Any) -> None:
    encode, frames = over_windows(network.eval().encoder, 16), torch.rand(4, 1, 1, 64, 64)
    flops = []
    with torch.inference_mode():
        for count in (lambda: encode(frames), lambda: network.encoder(torch.rand(4, 1, 16, 64, 64))):
            with FlopCounterMode(display=False) as counter:
                count()
            flops.append(counter.get_total_flops())
    assert flops[0] < flops[1] / 3


def test_what_is_held_does_not_grow() -> None:
    encode: Any = over_windows(encoder_of(1, "tiny").eval(), 16)

    def held() -> int:
        pasts = [past for layer in encode._layers for past in layer._given.values()]
        return sum(len(past._held) for past in [*pasts, *(past for *_, past in encode._code)])

    counts = []
    with torch.inference_mode():
        for _ in range(5):
            encode(torch.rand(4, 1, 1, 16, 16))
            counts.append(held())
    assert len(set(counts)) == 1
    assert counts[0] < 16 * 16
