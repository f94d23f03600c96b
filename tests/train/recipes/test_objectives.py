"""Losses against plain numpy, and what reaches the encoder."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor, nn
from torch.nn import functional

from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.train.recipes.base import Recipe
from pagen.train.recipes.clips import ClipRecipe
from pagen.train.recipes.lntra import StealRecipe
from pagen.train.recipes.luss import LussRecipe
from pagen.train.recipes.memae import MemAERecipe
from pagen.train.recipes.plain import BaselineRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.recipes.unified import DiscriminatorRecipe
from pagen.train.step import Step

SHAPE = (4, 1, 16, 16, 16)
reconstruction, signed_reconstruction = BaselineRecipe().objective, StealRecipe().objective


def clips(seed: int, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Given(nn.Module):
    """Gives back what it is told to."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = nn.Parameter(output)

    def forward(self, clips: Tensor) -> Tensor:
        return self.output


def test_the_error_is_the_mean_over_clips_of_the_mean_squared_error_of_a_clip() -> None:
    output, target = clips(0), clips(1)
    expected = np.mean([np.mean((o - t) ** 2) for o, t in zip(output.numpy(), target.numpy(), strict=True)])
    loss = reconstruction(Given(output), {"clips": clips(2), "targets": target})["loss"]
    np.testing.assert_allclose(loss.detach(), expected, rtol=1e-6)


def test_the_gradient_leads_to_the_target() -> None:
    given = Given(torch.tensor([[0.5, -0.5]]))
    reconstruction(given, {"clips": torch.empty(0), "targets": torch.tensor([[0.0, 1.0]])})["loss"].backward()
    torch.testing.assert_close(given.output.grad, torch.tensor([[0.5, -1.5]]))  # 2 (o - t) / 2


def test_steal_subtracts_the_error_of_pseudo_anomalies_and_is_bounded() -> None:
    output, target, signs = clips(0), clips(1), torch.tensor([1.0, -1.0, 1.0, 1.0])
    errors = ((output - target) ** 2).numpy().mean(axis=(1, 2, 3, 4))
    batch = {"clips": target, "targets": target, "signs": signs}
    parts = signed_reconstruction(Given(output), batch)
    np.testing.assert_allclose(parts["loss"].detach(), (errors[0] - errors[1] + errors[2] + errors[3]) / 4, rtol=1e-5)
    np.testing.assert_allclose(parts["normal"].detach(), errors[[0, 2, 3]].mean(), rtol=1e-6)
    worst = signed_reconstruction(
        Given(torch.ones(SHAPE)), {"targets": -torch.ones(SHAPE), "signs": -torch.ones(4), "clips": target}
    )
    assert float(worst["loss"].detach()) == -4


def test_memory_adds_the_entropy_of_its_addresses() -> None:
    torch.manual_seed(0)
    network = MemAE(1, "tiny", memory=20)
    parts = MemAERecipe(entropy=0.5).objective(network, {"clips": clips(0), "targets": clips(1)})
    weights = network.train().addressed(clips(0)).weights.detach().numpy()
    entropy = -(weights * np.log(weights + 1e-12)).sum(1).mean()
    np.testing.assert_allclose(parts["entropy"].detach(), entropy, rtol=1e-5)
    np.testing.assert_allclose(parts["loss"].detach(), float(parts["error"].detach()) + 0.5 * entropy, rtol=1e-5)
    assert 0 <= float(parts["empty"]) <= 1


def luss_batch() -> dict[str, Tensor]:
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0])
    targets = {"targets": clips(3), "next": clips(1, (4, 1, 1, 16, 16))}
    return {"clips": clips(0), **targets, "fast": clips(2), "labels": labels}


