from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pagen.errors import PagenError
from pagen.models.conv_ae import WIDTHS, ConvAE3d, reconstruct, reconstruct_frame
from pagen.models.memae import MemAE

# index in the Sequential, parameters at one channel, parameters at three, output for 1xCx16x256x256; from the
# published network (96-128-256-256), counted by its own code
ENCODER = [
    (0, 2_688, 7_872, (96, 16, 128, 128)),
    (3, 331_904, 331_904, (128, 8, 64, 64)),
    (6, 884_992, 884_992, (256, 4, 32, 32)),
    (9, 1_769_728, 1_769_728, (256, 2, 16, 16)),
]
DECODER = [
    (0, 1_769_728, 1_769_728, (256, 4, 32, 32)),
    (3, 884_864, 884_864, (128, 8, 64, 64)),
    (6, 331_872, 331_872, (96, 16, 128, 128)),
    (9, 2_593, 7_779, (None, 16, 256, 256)),
]
TOTALS = {1: (2_990_784, 2_990_017, 5_980_801), 3: (2_995_968, 2_995_203, 5_991_171)}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(tanh: bool = True) -> ConvAE3d:
    """A small network with the statistics of noise, through which signals pass as through a trained one."""
    torch.manual_seed(0)
    network = ConvAE3d(1, "tiny", tanh)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm3d)):
        norm.momentum = 1.0
    network(torch.rand(2, 1, 8, 64, 64) * 2 - 1)
    return network.eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_every_layer_has_the_published_shape_and_number_of_parameters(channels: int) -> None:
    with torch.device("meta"):
        network = ConvAE3d(channels)
        x = torch.empty(1, channels, 16, 256, 256)
    assert (count(network.encoder), count(network.decoder), count(network)) == TOTALS[channels]
    for half, rows in ((network.encoder, ENCODER), (network.decoder, DECODER)):
        wanted = {index: (one if channels == 1 else three, shape) for index, one, three, shape in rows}
        for index, layer in enumerate(half):
            x = layer(x)
            if index in wanted:
                parameters, (width, *shape) = wanted.pop(index)
                assert count(layer) == parameters
                assert tuple(x.shape) == (1, width or channels, *shape)
        assert not wanted
    assert x.shape == network(torch.empty(1, channels, 16, 256, 256, device="meta")).shape


@pytest.mark.parametrize(("channels", "macs"), [(1, 32_161_923_072), (3, 34_879_832_064)])
def test_multiplications_are_as_many_as_published(channels: int, macs: int) -> None:
    """Of the convolutions, at 16 frames of 256 x 256; the counter counts a multiplication and its addition as two."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        ConvAE3d(channels)(torch.empty(1, channels, 16, 256, 256))
    assert counter.get_total_flops() == 2 * macs


def test_names_in_the_state_are_the_published_ones() -> None:
    expected = set()
    for half, last in (("encoder", None), ("decoder", 9)):
        for convolution in (0, 3, 6, 9):
            expected |= {f"{half}.{convolution}.{name}" for name in ("weight", "bias")}
            if convolution != last:
                names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
                expected |= {f"{half}.{convolution + 1}.{name}" for name in names}
    assert len(expected) == 51
    assert set(ConvAE3d(widths="tiny").state_dict()) == expected


def test_layers_are_those_of_the_papers() -> None:
    modules = list(ConvAE3d(widths="tiny").modules())
    leaks = [module.negative_slope for module in modules if isinstance(module, nn.LeakyReLU)]
    norms = [(module.eps, module.momentum) for module in modules if isinstance(module, nn.BatchNorm3d)]
    assert leaks == [0.2] * 7
    assert norms == [(1e-5, 0.1)] * 7
    convolutions = [module for module in modules if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d))]
    strides = [(1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2)]
    assert [module.stride for module in convolutions] == strides


def test_the_end_is_tanh_or_linear() -> None:
    clips = 10 * torch.randn(1, 1, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        bounded, linear = tiny()(clips), tiny(tanh=False)(clips)
    assert linear.abs().max() > 2
    assert bounded.abs().max() <= 1
    torch.testing.assert_close(bounded, torch.tanh(linear))


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 9, 32, 32), (1, 1, 16, 100, 32), (1, 1, 16, 32, 40), (1, 3, 16, 32, 32), (1, 16, 32, 32), (16, 32, 32)],
)
def test_a_shape_that_would_not_come_back_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PagenError, match=r"expected clips \(B, 1, T, H, W\) .* 8 .* 16, found \("):
        tiny()(torch.zeros(shape))


def test_widths_go_by_name_or_by_number() -> None:
    for name, widths in WIDTHS.items():
        with torch.device("meta"):
            by_name, by_number = ConvAE3d(1, name), ConvAE3d(1, list(widths))
        shapes = [{key: value.shape for key, value in n.state_dict().items()} for n in (by_name, by_number)]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ("papr", "no widths named 'papr'; did you mean 'paper'"),
        ((8, 12), "expected four widths"),
        ((8, 0, 8, 8), "four"),
    ],
)
def test_widths_that_do_not_exist_are_refused(widths: object, message: str) -> None:
    with pytest.raises(PagenError, match=message):
        ConvAE3d(1, widths)  # type: ignore[arg-type]


def test_reconstruct_is_the_plain_call_where_the_size_divides() -> None:
    network, clips = tiny(), torch.rand(2, 1, 8, 32, 48) * 2 - 1
    with torch.no_grad():
        assert torch.equal(reconstruct(network, clips), network(clips))


def test_borders_are_repeated_and_cut_off_again() -> None:
    seen = []

    class FrameScore(nn.Module):
        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            seen.append(clips)
            return clips

    clips = torch.rand(2, 1, 16, 20, 36)
    assert torch.equal(reconstruct(FrameScore(), clips), clips)
    expected = np.pad(clips.numpy(), ((0, 0),) * 3 + ((0, 12), (0, 12)), mode="edge")
    assert torch.equal(seen[0], torch.from_numpy(expected))


def test_deep_inside_a_crop_gives_what_the_whole_gives() -> None:
    """A pixel knows of 30 pixels around it: 15 on the way down (1 + 2 + 4 + 8), and as many on the way up."""
    network = tiny()
    whole = torch.rand(1, 1, 8, 32, 192, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        full, part = network(whole), network(whole[..., 32:160])
    torch.testing.assert_close(part[..., 30:98], full[..., 62:130], rtol=0, atol=1e-5)
    for near_the_edge in (slice(0, 30), slice(98, 128)):
        assert (part - full[..., 32:160])[..., near_the_edge].abs().max() > 1e-2


@pytest.mark.parametrize("network", [ConvAE3d(2, "tiny"), MemAE(2, "tiny", memory=20)])
@pytest.mark.parametrize("length", [8, 16, 24])
def test_a_frame_decoded_alone_is_that_of_the_whole(network: Any, length: int) -> None:
    torch.manual_seed(0)
    clips = torch.rand(2, 2, length, 20, 36, dtype=torch.float64) * 2 - 1
    network = network.double().train()
    network(clips[..., :16, :32])  # running statistics that are not those of the start
    with torch.inference_mode():
        whole = reconstruct(network.eval(), clips)
        for frame in range(length):
            alone = reconstruct_frame(network, clips, frame)
            torch.testing.assert_close(alone[:, :, 0], whole[:, :, frame], rtol=0, atol=1e-12)
