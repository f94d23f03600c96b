from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.models.memae import (
    MemAE,
    Memory,
    empty_share,
    entropy,
    hard_shrink,
    published_initialisation,
)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(**changes: Any) -> MemAE:
    torch.manual_seed(0)
    return MemAE(**{"widths": "tiny", "memory": 20, **changes}).eval()


def clips(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def some_weights() -> Tensor:
    """Weights (2, 30, 1, 2, 3) of 12 positions, some of which are under 0.05 throughout."""
    scores = torch.randn(2, 30, 1, 2, 3, generator=torch.Generator().manual_seed(2)) * torch.arange(3) * 1.5
    return scores.softmax(1)


def slow_memory(codes: npt.NDArray[np.float64], items: npt.NDArray[np.float64], least: float, cosine: bool) -> Any:
    """Codes (N, D) and items (M, D) -> what was read (N, D) and weights (N, M), one vector after the other."""
    read, weights = np.zeros_like(codes), np.zeros((len(codes), len(items)))
    for n, code in enumerate(codes):
        lengths = np.linalg.norm(items, axis=1) * np.linalg.norm(code) if cosine else 1
        powers = np.exp(items @ code / lengths)
        share = powers / powers.sum()
        share[share <= least] = 0
        weights[n] = share / share.sum() if share.any() else 0
        read[n] = sum(weight * item for weight, item in zip(weights[n], items, strict=True))
    return read, weights


@pytest.mark.parametrize(("channels", "total"), [(1, 6_492_801), (3, 6_503_171)])
def test_parameters_are_as_many_as_published(channels: int, total: int) -> None:
    with torch.device("meta"):
        network = MemAE(channels)
    assert count(network.mem_rep) == 512_000
    assert count(network) == total
    assert tuple(network.mem_rep["memory"].weight.shape) == (2000, 256)


def test_the_memory_costs_its_two_products() -> None:
    macs = []
    with torch.device("meta"):
        for network in (MemAE(), ConvAE3d(tanh=False)):
            with FlopCounterMode(display=False) as counter:
                network(torch.empty(1, 1, 16, 256, 256))
            macs.append(counter.get_total_flops() // 2)
    assert macs[0] - macs[1] == 2 * 512 * 2000 * 256 == 524_288_000


def test_names_in_the_state_are_the_published_ones() -> None:
    assert set(tiny().state_dict()) == {*ConvAE3d(widths="tiny").state_dict(), "mem_rep.memory.weight"}


def test_the_memory_begins_uniform() -> None:
    items = Memory(2000, 256, "dot", 0).weight
    assert 0.0624 < items.max() <= 0.0625
    assert -0.0624 > items.min() >= -0.0625
    torch.testing.assert_close(items.std(), torch.tensor(0.0625 / math.sqrt(3)), rtol=0.01, atol=0)


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
@pytest.mark.parametrize("shrink", [0.0, 0.06])
def test_a_memory_is_its_slow_twin(similarity: Any, shrink: float) -> None:
    memory = Memory(20, 6, similarity, shrink).double()
    nn.init.normal_(memory.weight, generator=torch.Generator().manual_seed(4))
    codes = torch.randn(2, 6, 2, 3, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    read, weights = (tensor.detach().movedim(1, -1).reshape(48, -1).numpy() for tensor in memory(codes))
    rows = codes.movedim(1, -1).reshape(48, -1).numpy()
    expected = slow_memory(rows, memory.weight.detach().numpy(), shrink, similarity == "cosine")
    np.testing.assert_allclose(read, expected[0], atol=1e-12)
    np.testing.assert_allclose(weights, expected[1], atol=1e-12)
    assert (weights == 0).any() == bool(shrink)


def test_hard_shrinkage_and_its_gradient_are_those_of_the_published_formula() -> None:
    """w <- relu(w - l) w / (|w - l| + 1e-12), then divided by the sum of what is left."""
    plain, ours = (some_weights().double().movedim(1, -1).requires_grad_() for _ in range(2))
    kept = torch.relu(plain - 0.05) * plain / ((plain - 0.05).abs() + 1e-12)
    expected, found = kept / kept.sum(-1, keepdim=True).clamp_min(1e-12), hard_shrink(ours, 0.05)
    torch.testing.assert_close(found, expected)
    assert 0 < empty_share(found.movedim(-1, 1)) < 1
    weigh = torch.arange(30.0).double()
    for result in (expected, found):
        (result * weigh).sum().backward()
    torch.testing.assert_close(ours.grad, plain.grad, rtol=1e-5, atol=0)
    assert ours.grad is not None
    assert ours.grad.abs().max() > 1


def test_weights_are_kept_whole_dropped_or_made_to_sum_to_one() -> None:
    weights = some_weights().movedim(1, -1)
    assert hard_shrink(weights, 0.0) is weights
    sums = hard_shrink(weights, 0.05).sum(-1)
    assert torch.all(((sums - 1).abs() < 1e-6) | (sums == 0))


def test_shrink_is_five_over_the_items_or_what_is_said() -> None:
    found = [tiny(memory=items, shrink=shrink).mem_rep["memory"].shrink for items, shrink in [(2000, None), (10, 0.3)]]
    assert found == [0.0025, 0.3]
    sums = tiny(shrink=0).addressed(clips(1, 1, 8, 32, 32)).weights.sum(1)
    torch.testing.assert_close(sums, torch.ones_like(sums))


def test_a_cosine_with_the_published_shrinkage_is_dead() -> None:
    codes = torch.randn(1, 256, 2, 4, 4, generator=torch.Generator().manual_seed(5))
    bound = math.e / (math.e + 1999 / math.e)
    assert empty_share(Memory(2000, 256, "cosine", 0.0025)(codes)[1]) == 1
    alive = Memory(2000, 256, "cosine", 0.0)(codes)[1]
    assert alive.max() < 0.0025 < bound < 0.0037
    assert empty_share(alive) == 0


@torch.no_grad()
def test_what_is_addressed_is_what_is_decoded() -> None:
    network, x = tiny(shrink=0.0), clips(2, 1, 16, 32, 48)
    given = network.addressed(x)
    assert given.weights.shape == (2, 20, 2, 2, 3)
    assert given.reconstruction.shape == x.shape
    assert torch.equal(network(x), given.reconstruction)
    read = torch.einsum("bmthw,md->bdthw", given.weights, network.mem_rep["memory"].weight)
    torch.testing.assert_close(given.reconstruction, network.decoder(read))


@torch.no_grad()
def test_the_end_is_linear_or_tanh() -> None:
    x = clips(1, 1, 8, 32, 32)
    torch.testing.assert_close(tiny(tanh=True)(x), tiny()(x).tanh())


def test_entropy_is_its_slow_twin_and_has_the_known_ends() -> None:
    weights = hard_shrink(some_weights().movedim(1, -1), 0.05).movedim(-1, 1)
    total, positions = 0.0, 0
    for batch in weights.double().numpy():
        for column in batch.reshape(30, -1).T:
            total, positions = total - sum(w * math.log(w + 1e-12) for w in column), positions + 1
    assert positions == 12
    assert float(entropy(weights)) == pytest.approx(total / 12, abs=1e-5)
    assert float(entropy(torch.full((2, 30, 1, 2, 2), 1 / 30))) == pytest.approx(math.log(30), abs=1e-5)
    assert float(entropy(torch.eye(30).reshape(1, 30, 30, 1, 1))) == pytest.approx(0, abs=1e-6)


def test_the_share_of_empty_positions_is_counted() -> None:
    weights = torch.full((2, 4, 1, 2, 2), 0.25)
    weights[0, :, 0, 1, 0] = 0
    weights[1, :3, 0, 0, 0] = 0
    assert float(empty_share(weights)) == 1 / 8


@pytest.mark.parametrize("loss", ["reconstruction", "entropy"])
def test_gradients_reach_the_memory_and_the_encoder(loss: str) -> None:
    network, x = tiny(shrink=0.0).train(), clips(2, 1, 8, 32, 32)
    given = network.addressed(x)
    (entropy(given.weights) if loss == "entropy" else (given.reconstruction - x).square().mean()).backward()
    for parameter in (network.mem_rep["memory"].weight, network.encoder[0].weight):
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0


def test_the_published_initialisation_draws_weights_and_leaves_the_rest() -> None:
    network = MemAE(widths=(16, 24, 32, 48), memory=20)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        published_initialisation(network)
    after = network.state_dict()
    for half in ("encoder", "decoder"):
        for layer in (0, 3, 6, 9):
            weight = after[f"{half}.{layer}.weight"]
            assert weight.std() == pytest.approx(0.02, rel=0.15)
            assert abs(float(weight.mean())) < 0.005
            assert torch.equal(after[f"{half}.{layer}.bias"], before[f"{half}.{layer}.bias"])
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm3d)]
    gains = torch.cat([norm.weight.detach() for norm in norms])
    assert len(norms) == 7
    assert float(gains.mean()) == pytest.approx(1, abs=0.01)
    assert float(gains.std()) == pytest.approx(0.02, rel=0.3)
    assert all(bool((norm.bias == 0).all()) for norm in norms)
    assert torch.equal(after["mem_rep.memory.weight"], before["mem_rep.memory.weight"])


def test_the_initialisation_is_repeatable_and_takes_any_network() -> None:
    states = []
    for _ in range(2):
        network = ConvAE3d(widths="tiny")
        with torch.random.fork_rng():
            torch.manual_seed(3)
            published_initialisation(network)
        states.append(network.encoder[0].weight)
    assert torch.equal(*states)


@torch.no_grad()
def test_reconstruct_takes_any_size() -> None:
    assert reconstruct(tiny(shrink=0.0), clips(1, 1, 8, 20, 37)).shape == (1, 1, 8, 20, 37)


@pytest.mark.parametrize(
    "changes", [{}, {"similarity": "cosine", "shrink": 0.001, "tanh": True, "widths": [2, 3, 4, 5]}]
)
def test_what_is_saved_comes_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = tiny(**changes)
    before.save_pretrained(tmp_path)
    after = MemAE.from_pretrained(tmp_path)
    assert json.dumps(after.config) == json.dumps(before.config)
    x = clips(1, 1, 8, 32, 32)
    assert torch.equal(after(x), before(x))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"similarity": "cosin"}, "no similarity named 'cosin'; did you mean 'cosine'"),
        ({"memory": 0}, "expected a memory of 1 item and more, found 0"),
        ({"shrink": -0.1}, r"expected shrink in \[0, 1\), found -0.1"),
        ({"shrink": 1}, "found 1;"),
        ({"widths": "papr"}, "no widths named 'papr'"),
    ],
)
def test_what_does_not_exist_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        tiny(**changes)


def test_a_shape_that_would_not_come_back_is_refused() -> None:
    with pytest.raises(PagenError, match=r"expected clips \(B, 1, T, H, W\)"):
        tiny()(torch.zeros(1, 1, 9, 32, 32))
