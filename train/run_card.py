"""What every run leaves beside its weights: what it is called, where it was made, what it was trained on."""

from __future__ import annotations

import platform
from typing import Any

import torch

from pagen.train.config import Train
from pagen.train.state import Row
from pagen.version import __version__

LICENCE = "The footage's own licence says what these weights may be used for."


def environment() -> dict[str, Any]:
    """Versions and machine, as `environment.json` holds them."""
    return {
        "pagen": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def title(recipe: dict[str, Any]) -> str:
    """A run's name for people: of its card, and of its curves."""
    return f"{recipe['recipe']} on {recipe['dataset']} ({recipe['scale']} scale, seed {recipe['seed']})"


def trained_on(config: Train[Any], rows: list[Row]) -> str:
    """The card's account of a network's training."""
    chosen = "This is the last epoch's network: none was chosen by test labels."
    if config.keep == "best":
        chosen = "This is the epoch that told held-out pseudo-anomalies apart best: test labels played no part."
    share = getattr(config.recipe, "probability", 0.0)
    return (
        f"the training split of `{config.dataset}`, normal footage alone, with a share of {share} pseudo-anomalies, "
        f"for {int(rows[-1]['step']):,} steps; last training loss {rows[-1]['loss']:.5f}. {chosen} {LICENCE}"
    )


def fitted_on(config: Train[Any], rows: list[Row]) -> str:
    """The card's account of a detector's."""
    steps = f", for {int(rows[-1]['step']):,} steps" if rows else ""
    return f"features ({config.recipe.features}) of the training split of `{config.dataset}`{steps}. {LICENCE}"
