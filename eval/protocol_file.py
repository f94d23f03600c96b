"""A protocol of one's own out of a JSON file; every field of it is checked, to the last number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.eval.protocol import Protocol
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
    file, no JSON object, a field or value that a protocol does not have, or a name of no indicator.
    """
    given = read_json(path, ProtocolFile, "a protocol", "mend it; see docs/definitions.md")
    values: dict[str, Any] = {field.name: getattr(given, field.name) for field in fields(given)}
    usual_values = ProtocolFile()
    for name, named in INDICATORS_IN.items():
        for indicator in named(values[name]) if values[name] != getattr(usual_values, name) else ():
            require_indicator(f"indicator of {name} in {path}", indicator)
    usual = {"name": path.stem, "why": f"as {path.name} says"}
    values |= {name: text for name, text in usual.items() if values[name] is None}
    if not all(values[name].strip() and values[name].isprintable() for name in usual):
        raise PagenError(f"expected name and why in {path} to be of one line each, found another one; mend it")
    return Protocol(**values)
