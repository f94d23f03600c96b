"""What the training of a network starts from: prepared footage, a PA set, and the batches out of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pagen.errors import PagenError
from pagen.footage.prepare import Prepared, prepare
from pagen.generate.pa_set import PASet
from pagen.registry import resolve
from pagen.train.config import Train
from pagen.train.stored import open_stored

HELD_OUT = 8
"""One clip in so many is held out for validation, and one at least."""


@dataclass(frozen=True)
class Inputs:
    """Opened and checked.

    Attributes:
        stored: the PA set, where one was given.
        batches: what is trained on: `ClipBatches`, or what else the recipe's `inputs` gives.
        held_out: stretches of training clips that are not, for validation.
    """

    prepared: Prepared
    stored: PASet | None
    batches: Any
    held_out: tuple[str, ...]

    @cached_property
    def judged(self) -> Any:
        """What calibration and validation look at: clips that training has not fitted, if there are any."""
        return self.batches.within(self.held_out) if self.held_out else self.batches


def open_inputs(config: Train[Any]) -> Inputs:
    """Prepare, compute and open what is missing. Raises PagenError for what does not fit the recipe."""
    recipe = config.recipe
    prepared = prepare(
        config.dataset, config.root, recipe.size, recipe.colour, workers=config.workers, partial=config.partial
    )
    stored, names, validated = open_stored(config, prepared), prepared.clips("train"), config.validate == "pseudo"
    if validated and len(names) < 2:
        raise PagenError(f"expected 2 training clips and more for --validate pseudo, found {len(names)}; leave it out")
    last = names[-max(1, len(names) // HELD_OUT) :] if validated else []
    held_out = tuple(stretch for name in last for stretch in prepared.stretches_of(name))
    inputs = Inputs(prepared, stored, resolve(recipe.inputs)(config, prepared, stored, held_out), held_out)
    inputs.judged.check_pairs(wanted=validated)
    return inputs
