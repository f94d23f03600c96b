"""What a training starts from: prepared footage, its flow or its features, a PA set, and the batches out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pagen.errors import PagenError
from pagen.footage.flow import FlowFolder, flow_folder, open_flow
from pagen.footage.prepare import Prepared, prepare
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.train.batches import ClipBatches
from pagen.train.config import Train
from pagen.train.painted_features import FeatureBatches, feature_batches
from pagen.train.recipes.base import ClipRecipe, Recipe
from pagen.train.recipes.clips import Temporal

HELD_OUT = 8
"""One clip in so many is held out for validation, and one at least."""


@dataclass(frozen=True)
class Inputs:
    """Opened and checked.

    Attributes:
        prepared: the footage.
        flow: of its training clips, for recipes that see flow.
        stored: the PA set, where one was given.
        batches: what is trained on.
        held_out: training clips that are not, for validation.
    """

    prepared: Prepared
    flow: FlowFolder | None
    stored: PASet | None
    batches: ClipBatches | FeatureBatches
    held_out: tuple[str, ...]

    @property
    def features(self) -> int:
        """Length of a feature vector."""
        assert isinstance(self.batches, FeatureBatches)
        return self.batches.size

    @property
    def about(self) -> str:
        """What there is, for a line on the screen."""
        if isinstance(self.batches, FeatureBatches):
            return f"{len(self.batches.places):,} frames"
        return f"{len(self.batches.normal.windows):,} windows"


def open_inputs(config: Train[Any]) -> Inputs:
    """Prepare, compute and open what is missing. Raises PagenError for what does not fit the recipe."""
    recipe = config.recipe
    prepared = prepare(config.dataset, config.root, recipe.size, recipe.colour, workers=config.workers)
    stored = _stored(config, prepared)
    names = prepared.clips("train")
    held_out = tuple(_held_out(names)) if config.validate == "pseudo" else ()
    kept = tuple(name for name in names if name not in held_out)
    if isinstance(recipe, ClipRecipe):
        flow = flow_folder(prepared, names, recipe.flow, config.workers) if isinstance(recipe, Temporal) else None
        batches = ClipBatches(recipe, prepared, flow, stored, config.seed, kept)
        batches.check()
        return Inputs(prepared, flow, stored, batches, held_out)
    assert stored is not None  # the verb asks for one
    features = feature_batches(recipe, prepared, stored, config.seed, held_out, config.workers, config.device)
    return Inputs(prepared, None, stored, features, held_out)


def _held_out(names: list[str]) -> list[str]:
    if len(names) < 2:
        raise PagenError(f"expected 2 training clips and more for --validate pseudo, found {len(names)}; leave it out")
    return names[-max(1, len(names) // HELD_OUT) :]


def kinds_of(recipe: Recipe) -> tuple[str, ...]:
    """The kinds of pseudo-anomalies that a recipe takes out of a PA set."""
    return recipe.kinds if isinstance(recipe, ClipRecipe) else ("spatial",)


def _stored(config: Train[Any], prepared: Prepared) -> PASet | None:
    recipe = config.recipe
    if config.pseudo is None or not kinds_of(recipe):
        return None
    stored = open_pa_folder(config.pseudo, prepared)
    for kind in kinds_of(recipe):
        if not stored.items(kind, getattr(recipe, "window", stored.length)):
            raise PagenError(
                f"expected {kind} pseudo-anomalies in {config.pseudo}, found {' '.join(stored.kinds)}; "
                f"generate them with --kinds {kind}"
            )
    if isinstance(recipe, Temporal) and not _same_flow(recipe.flow, stored):
        raise PagenError(
            f"expected pseudo-anomalies of {recipe.flow} flow in {config.pseudo}, found {stored.flow_spec}; "
            f"generate them with --flow {recipe.flow}, or train with --flow {stored.flow_spec}"
        )
    return stored


def _same_flow(spec: str, stored: PASet) -> bool:
    """Whether a PA set was made of this flow, wherever its files lie now."""
    made = stored.folder.config["flow"], stored.folder.inputs.get("flow", "")
    return made == (spec.partition(":")[0], open_flow(spec).identity())
