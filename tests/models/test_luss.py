from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d, decoder_of, encoder_of
from pagen.models.luss import LUSSAE, Luss, predict


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(**changes: Any) -> LUSSAE:
    torch.manual_seed(0)
    return LUSSAE(**{"widths": "tiny", "prp": "conv", "size": (64, 80), **changes}).eval()


def clips(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def shapes(layers: nn.Module, x: Tensor) -> list[tuple[int, ...]]:
    """The shapes after every layer."""
    found = []
    for layer in layers.children():
        x = layer(x)
        found.append(tuple(x.shape))
    return found


@pytest.mark.parametrize(("ffp", "parameters", "total"), [("released", 28, 6_124_447), ("conv2d", 145, 6_124_564)])
def test_parameters_are_as_many_as_published(ffp: Any, parameters: int, total: int) -> None:
    with torch.device("meta"):
        network = LUSSAE(ffp=ffp)
    assert count(network.ffp) == parameters
    assert [count(layer) for layer in network.prp if count(layer)] == [73_760, 65_664, 4_128, 66]
    assert count(network) == total


def test_layers_of_the_heads_have_the_published_shapes() -> None:
    with torch.device("meta"):
        network, code, decoded = LUSSAE(), torch.empty(3, 256, 2, 16, 16), torch.empty(3, 1, 16, 256, 256)
        prp = [(3, 256, 1, 8, 8), (3, 256, 8, 8), (3, 32, 8, 8), (3, 32, 4, 4), (3, 512)]
        prp += [(3, 128), (3, 128), (3, 32), (3, 32), (3, 2)]
        assert shapes(network.prp, code) == prp
        assert shapes(network.ffp, decoded)[-1] == (3, 1, 1, 256, 256)
        assert shapes(LUSSAE(ffp="released").ffp, decoded) == [(3, 1, 1, 256, 256)] * 2
        conv = [(3, 256, 1, 8, 8), (3, 256, 8, 8)] + [(3, 32, 8, 8)] * 2 + [(3, 128, 8, 8)] * 2
        conv += [(3, 32, 8, 8)] * 2 + [(3, 2, 8, 8)]
        assert shapes(LUSSAE(prp="conv").prp, code) == conv


def test_the_decoder_runs_once() -> None:
    with torch.device("meta"):
        network = LUSSAE()
        x = torch.empty(1, 1, 16, 256, 256)
        with FlopCounterMode(display=False) as counter:
            network(x)
        with FlopCounterMode(display=False) as encoder:
            network.classify(x)
    heads = 256 * 32 * 9 * 64 + 512 * 128 + 128 * 32 + 32 * 2
    assert counter.get_total_flops() // 2 == 32_161_923_072 + 16 * 9 * 256**2 + heads
    assert encoder.get_total_flops() // 2 == 16_080_961_536 + heads
    trained = tiny().train()
    trained(clips(2, 1, 16, 32, 32))
    assert {int(norm.num_batches_tracked) for norm in trained.modules() if isinstance(norm, nn.BatchNorm3d)} == {1}


def test_encoder_and_decoder_are_named_as_in_the_autoencoder() -> None:
    names = {name for name in tiny().state_dict() if name.startswith(("encoder", "decoder"))}
    assert names == set(ConvAE3d(widths="tiny").state_dict())


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("ffp", ["conv2d", "released"])
def test_the_pictures_are_what_paper_and_code_write(channels: int, ffp: str) -> None:
    network, x = tiny(channels=channels, ffp=ffp), clips(2, channels, 16, 64, 80)
    given = network(x)
    assert [tuple(tensor.shape) for tensor in given] == [tuple(x.shape), (2, channels, 1, 64, 80), (2, 2)]
    encoder, decoder = encoder_of(channels, "tiny"), decoder_of(channels, "tiny")
    encoder.load_state_dict(network.encoder.state_dict())
    decoder.load_state_dict(network.decoder.state_dict())
    decoded = decoder.eval()(encoder.eval()(x))
    torch.testing.assert_close(given.vcr, decoded.tanh())
    weight, bias = (parameter.data for parameter in network.ffp.parameters())
    if ffp == "conv2d":
        stacked = torch.cat([decoded[:, c] for c in range(channels)], 1)
        frame = nn.functional.conv2d(stacked, weight, bias, padding=1)
    else:  # the window of three frames lies on a padded one and the two oldest
        frame = sum(nn.functional.conv2d(decoded[:, :, t], weight[:, :, t + 1], padding=1) for t in range(2))
        frame = frame + bias[:, None, None]
    torch.testing.assert_close(given.ffp[:, :, 0], frame.tanh(), rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("prp", ["published", "conv"])
def test_logits_are_the_same_alone_and_with_the_other_heads(prp: str) -> None:
    network, x = tiny(prp=prp), clips(3, 1, 16, 64, 80)
    assert torch.equal(network(x).logits, network.classify(x))
    assert network.classify(x).std(0).min() > 0


@pytest.mark.parametrize(
    ("head", "ffp", "prp"),
    [
        (0, "conv2d", "conv"),
        (1, "conv2d", "conv"),
        (1, "released", "conv"),
        (2, "conv2d", "published"),
        (2, "conv2d", "conv"),
    ],
)
def test_gradients_of_every_head_reach_the_encoder(head: int, ffp: str, prp: str) -> None:
    network = tiny(ffp=ffp, prp=prp).train()
    network(clips(2, 1, 16, 64, 80))[head].square().mean().backward()
    assert network.encoder[0].weight.grad.abs().max() > 0
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    parts = {name.split(".")[0] for name in reached}
    assert parts == {"encoder", *[{"decoder"}, {"decoder", "ffp"}, {"prp"}][head]}


@torch.no_grad()
def test_the_place_that_looks_most_accelerated_decides() -> None:
    network, x = tiny(), clips(4, 1, 16, 64, 160)
    logits, places = network.classify(x), network.prp(network.encoded(x))
    assert places.shape == (4, 2, 2, 5)
    for row, field in zip(logits, places, strict=True):
        margins = [(field[1, y, i] - field[0, y, i], field[:, y, i]) for y in range(2) for i in range(5)]
        assert torch.equal(row, max(margins, key=lambda margin: float(margin[0]))[1])
    probabilities = places.softmax(1)[:, 1].amax((1, 2))
    torch.testing.assert_close(logits.softmax(1)[:, 1], probabilities)


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 80), (40, 70), (5, 9), (48, 16)])
def test_frames_of_any_size_are_scored(size: tuple[int, int]) -> None:
    network, x = tiny(), clips(2, 1, 16, *size)
    given = predict(network, x)
    assert [tuple(tensor.shape) for tensor in given] == [(2, 1, 16, *size), (2, 1, 1, *size), (2, 2)]
    below, right = -size[0] % 16, -size[1] % 16
    edges = torch.cat([x, *[x[..., -1:, :]] * below], -2)
    edges = torch.cat([edges, *[edges[..., -1:]] * right], -1)
    whole = network(edges)
    assert isinstance(given, Luss)
    assert torch.equal(given.logits, whole.logits)
    assert torch.equal(given.vcr, whole.vcr[..., : size[0], : size[1]])
    assert torch.equal(given.ffp, whole.ffp[..., : size[0], : size[1]])


