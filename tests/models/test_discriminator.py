from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.models.discriminator import Discriminator


def small(**changes: Any) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(**{"features": 12, "hidden": 7, **changes}).eval()


def features(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize(("pool", "shape"), [("none", (5, 12)), ("mean", (5, 3, 12))])
def test_logits_are_those_of_the_plain_formula(pool: str, shape: tuple[int, ...]) -> None:
    network, x = small(pool=pool), features(*shape)
    vectors = x.numpy().mean(1) if pool == "mean" else x.numpy()
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, bias, second, last = (parameter.numpy() for parameter in network.parameters())
    expected = np.maximum(vectors @ first.T + bias, 0) @ second[0] + last[0]
    assert expected.shape == (5,)
    np.testing.assert_allclose(network(x).numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_the_length_of_a_vector_does_not_matter_but_within_a_window_it_does() -> None:
    x = features(4, 3, 12)
    torch.testing.assert_close(small()(x[:, 0]), small()(7 * x[:, 0]))
    network, longer = small(pool="mean"), x.clone()
    longer[:, 0] *= 7
    torch.testing.assert_close(network(x), network(7 * x))
    assert (network(x) - network(longer)).abs().min() > 1e-4


def test_dropout_is_for_training_alone() -> None:
    network, x = small(dropout=0.9), features(6, 12)
    assert torch.equal(network(x), network(x))
    network.train()
    assert not torch.equal(network(x), network(x))


def test_parameters_of_the_defaults() -> None:
    assert sum(parameter.numel() for parameter in Discriminator().parameters()) == 512 * 256 + 256 + 256 + 1


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    before, x = small(pool="mean"), features(2, 3, 12)
    before.save_pretrained(tmp_path)
    after = Discriminator.from_pretrained(tmp_path)
    assert after.config == before.config
    assert torch.equal(after(x), before(x))


def test_errors() -> None:
    with pytest.raises(PagenError, match="no pool named 'men'; did you mean 'mean'"):
        small(pool="men")
    with pytest.raises(PagenError, match=r"expected features \(B, 12\), found \(5, 11\)"):
        small()(features(5, 11))
    with pytest.raises(PagenError, match=r"expected features \(B, 12\), found \(5, 3, 12\)"):
        small()(features(5, 3, 12))
    with pytest.raises(PagenError, match=r"expected features \(B, T, 12\), found \(5, 12\)"):
        small(pool="mean")(features(5, 12))
