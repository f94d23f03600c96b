"""The untrained network of a recipe."""

from __future__ import annotations

import torch

from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator as DiscriminatorNetwork
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE as MemAENetwork
from pagen.models.memae import published_initialisation
from pagen.models.pretrained import Pretrained
from pagen.seeds import entropy
from pagen.train.inputs import Inputs
from pagen.train.recipe import ClipRecipe, Recipe
from pagen.train.recipes import Discriminator, Luss, MemAE


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
