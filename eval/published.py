"""Which row of the papers' tables a run is of: what `recipe.json` says, held against `pagen.papers.all_papers.ROWS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pagen.features.spec import is_of_objects
from pagen.papers.all_papers import PUBLISHED, ROWS

PLACES = "locations"
"""The features that are of places in a frame."""


def published_row(recipe: Mapping[str, Any], dataset: str, protocol: str = "") -> str | None:
    """The row of `PUBLISHED` with a figure of the data set that fits a run best, measured in a protocol; None without.

    Of several rows that fit, it is the one of which most is said.
    """
    facts = {**recipe, "of": described(recipe), "kinds": tuple(sorted(kinds_of(recipe))), "protocol": protocol}
    fitting = {row: len(wanted) for row in PUBLISHED if (wanted := _fits(row, facts)) and dataset in PUBLISHED[row]}
    return max(fitting, key=fitting.__getitem__, default=None)


def described(recipe: Mapping[str, Any]) -> str:
    """What the features of a run describe: `objects`, `places` or `frames`; empty of one that has no such features."""
    kinds = kinds_of(recipe)
    if any(map(is_of_objects, kinds)):
        return "objects"
    return ("places" if PLACES in kinds else "frames") if kinds else ""


def kinds_of(recipe: Mapping[str, Any]) -> list[str]:
    """The kinds of features that a run looks at; one of several kinds of objects names them as its members."""
    members = [str(kind) for kind in recipe.get("members", ()) if is_of_objects(str(kind))]
    given = members or ([str(recipe["features"])] if "features" in recipe else [])
    return [kind.partition(":")[0] for kind in given]


def _fits(row: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a row asks of a run; empty where the run is another."""
    wanted = ROWS.get(row, {"recipe": row})
    return wanted if all(facts.get(name) == value for name, value in wanted.items()) else {}
