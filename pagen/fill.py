"""Fill a folder: what is not done is spread over processes, and every item is noted as soon as it lies there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pagen import console
from pagen.folders import Folder
from pagen.spread import Workers, spread

Files = Mapping[str, Mapping[str, Any]]
"""Relative path -> digest, as `folders.digests` gives it."""
Made = Files | tuple[Files, Mapping[str, Any]]
"""The files of an item, or the files and what else the manifest is to say of it."""


def fill(
    folder: Folder,
    names: Sequence[str] | Mapping[str, Any],
    make: Callable[[Any], Made],
    workers: Workers,
    label: str,
    unit: str = "clips",
    finish: bool = True,
) -> None:
    """Make the items of a folder that are not there.

    A killed process loses the items that it was working on, no others. Where an item is refused before any is made,
    no folder is left. One command at a time fills a folder: another waits, and makes what is missing then.

    Args:
        names: of all items that are wanted; a mapping gives what `make` is called with, else that is the name.
        make: picklable; writes the files of an item and returns their digests.
        workers: as `spread` takes them.
        label, unit: of the progress bar, and what it counts.
        finish: nothing more is wanted of the folder.

    Raises:
        PagenError: as `spread`, and what `make` raises.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from pagen.folders import Folder, digests, write_text
        >>> top = Path(tempfile.mkdtemp())
        >>> def make(name):
        ...     write_text(top / name, name)
        ...     return digests(top, [top / name])
        >>> folder = Folder.begin(top, "features", {}, {})
        >>> fill(folder, ["a", "b"], make, 0, "example")
        >>> sorted(folder.items), folder.complete
        (['a', 'b'], True)
        >>> import shutil; shutil.rmtree(top)
    """
    jobs = names if isinstance(names, Mapping) else dict(zip(names, names, strict=True))
    if folder.pending(list(jobs)):
        with folder.alone(), folder.vanishing():
            pending = [(name, jobs[name]) for name in folder.pending(list(jobs))]
            done = spread(partial(_make, make), pending, workers)
            for (name, _), made in console.progress(done, label, len(pending), unit):
                files, info = made if isinstance(made, tuple) else (made, {})
                folder.record(name, files, **info)
    if finish:
        folder.finish()


add = partial(fill, finish=False)
"""`fill`, of a folder that is not finished with it."""


def _make(make: Callable[[Any], Made], job: tuple[str, Any]) -> Made:
    return make(job[1])