def test_luss_weighs_its_three_errors() -> None:
    torch.manual_seed(0)
    network, batch = LUSSAE(1, "tiny", prp="conv").eval(), luss_batch()
    with torch.no_grad():
        parts = LussRecipe(weights=(0.6, 0.4, 1.0)).objective(network, batch)
        found, logits = network(batch["clips"]), network.classify(batch["fast"]).numpy()
    vcr = np.mean((found.vcr.numpy() - batch["targets"].numpy()) ** 2)
    ffp = np.mean((found.ffp.numpy() - batch["next"].numpy()) ** 2)
    chosen = logits[np.arange(4), batch["labels"].numpy().astype(int)]
    prp = np.mean(np.log(np.exp(logits).sum(1)) - chosen)
    for name, expected in {"vcr": vcr, "ffp": ffp, "prp": prp, "loss": 0.6 * vcr + 0.4 * ffp + prp}.items():
        np.testing.assert_allclose(parts[name], expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_each_head_of_luss_teaches_the_encoder(weights: tuple[float, float, float]) -> None:
    torch.manual_seed(0)
    network = LUSSAE(1, "tiny", prp="conv")
    LussRecipe(weights=weights).objective(network, luss_batch())["loss"].backward()
    gradient = network.encoder[0].weight.grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0


def counted(network: LUSSAE) -> list[int]:
    """How many batches each batch normalisation has seen."""
    return [int(norm.num_batches_tracked) for norm in network.modules() if isinstance(norm, nn.BatchNorm3d)]


@pytest.mark.parametrize(
    ("weights", "encoded", "decoded"),
    [
        ((0.6, 0.4, 1.0), 2, 1),
        ((0.6, 0.0, 1.0), 2, 1),
        ((0.6, 0.4, 0.0), 1, 1),
        ((0.6, 0.0, 0.0), 1, 1),
        ((0.0, 0.0, 1.0), 1, 0),
    ],
)
def test_what_has_no_weight_goes_through_no_part_of_the_network(
    weights: tuple[float, float, float], encoded: int, decoded: int
) -> None:
    recipe = LussRecipe(weights=weights, widths="tiny", prp="conv")
    network, heads = recipe.network(None).train(), []
    for name in ("ffp", "prp"):
        getattr(network, name).register_forward_hook(lambda *call, name=name: heads.append(name))
    parts = recipe.objective(network, luss_batch())
    parts["loss"].backward()
    assert set(counted(network.encoder)) == {encoded}
    assert set(counted(network.decoder)) == {decoded}
    assert heads == [name for name, weight in zip(("ffp", "prp"), weights[1:], strict=True) if weight]
    assert set(parts) == {
        "loss",
        *(name for name, weight in zip(("vcr", "ffp", "prp"), weights, strict=True) if weight),
    }
    for name, parameter in network.named_parameters():  # processes that train together wait for every one that learns
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_the_default_objective_is_that_of_the_whole_network_bit_for_bit() -> None:
    torch.manual_seed(0)
    network, batch = LUSSAE(1, "tiny", prp="conv").train(), luss_batch()
    twin = deepcopy(network)
    LussRecipe().objective(network, batch)["loss"].backward()
    heads = twin(batch["clips"])
    vcr, ffp = functional.mse_loss(heads.vcr, batch["targets"]), functional.mse_loss(heads.ffp, batch["next"])
    prp = functional.cross_entropy(twin.classify(batch["fast"]), batch["labels"].long())
    (0.6 * vcr + 0.4 * ffp + 1.0 * prp).backward()
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)


def test_luss_learns_by_blur_pooled_errors_too() -> None:
    torch.manual_seed(0)
    network, batch = LUSSAE(1, "tiny", prp="conv").eval(), luss_batch()
    parts = LussRecipe(error="bpe").objective(network, batch)
    bell = np.exp(-(np.arange(-2, 3) ** 2) / 2)
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    with torch.no_grad():
        answered = network(batch["clips"])
    for name, wanted in (("vcr", batch["targets"]), ("ffp", batch["next"])):
        residual = (getattr(answered, name) - wanted).numpy().astype(np.float64)
        blurred = scipy.ndimage.convolve(residual, kernel[None, None, None], mode="constant")[..., ::2, ::2]
        np.testing.assert_allclose(parts[name].item(), np.mean(blurred**2), rtol=1e-5)
        assert parts[name].dtype == torch.float32
    parts["loss"].backward()
    gradient = network.encoder[0].weight.grad
    assert gradient is not None
    assert 0 < float(gradient.abs().max()) < float("inf")


def test_the_discriminator_learns_by_binary_cross_entropy() -> None:
    torch.manual_seed(0)
    network, labels = Discriminator(6, 8).eval(), torch.tensor([0.0, 1.0, 1.0])
    features = torch.randn(3, 6)
    with torch.no_grad():
        loss = DiscriminatorRecipe().objective(network, {"features": features, "labels": labels})["loss"]
        share = 1 / (1 + np.exp(-network(features).numpy()))
    expected = -np.mean(labels.numpy() * np.log(share) + (1 - labels.numpy()) * np.log(1 - share))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_every_recipe_of_one_network_has_its_objective() -> None:
    kinds: list[Any] = [kind for kind in map(RECIPES.__getitem__, recipe_names()) if issubclass(kind, Recipe)]
    assert all(kind.objective is not Recipe.objective for kind in kinds)
    plain = {kind.name for kind in kinds if kind.objective is ClipRecipe.objective}
    assert plain == {"baseline", "patch", "skip", "spatial", "temporal"}
    assert LussRecipe().weights == (0.6, 0.4, 1.0)
    assert MemAERecipe().entropy == 0.0002


def test_a_step_is_the_objective_of_its_network() -> None:
    output, target = clips(0), clips(1)
    batch = {"clips": target, "targets": target}
    assert torch.equal(Step(Given(output), reconstruction)(batch)["loss"], reconstruction(Given(output), batch)["loss"])
