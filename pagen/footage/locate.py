"""From the name of a data set to its clips: where it lies, in which layout, and what each clip is made of."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, JOIN, DataSet
from pagen.footage.clips import SPLITS, FileClip, Footage
from pagen.footage.file_clips import found_clips
from pagen.footage.joined import joined, parts_of
from pagen.footage.known_clips import KnownClip
from pagen.footage.layout import Layout
from pagen.footage.location import Location
from pagen.footage.modifiers import modified
from pagen.footage.own import said_by
from pagen.footage.scene_clip import SceneClip
from pagen.registry import resolve

_DEPTH = 4
_MOST_FOLDERS = 10_000


def locate(name: str, root: Path | None = None) -> Footage:
    """Find a data set.

    Args:
        name: its name in the catalogue; `NAME:mixed` moves half of its test clips among the training clips, and so on
            for every modifier of names.
        root: its folder or one above it; by default PAGEN_DATA (a folder above it), or the folder that
            the user's `data.json` gives for the name. One's own lie where `own_file` says.

    Raises:
        PagenError: no such name, nothing for the modifier to change, or nothing found; says what was looked for and
            how to obtain it. As `own_datasets`.

    Example:
        >>> footage = locate("street:mixed")
        >>> footage.layout, len(footage.split("train")), len(footage.split("test"))
        ('procedural', 16, 4)
    """
    DATASETS.own()  # whichever data set is asked for, what their file says wrongly is told
    dataset, (base, modifier) = DATASETS[name], DATASETS.parted(name)
    if JOIN in name:
        return joined(name, [locate(part, root) for part in parts_of(name)])
    if modifier:
        return modified(locate(base, root), modifier)
    if dataset.scenes is not None:
        scenes = tuple(SceneClip(scene, dataset.fps) for scene in resolve(dataset.scenes)())
        return Footage(name, dataset, None, "procedural", ("procedural",), scenes)
    location = find(dataset, root)
    if location is None:
        raise _missing(dataset, root)
    found = found_clips(dataset, location)
    used = tuple(clip for split in SPLITS for clip in found.clips if clip.split == split and _is_used(clip))
    aside = tuple(clip for clip in found.clips if not _is_used(clip))
    expected = {
        split: frozenset(one.name for one in found.known if one.split == split and _is_used(one)) for split in SPLITS
    }
    layout, rest = location.layout.name, (aside, found.known, expected, found.unlisted)
    return Footage(name, dataset, location.root, layout, found.editions, used, *rest)


def _is_used(clip: FileClip | KnownClip) -> bool:
    """Whether a data set's plain name stands for the clip: training is on clips that are not known to be abnormal."""
    return clip.split == "test" or (clip.split == "train" and not clip.abnormal)


def find(dataset: DataSet, root: Path | None = None, marked: bool = False) -> Location | None:
    """The data set's place in `root`, else in PAGEN_DATA, else where the user's `data.json` says; or None.

    Where `marked`, `root` itself is taken, too, only when its name or a label file tells that it is this data set.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Path(root, "testing/walk").mkdir(parents=True)
        ...     find(DATASETS["folder"], Path(root)).layout.name
        'folder'
    """
    if dataset.root is not None:
        return _own_place(dataset, dataset.root, root, marked)
    if root is not None:
        return _search(dataset, Path(root), given=not marked)
    above = os.environ.get("PAGEN_DATA")
    location = _search(dataset, Path(above), given=False) if above else None
    listed = None if location else _listed(dataset.name)
    return _search(dataset, listed, given=True) if listed else location


def _own_place(dataset: DataSet, own: Path, root: Path | None, marked: bool) -> Location | None:
    """Where one's own data set lies; where `marked`, None for one that is not there, or not below `root`.

    Raises PagenError where it is not marked, for these.
    """
    name, there = dataset.name, own.is_dir()
    below = root is None or own.resolve().is_relative_to(Path(root).expanduser().resolve())
    if marked:
        return _place(dataset, own) if there and below else None
    if not below:
        found = f"{root}, which does not lead there; leave that out"
        raise PagenError(f"expected {name} in {own}, as {said_by(name)} says, found {found}")
    if not there:
        raise PagenError(f"expected the folder of {name} at {own}, as {said_by(name)} says, found none; mend that")
    return _place(dataset, own)


def listed_file() -> Path:
    """The user's file of data sets: JSON, name -> folder.

    Example:
        >>> listed_file().name
        'data.json'
    """
    import platformdirs

    return platformdirs.user_config_path("pagen") / "data.json"


def _listed(name: str) -> Path | None:
    file = listed_file()
    if not file.exists():
        return None
    folder = read_json(file, dict[str, str | None], "{name: folder}").get(name)
    return Path(folder).expanduser() if folder else None


def _search(dataset: DataSet, top: Path, given: bool) -> Location | None:
    """The nearest folder that is marked as the data set's, by its name or by a label file in it.

    A folder that was `given` needs no mark.
    """
    top = top.expanduser().absolute()
    if not top.is_dir():
        raise PagenError(
            f"expected the folder of {dataset.name}, or one above it, at {top}; found none; is the path right?"
        )
    files = _label_files(dataset.layouts)
    for folder in islice(_folders(top, _DEPTH if dataset.aliases else 0), _MOST_FOLDERS):
        named = re.sub(r"[^a-z0-9]", "", folder.name.lower()) in dataset.aliases
        if named or _holds_any(folder, files):  # which is cheap, as globs in thousands of folders are not
            location = _place(dataset, folder)
            if location and (named or _holds_any(folder, _label_files([location.layout]))):
                return location
    return _place(dataset, top) if given else None


def _label_files(layouts: Sequence[Layout]) -> list[str]:
    """The files of labels whose names no other data set has."""
    paths = [source.path for layout in layouts for source in layout.labels if "{" not in source.path]
    return list(dict.fromkeys(paths))


def _holds_any(folder: Path, files: Sequence[str]) -> bool:
    return any(os.path.exists(f"{folder}/{file}") for file in files)


def _place(dataset: DataSet, folder: Path) -> Location | None:
    """The layout of which most parts are there, the first of several."""
    places = [Location(folder, layout) for layout in dataset.layouts]
    filled = [sum(place.holds(part) for part in place.layout.parts) for place in places]
    return places[filled.index(max(filled))] if any(filled) else None


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """`top` and the folders below it, the nearest first."""
    queue = deque([(top, depth)])
    while queue:
        folder, left = queue.popleft()
        yield folder
        if left:
            with suppress(PermissionError), os.scandir(folder) as entries:
                below = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
                queue.extend((folder / name, left - 1) for name in sorted(below))


def _missing(dataset: DataSet, root: Path | None) -> PagenError:
    variable = os.environ.get("PAGEN_DATA") or "not set"
    place = dataset.root or root
    searched = f"in {place}" if place else f"in PAGEN_DATA ({variable}) nor by {listed_file()}"
    called = " or ".join(dataset.aliases)
    named = f", in folders called {called} or given themselves, {_DEPTH} levels below at most" if called else ""
    wanted = " or ".join(
        f"{' and '.join(dict.fromkeys(f'{part.folders[0]}/' for part in layout.parts))} ({layout.name})"
        for layout in dataset.layouts
    )
    return PagenError(
        f"found no {dataset.name} {searched}: looked for {wanted}{named}; {dataset.obtain}; "
        "then say where it is by --root DIR or PAGEN_DATA (transfer: --roots DIR)"
    )
