"""Temporary names: what is being written bears one, and what a killed process left under one is swept."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pagen.locks import unless_held

TEMPORARY = ".tmp-"
LOCK = f"{TEMPORARY}lock"
"""The file in a folder by which one command at a time fills it."""


def temporary_of(path: Path) -> Path:
    """A name like no other beside a path: two machines may write the same file, one of them given up as lost."""
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}")


def leftovers_of(path: Path) -> list[Path]:
    """What lies under the temporary names of a path."""
    name = re.compile(rf"{re.escape(TEMPORARY)}[0-9a-f]{{8}}-{re.escape(path.name)}")
    return [path.with_name(each) for each in os.listdir(path.parent) if name.fullmatch(each)]


def sweep(leftovers: Iterable[Path]) -> None:
    """Remove what a killed process left, on this machine or another, and nothing that a living one holds."""
    for leftover in leftovers:
        with suppress(FileNotFoundError), unless_held(leftover) as dead:
            if dead:
                remove(leftover)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; a link is not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_vacant(path: Path) -> bool:
    """Whether it is an empty folder, or one whose first manifest was being written by a killed process."""
    return path.is_dir() and all(child.name.startswith(TEMPORARY) for child in path.iterdir())
