"""A protocol of one's own out of a JSON file; every field of it is checked, to the last number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from pagen.documents import read_json
from pagen.errors import PagenError, unknown_name
from pagen.eval.protocol import ANY, Protocol
from pagen.footage.catalogue import DATASETS
from pagen.footage.own import own_file
from pagen.methods import METHODS
from pagen.registry import names_of
from pagen.scoring.indicator_table import require_indicator

INDICATORS_IN: dict[str, Callable[[Any], Iterable[str]]] = {
    "factors": iter,
    "each_of": iter,
    "fused": lambda of_recipes: chain(*of_recipes.values()),
    "weights": lambda of_datasets: chain(*of_datasets.values()),
}
"""Field -> the indicators that a value of it names."""


@dataclass(frozen=True)
class ProtocolFile(Protocol):
    """A protocol as a file holds it: its name, and whose it is, may be left out."""

    name: str | None = None  # type: ignore[assignment]  # the file's, where it is left out
    why: str | None = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Nothing: what the protocol refuses is told by its name, which the file's may be."""


def read_protocol(path: Path) -> Protocol:
    """A protocol out of a file such as `{"policy": "mean", "smooth": "causal", "sigma": {"*": 3}}`.

    What is left out is as in `Protocol`; the name is the file's, unless it says otherwise. Raises PagenError: no such
    file, no JSON object, a field or value that a protocol does not have, or a name of no indicator, recipe or data set.
    """
    given = read_json(path, ProtocolFile, "a protocol", "mend it; see docs/definitions.md")
    values: dict[str, Any] = {field.name: getattr(given, field.name) for field in fields(given)}
    usual_values = ProtocolFile()
    for name, named in INDICATORS_IN.items():
        for indicator in named(values[name]) if values[name] != getattr(usual_values, name) else ():
            require_indicator(f"indicator of {name} in {path}", indicator)
    if given.fused != usual_values.fused:
        _require_recipes(given.fused, path)
    for name in ("weights", "sigma"):
        _require_datasets(name, values[name], path)
    usual = {"name": path.stem, "why": f"as {path.name} says"}
    values |= {name: text for name, text in usual.items() if values[name] is None}
    if not all(values[name].strip() and values[name].isprintable() for name in usual):
        raise PagenError(f"expected name and why in {path} to be of one line each, found another one; mend it")
    return Protocol(**values)


def _require_recipes(named: Iterable[str], path: Path) -> None:
    recipes = [*names_of("pagen.recipes", METHODS), *names_of("pagen.detectors", ())]  # of which recipes are made
    for name in named:
        if name not in recipes:
            raise unknown_name(f"recipe of fused in {path}", name, recipes)


def _require_datasets(field: str, named: Iterable[str], path: Path) -> None:
    """Raise PagenError where one is not known: of one's own are known what the file of one's own, or --name, names."""
    for name in named:
        try:
            if name != ANY:
                DATASETS[name]
        except PagenError as error:
            raise PagenError(f"{field} of {path}: {error}; one's own are named in {own_file()}") from error
