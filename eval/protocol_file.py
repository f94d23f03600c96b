"""A protocol of one's own out of a JSON file; every field of it is checked, to the last number."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from pagen.errors import PagenError, require_name
from pagen.eval.protocol import Protocol
from pagen.scoring.indicator_table import require_indicator

NUMBER, NAME = 0.0, ""
NESTED: dict[str, Any] = {
    "factors": {"": NUMBER},
    "each_of": {"": NAME},
    "fused": {"": [NAME]},
    "weights": {"": {"": NUMBER}},
    "sigma": {"": NUMBER},
}
"""Field of several parts -> an example of its form; all others are as the default of `Protocol` is."""
INDICATORS_IN: dict[str, Callable[[Any], Iterable[str]]] = {
    "factors": iter,
    "each_of": iter,
    "fused": lambda of_recipes: chain(*of_recipes.values()),
    "weights": lambda of_datasets: chain(*of_datasets.values()),
}
"""Field -> the indicators that a value of it names."""
KINDS: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    list: "a list of strings",
    dict: "an object",
}
"""Type of a value -> its name in JSON."""


def read_protocol(path: Path) -> Protocol:
    """A protocol out of a file such as `{"policy": "mean", "smooth": "causal", "sigma": {"*": 3}}`.

    What is left out is as in `Protocol`; the name is the file's, unless it says otherwise. Raises PagenError: no such
    file, no JSON object, a field or value that a protocol does not have, or a name of no indicator.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        found = f"{error}; see docs/definitions.md"
        raise PagenError(f"expected a protocol as a JSON file at {path}, found {found}") from error
    if not isinstance(given, dict):
        raise PagenError(f"expected a JSON object with the fields of a protocol in {path}, found {_shown(given)}")
    form = {**asdict(Protocol("", "")), **NESTED}
    for name, value in given.items():
        require_name(f"field of a protocol ({path})", name, form)
        _require(path, name, value, form[name])
        for indicator in INDICATORS_IN[name](value) if name in INDICATORS_IN else ():
            require_indicator(f"indicator of {name} in {path}", indicator)
    about = {"name": path.stem, "why": f"as {path.name} says", **given}
    if not all(about[name].strip() and about[name].isprintable() for name in ("name", "why")):
        raise PagenError(f"expected name and why in {path} to be of one line each, found another one; mend it")
    return Protocol(**about)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises ValueError where it has a name twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice!r} twice in one object")
    return values


def _require(path: Path, name: str, value: Any, form: Any) -> None:
    """Raise PagenError where a value, or a part of it, is not of the form of its example."""
    fits = type(value) is type(form)
    if isinstance(form, float):
        fits = type(value) in (int, float) and abs(value) <= sys.float_info.max
    if not fits:
        raise PagenError(f"expected {KINDS[type(form)]} for {name} in {path}, found {_shown(value)}; mend it")
    if isinstance(form, dict):
        for key, part in value.items():
            _require(path, f"{name}.{key}", part, form[""])
    if isinstance(form, list):
        for index, part in enumerate(value):
            _require(path, f"{name}[{index}]", part, form[0])


def _shown(value: Any) -> str:
    """A value in a few words, however much it holds."""
    return f"{value!r:.60}" if isinstance(value, (str, int, float, type(None))) else KINDS[type(value)]
