"""Fill a folder: what is not done is spread over processes, and every item is noted as soon as it lies there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pagen import console
from pagen.folders import Folder
from pagen.spread import Workers, spread

Files = Mapping[str, Mapping[str, Any]]
"""Relative path -> digest, as `folders.digests` gives it."""


def fill(folder: Folder, names: Sequence[str], make: Callable[[str], Files], workers: Workers, label: str) -> None:
    """Make the items of a folder that are not there, and finish it.

    A killed process loses the items that it was working on, no others.

    Args:
        names: of all items that are wanted.
        make: picklable; writes the files of an item and returns their digests.
        workers: as `spread` takes them.
        label: of the progress bar.

    Raises:
        PagenError: as `spread`, and what `make` raises.
    """
    pending = folder.pending(names)
    for name, files in console.progress(spread(make, pending, workers), label, len(pending)):
        folder.record(name, files)
    folder.finish()
