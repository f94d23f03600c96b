"""Every recipe, at tiny scale on the street, tells held-out pseudo-anomalies apart better than untrained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.generate.generate import Generate, generate
from pagen.models.runs import open_run
from pagen.train.inputs import Inputs, open_inputs
from pagen.train.networks import new_network
from pagen.train.recipes import RECIPES
from pagen.train.session import train
from pagen.train.train import Train
from pagen.train.validate import pseudo_aurocs

SIZE = (96, 144)
STEPS = {"luss": (16, 200), "temporal": (8, 300), "discriminator": (16, 100)}
"""Batch and steps; of the others 4 and 100."""
LEARNT = {"luss": "prp", "temporal": "flow", "discriminator": "semantic"}
"""What has to become better; of the others the error of the whole frame."""


@pytest.fixture(scope="module")
def stored(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PA set of the street, at the size of tiny scale."""
    out = tmp_path_factory.mktemp("learning") / "pa"
    generate(Generate("street", kinds=("spatial", "temporal"), inpainter="telea", size=SIZE, workers=0, out=out))
    return out


def aurocs(network: Any, inputs: Inputs) -> dict[str, float]:
    """Recipes of frames are all judged by patches: of skipped frames so small a network says nothing yet."""
    batches: Any = inputs.batches
    if batches.recipe.source == "frames" and batches.recipe.name not in ("luss", "spatial"):
        batches = replace(batches, recipe=replace(RECIPES["patch"].at("tiny"), colour=batches.recipe.colour))
    return pseudo_aurocs(network.eval(), replace(inputs, batches=batches), torch.device("cpu"))


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "unified"])
def test_a_recipe_beats_its_untrained_self(name: str, tiny: Callable[..., Any], stored: Path, tmp_path: Path) -> None:
    batch, steps = STEPS.get(name, (4, 100))
    recipe = tiny(name, size=SIZE, batch=batch, steps=steps, epochs=1)
    pseudo = stored if name in ("spatial", "temporal", "discriminator") else None
    config = Train(recipe, "street", None, pseudo, "tiny", 0, tmp_path / "run", device="cpu", workers=0)
    inputs = open_inputs(replace(config, validate="pseudo"))
    before = aurocs(new_network(recipe, 0, inputs), inputs)
    train(replace(config, validate="pseudo"))
    after = aurocs(open_run(tmp_path / "run").network, inputs)
    learnt = LEARNT.get(name, "psnr")
    assert after[learnt] > before[learnt] + 0.03
