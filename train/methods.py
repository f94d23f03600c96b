"""The untrained network of a recipe, and what it minimises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from pagen.models.conv_ae import ConvAE3d
from pagen.models.density.noise_perceptron import Objective as Matching
from pagen.models.discriminator import Discriminator as DiscriminatorNetwork
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE as MemAENetwork
from pagen.models.memae import empty_share, published_initialisation
from pagen.models.memae import entropy as address_entropy
from pagen.models.pretrained import Pretrained
from pagen.seeds import entropy
from pagen.train.batches import Batch
from pagen.train.inputs import Inputs
from pagen.train.recipes.base import ClipRecipe, Recipe
from pagen.train.recipes.clips import Discriminator, Luss, MemAE, Steal
from pagen.train.recipes.density import MultiScaleRecipe


def new_network(recipe: Recipe, seed: int, inputs: Inputs) -> Pretrained:
    """Torch's own initialisation, as LNTRA's, or MemAE's own; from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(seed, "weights") % 2**63)
        return _untrained(recipe, inputs)


def _untrained(recipe: Recipe, inputs: Inputs) -> Pretrained:
    match recipe:
        case Discriminator():
            return DiscriminatorNetwork(inputs.features, recipe.hidden, recipe.dropout, recipe.pool)
        case Luss():
            return LUSSAE(recipe.channels, recipe.widths, recipe.window, recipe.ffp, recipe.prp, recipe.size)
        case MemAE():
            network = MemAENetwork(recipe.channels, recipe.widths, recipe.memory, recipe.similarity)
            published_initialisation(network)
            return network
    assert isinstance(recipe, ClipRecipe)
    return ConvAE3d(recipe.channels, recipe.widths)


Parts = dict[str, Tensor]

Objective = Callable[[Any, Batch], Parts]


def reconstruction(network: Any, batch: Batch) -> Parts:
    """Mean squared error over clips (B, C, T, H, W) in [-1, 1], all clips alike, all frames of each.

    The target of a pseudo-anomaly is the normal clip (LNTRA; Rai et al., equation 4), so that the
    network learns to put right what is not normal.
    """
    return {"loss": mse_loss(network(batch["clips"]), batch["targets"])}


def signed_reconstruction(network: Any, batch: Batch) -> Parts:
    """STEAL: the mean over the clips of their error, a pseudo-anomaly's with a minus sign.

    Nothing bounds it but the ranges of input and tanh: an error is 4 at most, so the loss lies in [-4, 4].
    """
    errors = (network(batch["clips"]) - batch["targets"]).square().mean(dim=(1, 2, 3, 4))
    signs = batch["signs"]
    return {"loss": (signs * errors).mean(), "normal": (errors * (signs > 0)).sum() / (signs > 0).sum().clamp_min(1)}


def memory_reconstruction(network: Any, batch: Batch, weight: float) -> Parts:
    """MemAE: the error, and the entropy of the addresses with its weight; `empty` is the share of codes without one."""
    rebuilt, weights = network.addressed(batch["clips"])
    error, spread = mse_loss(rebuilt, batch["targets"]), address_entropy(weights)
    return {"loss": error + weight * spread, "error": error, "entropy": spread, "empty": empty_share(weights)}


def luss(network: Any, batch: Batch, weights: tuple[float, float, float]) -> Parts:
    """LUSS-AE: errors of the clip (VCR) and of the frame after it (FFP), cross-entropy of acceleration (PRP)."""
    found = network(batch["clips"])
    vcr, ffp = mse_loss(found.vcr, batch["clips"]), mse_loss(found.ffp, batch["next"])
    prp = cross_entropy(network.classify(batch["fast"]), batch["labels"].long())
    return {"loss": weights[0] * vcr + weights[1] * ffp + weights[2] * prp, "vcr": vcr, "ffp": ffp, "prp": prp}


def discrimination(network: Any, batch: Batch) -> Parts:
    """Binary cross-entropy: features of pseudo-anomalies are 1, of normal frames 0."""
    return {"loss": binary_cross_entropy_with_logits(network(batch["features"]), batch["labels"])}


def noise_matching(network: Any, batch: Batch, match: Matching) -> Parts:
    """Denoising score matching of features `x` (B, D) with `noise` (B, D) of deviations `sigma` (B, 1)."""
    return {"loss": match(network, batch["x"], batch["sigma"], batch["noise"])}


def objective_of(recipe: Recipe) -> Objective:
    """What a recipe minimises."""
    match recipe:
        case MemAE():
            return partial(memory_reconstruction, weight=recipe.entropy)
        case Luss():
            return partial(luss, weights=recipe.weights)
        case Steal():
            return signed_reconstruction
        case Discriminator():
            return discrimination
        case MultiScaleRecipe():
            return partial(noise_matching, match=recipe.detector(0, "cpu").objective())
    return reconstruction


class Step(nn.Module):
    """A network with its objective as one module: what several processes must call as one."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch) -> Parts:
        """The parts of the loss."""
        return self.objective(self.network, batch)


class SyncedBatchNorm3d(nn.BatchNorm3d):
    """Batch normalisation over the clips of all processes, so that a step is that of one process with all of them.

    torch's own SyncBatchNorm is for GPUs alone.
    """

    def forward(self, clips: Tensor) -> Tensor:
        """(B, C, T, H, W) -> the same."""
        if not self.training:
            return super().forward(clips)
        from torch.distributed import get_world_size
        from torch.distributed.nn.functional import all_reduce

        axes = (0, 2, 3, 4)
        count = clips.numel() // clips.shape[1] * get_world_size()
        mean = all_reduce(clips.sum(axes)) / count
        centred = clips - mean[:, None, None, None]
        variance = all_reduce(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = (variance + self.eps).rsqrt() * self.weight
        normal: Tensor = centred * scale[:, None, None, None] + self.bias[:, None, None, None]
        return normal

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None  # all of ours keep them
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def synchronise_norms(network: nn.Module) -> None:
    """Make the batch normalisations of a network count over all processes, in place; its weights keep their names."""
    for module in network.modules():
        if type(module) is nn.BatchNorm3d:
            module.__class__ = SyncedBatchNorm3d
