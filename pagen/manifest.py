"""What `manifest.json` of a folder holds, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pagen.documents import read_json, require_form
from pagen.errors import PagenError

SCHEMA = 1
_ADVICE = "make the folder again with --overwrite"


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`, with the fields of `Folder`."""

    schema: int
    pagen: str
    kind: str
    config: dict[str, Any]
    inputs: dict[str, str]
    items: dict[str, dict[str, Any]]
    complete: bool
    volatile: dict[str, Any]


@dataclass(frozen=True)
class Digest:
    """What a manifest holds of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Item:
    """What a manifest holds of an item, among else."""

    files: dict[str, Digest]


def read_manifest(file: Path) -> Manifest:
    """A manifest. Raises PagenError: damaged, or of another schema."""
    found = read_json(file, Manifest, "a manifest", _ADVICE)
    if found.schema != SCHEMA:
        raise PagenError(f"{file} has schema {found.schema}, this pagen reads {SCHEMA}; make it again with --overwrite")
    for name, item in found.items.items():
        require_form(item, Item, f"item {name}", file, _ADVICE)
    return found
