"""A protocol of one's own: a JSON file that holds the fields of `Protocol`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pagen.errors import PagenError, unknown_name
from pagen.eval.protocols import PROTOCOLS, Protocol


def protocols_named(names: Sequence[str]) -> list[Protocol]:
    """Protocols by name, by the path of a JSON file, or `all` that have a name.

    Raises:
        PagenError: an unknown name, or a file that does not hold a protocol.
    """
    return [
        read_protocol(Path(name)) if name.endswith(".json") else PROTOCOLS[name]
        for name in (PROTOCOLS.names() if "all" in names else names)
    ]


def protocol_named(name: str, what: str) -> Protocol:
    """The one protocol of a name or a file, for `what` takes no more. Raises PagenError as `protocols_named`."""
    chosen, *others = protocols_named([name])
    if others:
        raise PagenError(f"expected one protocol for {what}, found {name}; choose one")
    return chosen


def read_protocol(path: Path) -> Protocol:
    """A protocol out of a file such as `{"policy": "mean", "smooth": "causal", "sigma": {"*": 3}}`.

    What is left out is as in `Protocol`; the name is the file's, unless it says otherwise.

    Raises:
        PagenError: no such file, no JSON object, or a field or value that a protocol does not have.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PagenError(f"expected a protocol as a JSON file at {path}, found {error}; see ARCHITECTURE.md") from error
    if not isinstance(given, dict):
        raise PagenError(f"expected a JSON object with the fields of a protocol in {path}, found {given!r:.60}")
    plain = asdict(Protocol("", ""))
    for name, value in given.items():
        if name not in plain:
            raise unknown_name(f"field of a protocol ({path})", name, plain)
        if type(value) is not type(plain[name]):
            kind = {str: "a string", bool: "true or false", int: "a whole number", dict: "an object"}[type(plain[name])]
            raise PagenError(f"expected {kind} for {name} in {path}, found {value!r:.60}; mend it")
    return Protocol(**{"name": path.stem, "why": f"as {path.name} says", **given})