@torch.no_grad()
@pytest.mark.parametrize(("window", "prp"), [(8, "conv"), (32, "conv"), (24, "published"), (32, "published")])
def test_other_windows_fit(window: int, prp: str) -> None:
    given = tiny(window=window, prp=prp)(clips(1, 1, window, 64, 80))
    assert [tuple(tensor.shape) for tensor in given] == [(1, 1, window, 64, 80), (1, 1, 1, 64, 80), (1, 2)]


@pytest.mark.parametrize("changes", [{"prp": "published"}, {"ffp": "released", "window": 8, "widths": [2, 3, 4, 5]}])
def test_what_is_saved_comes_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = tiny(**changes)
    before.save_pretrained(tmp_path)
    after = LUSSAE.from_pretrained(tmp_path)
    assert json.dumps(after.config) == json.dumps(before.config)
    x = clips(1, 1, before.config["window"], 64, 80)
    assert all(torch.equal(a, b) for a, b in zip(after(x), before(x), strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ffp": "conv3d"}, "no ffp named 'conv3d'"),
        ({"prp": "con"}, "no prp named 'con'; did you mean 'conv'"),
        ({"window": 12}, "expected a window divisible by 8, 8 and more with prp 'conv', found 12"),
        ({"window": 8, "prp": "published"}, "16 and more with prp 'published', found 8"),
        ({"size": (256, 250), "prp": "published"}, r"expected a size divisible by 16 .* found \(256, 250\)"),
        ({"size": (48, 64), "prp": "published"}, r"64 at least .* found \(48, 64\)"),
        ({"widths": "papr"}, "no widths named 'papr'"),
    ],
)
def test_what_does_not_exist_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        tiny(**changes)


@pytest.mark.parametrize(
    ("prp", "shape", "message"),
    [
        ("conv", (1, 1, 8, 64, 80), "expected clips of 16 frames, found 8"),
        ("conv", (1, 1, 16, 64, 81), r"expected clips \(B, 1, T, H, W\)"),
        ("published", (1, 1, 16, 80, 64), r"expected frames of \(64, 80\) for the published prp, found \(80, 64\)"),
    ],
)
def test_clips_that_do_not_fit_are_refused(prp: str, shape: tuple[int, ...], message: str) -> None:
    network = tiny(prp=prp)
    for method in (network, network.classify):
        with pytest.raises(PagenError, match=message):
            method(torch.zeros(shape))


def test_the_published_head_has_no_map() -> None:
    network = tiny(prp="published").eval()
    assert network.prp(network.encoded(clips(1, 1, 16, 64, 80))).shape == (1, 2)
