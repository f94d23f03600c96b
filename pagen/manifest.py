"""`manifest.json`: whose a folder is, and where what it names may lie.

Nothing in a folder of pagen leads out of it: the names that it gives go down, and links in it are not followed, be it
to read, to write or to remove. So a folder that a stranger packed reaches nothing but itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import platformdirs

from pagen.documents import read_json, require_form
from pagen.errors import PagenError

SCHEMA = 1
MANIFEST = "manifest.json"
KEYS = ("kind", "config", "inputs", "items", "complete", "volatile")
"""What a manifest says, beside its schema and who wrote it."""


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds, with the fields of `Folder`."""

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


def read_manifest(path: Path) -> dict[str, Any]:
    """What the manifest of a folder says, by `KEYS`. Raises PagenError: damaged, another schema, names leading out."""
    file, advice = path / MANIFEST, f"remove {path} and make it again"
    found = read_json(file, Manifest, "a manifest", advice)
    if found.schema != SCHEMA:
        raise PagenError(f"{file} has schema {found.schema}, this pagen reads {SCHEMA}; {advice}")
    for name, item in found.items.items():
        require_form(item, Item, f"item {name}", file, advice)
    for name in sorted(_named(found)):
        require_within(name, file)
    return {key: getattr(found, key) for key in KEYS}


def cache_folder() -> Path:
    """Where prepared clips, flow, and what is remembered of footage lie: PAGEN_CACHE, or the user's cache folder.

    Example:
        >>> cache_folder().is_absolute()
        True
    """
    return Path(os.environ.get("PAGEN_CACHE") or platformdirs.user_cache_path("pagen")).absolute()


def aside(path: Path, kind: str) -> str:
    """What else to do than to remove a folder that is in the way; some lie where no --out says, as all in the cache."""
    named = kind in ("prepared", "pa_set", "features", "run") and not path.absolute().is_relative_to(cache_folder())
    return "give another --out, or " if named else ""


def kind_of(path: Path) -> str | None:
    """Of what kind a folder of pagen is, whatever its schema; None of all that has no manifest of pagen's."""
    try:
        content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    own = isinstance(content, dict) and isinstance(content.get("schema"), int) and {"pagen", "kind"} <= content.keys()
    return str(content["kind"]) if own else None


def require_own(path: Path, kind: str) -> None:
    """Raise PagenError unless a folder may be emptied to be made again: pagen's own, and of that very kind."""
    found = kind_of(path)
    if found != kind:
        what = "none of pagen's" if found is None else f"a {found} folder"
        raise PagenError(f"expected a {kind} folder to overwrite at {path}, found {what}; {aside(path, kind)}remove it")


def require_within(name: str, where: Path) -> None:
    """Raise PagenError for the name of a file or folder that does not lie below the folder that names it.

    Example:
        >>> require_within("clips/01.npy", Path("manifest.json"))
        >>> require_within("../01.npy", Path("manifest.json"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected names below its folder in manifest.json, found '../01.npy'; do not use it
    """
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if path.anchor or ".." in path.parts or not path.parts:
            found = f"found {name!r}; do not use it"
            raise PagenError(f"expected names below its folder in {where}, {found}")


def require_no_link(path: Path) -> None:
    """Raise PagenError where a link inside of a folder of pagen leads to this path, or is it."""
    path = path.absolute()
    for part in (path, *path.parents):
        if part.is_symlink() and any(kind_of(above) for above in part.parents):
            raise PagenError(
                f"expected no link inside of a folder of pagen, found {part}; put what it names in its place"
            )


def leads_out(root: Path, file: str) -> bool:
    """Whether a file of a folder is a link, or lies behind one."""
    path = root / file
    while path != root:
        if path.is_symlink():
            return True
        path = path.parent
    return False


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two tables, the first four of it, in words; empty where nothing does."""
    there, asked = dict(_leaves(old)), dict(_leaves(new))
    keys = [key for key in sorted(set(there) | set(asked)) if there.get(key) != asked.get(key)]
    return ", ".join(f"{key} {there.get(key)!r:.80} there, {asked.get(key)!r:.80} asked" for key in keys[:4])


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What nested tables hold, by dotted names."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _named(manifest: Manifest) -> Iterator[str]:
    """The names in a manifest that paths are made of: items, their files, and clips."""
    for name, item in manifest.items.items():
        yield name
        yield from item["files"]
    for clip in manifest.config.get("clips", ()):
        yield clip if isinstance(clip, str) else clip[0]
