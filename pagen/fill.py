"""Fill a folder: what is not done is spread over processes, and every item is noted as soon as it lies there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from pagen import console
from pagen.compute import Compute
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
    workers: Workers | Compute,
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
        workers: as `spread` takes them, or a `Compute`, whose device is looked for where something is to be made.
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
    fill_each([folder], jobs, partial(_alone, make), workers, label, unit)
    if finish:
        folder.finish()


add = partial(fill, finish=False)
"""`fill`, of a folder that is not finished with it."""


def fill_each(
    folders: Sequence[Folder],
    jobs: Mapping[str, Any],
    make: Callable[[Any, Sequence[int]], Sequence[Made]],
    workers: Workers | Compute,
    label: str,
    unit: str = "clips",
) -> None:
    """Make the items of several folders that are not there, an item for all at once that lack it; finish none.

    `make` is called with what stands behind a name in `jobs`, and the places of the folders that lack it, and returns
    what it made for each of these. All else as in `fill`.

    Example:
        >>> fill_each([], {}, lambda job, lacking: [], 0, "nothing")
    """
    if not _lacking(folders, jobs):
        return
    with ExitStack() as stack:
        for folder in sorted(folders, key=lambda each: each.path):  # in one order, so that no two wait for each other
            stack.enter_context(folder.alone())
            stack.enter_context(folder.vanishing())
        lacking = _lacking(folders, jobs)
        pending = [(name, (jobs[name], places)) for name, places in lacking.items()]
        over = workers.spread_over if isinstance(workers, Compute) else workers
        done = spread(partial(_make, make), pending, over)
        for (name, (_, places)), every in console.progress(done, label, len(pending), unit):
            for place, made in zip(places, every, strict=True):
                files, info = made if isinstance(made, tuple) else (made, {})
                folders[place].record(name, files, **info)


def _lacking(folders: Sequence[Folder], names: Iterable[str]) -> dict[str, list[int]]:
    """Names -> the places of the folders in which they are not done, where there are any."""
    names = list(names)
    pending = [set(folder.pending(names)) for folder in folders]
    places = {name: [place for place, those in enumerate(pending) if name in those] for name in names}
    return {name: those for name, those in places.items() if those}


def _make(make: Callable[[Any, Sequence[int]], Sequence[Made]], job: tuple[str, tuple[Any, list[int]]]) -> list[Made]:
    return list(make(*job[1]))


def _alone(make: Callable[[Any], Made], job: Any, places: Sequence[int]) -> list[Made]:
    return [make(job)]
