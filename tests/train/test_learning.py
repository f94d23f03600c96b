"""Every recipe, at tiny scale on the street, does better on held-out pseudo-anomalies than before it was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.models.conv_ae import reconstruct
from pagen.models.runs import open_run
from pagen.train.batches import draw
from pagen.train.config import Train
from pagen.train.inputs import Inputs, open_inputs
from pagen.train.network_session import new_network
from pagen.train.recipes.density import DensityRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.session import train
from pagen.train.validate import pseudo_aurocs

pytestmark = pytest.mark.slow

SIZE = (96, 144)
STEPS = {"luss": (16, 400), "discriminator": (16, 100), "spatial": (4, 200)}
"""Batch and steps; of the others 4 and 100. Playback rates are told all at once, between 150 and 350 steps."""
JUDGED = [
    name
    for name in recipe_names()
    if name not in ("unified", "temporal", "memae") and not issubclass(RECIPES[name], DensityRecipe)
]
"""Recipes that pseudo-anomalies judge; of a memory's 67 to 72 after 100 to 400 steps, 69 untrained, is chance."""
LEARNT = {"luss": "prp", "discriminator": "semantic"}
"""What has to become better; of the others the error of the whole frame."""


@pytest.fixture(scope="module")
def stored(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PA set of the street, at the size of tiny scale."""
    out = tmp_path_factory.mktemp("learning") / "pa"
    generate(Generate("street", kinds=("spatial", "temporal"), inpainter="telea", size=SIZE, workers=0, out=out))
    return out


def trained(
    name: str, tiny: Callable[..., Any], stored: Path, out: Path
) -> tuple[torch.nn.Module, torch.nn.Module, Inputs]:
    """The network before and after, and inputs with held-out clips."""
    batch, steps = STEPS.get(name, (4, 100))
    recipe = tiny(name, size=SIZE, batch=batch, steps=steps, epochs=1)
    pseudo = stored if name in ("spatial", "temporal", "discriminator") else None
    config = Train(recipe, "street", None, pseudo, "tiny", 0, out, validate="pseudo", device="cpu", workers=0)
    inputs = open_inputs(config)
    before = new_network(recipe, 0, inputs).eval()
    train(config)
    return before, open_run(out).network, inputs


def aurocs(network: Any, inputs: Inputs) -> dict[str, float]:
    """Autoencoders of frames are all judged by patches: of the rest so small a network says nothing yet."""
    batches: Any = inputs.batches
    if batches.recipe.source == "frames" and batches.recipe.name != "luss":
        patches = replace(RECIPES["patch"].at("tiny"), size=batches.recipe.size)
        batches = replace(batches, recipe=patches, stored=None)
    return pseudo_aurocs(network.eval(), replace(inputs, batches=batches).judged)


def test_a_memory_rebuilds_normal_clips_better_than_untrained(
    tiny: Callable[..., Any], stored: Path, tmp_path: Path
) -> None:
    before, after, inputs = trained("memae", tiny, stored, tmp_path / "run")
    batches: Any = inputs.batches
    errors = [float(batches.normal_scores(network)["psnr"].mean()) for network in (before, after)]
    assert errors[1] < errors[0] - 0.3  # dB; 0.6 after 100 steps


@pytest.mark.parametrize("name", JUDGED)
def test_a_recipe_tells_held_out_pseudo_anomalies_better_than_untrained(
    name: str, tiny: Callable[..., Any], stored: Path, tmp_path: Path
) -> None:
    before, after, inputs = trained(name, tiny, stored, tmp_path / "run")
    learnt = LEARNT.get(name, "psnr")
    assert aurocs(after, inputs)[learnt] > aurocs(before, inputs)[learnt] + 0.03


def test_the_flow_of_held_out_pseudo_anomalies_is_set_right_better_than_untrained(
    tiny: Callable[..., Any], stored: Path, tmp_path: Path
) -> None:
    """What mixed flow should have been. To be told by its error, it takes more than so small a network learns."""
    before, after, inputs = trained("temporal", tiny, stored, tmp_path / "run")
    batches: Any = inputs.batches
    held = replace(batches, recipe=replace(batches.recipe, probability=1.0, crop=0), names=inputs.held_out)
    batch = draw(held, range(16))
    with torch.inference_mode():
        errors = [
            torch.nn.functional.mse_loss(reconstruct(network.eval(), batch["clips"]), batch["targets"])
            for network in (before, after)
        ]
    assert errors[1] < 0.5 * errors[0]
