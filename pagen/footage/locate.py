"""From the name of a data set to its clips: where it lies, in which layout, and what each clip is made of."""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pagen.errors import PagenError
from pagen.footage import decode
from pagen.footage.catalogue import DATASETS, MIXED, NAMED, DataSet, LabelSource, Layout
from pagen.footage.clips import SPLITS, ClipLabels, FileClip, Footage, SceneClip, without_suffix
from pagen.footage.mixed import mixed
from pagen.registry import resolve

_DEPTH = 4
_MOST_FOLDERS = 10_000


@dataclass(frozen=True)
class Location:
    """A folder that holds a data set, and how it lies there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Path(root, "training/walk").mkdir(parents=True)
        ...     location = Location(Path(root), DATASETS["folder"].layouts[0])
        ...     [path.name for path in location.entries(location.clips_folder("train"))]
        ['walk']
    """

    root: Path
    layout: Layout

    def clips_folder(self, split: str) -> Path | None:
        """The folder that holds the clips of a split."""
        candidates = self.layout.train if split == "train" else self.layout.test
        folders = [self.root / candidate for candidate in candidates if (self.root / candidate).is_dir()]
        return next((folder for folder in folders if any(self.entries(folder))), folders[0] if folders else None)

    def entries(self, folder: Path) -> Iterator[Path]:
        """The clips in a folder, in any order: folders, and videos where the layout has them."""
        for path in folder.iterdir():
            passed_over = path.name.startswith(".") or path.name.endswith("~")
            fits = path.is_dir() or path.suffix.lower() in self.layout.videos
            if fits and not passed_over and re.fullmatch(self.layout.clip, _stem(path)):
                yield path


def locate(name: str, root: Path | None = None) -> Footage:
    """Find a data set.

    Args:
        name: its name in the catalogue; `NAME:mixed` moves half of its test clips among the training clips.
        root: its folder or one above it; by default PAGEN_DATA (a folder above it), or the folder that
            the user's `data.json` gives for the name.

    Raises:
        PagenError: no such name, too few test clips to mix, or nothing found; says what was looked for and how to
            obtain it.

    Example:
        >>> footage = locate("street:mixed")
        >>> footage.layout, len(footage.split("train")), len(footage.split("test"))
        ('procedural', 16, 4)
    """
    dataset = DATASETS[name]
    if name.endswith(MIXED):
        return mixed(locate(name.removesuffix(MIXED), root))
    if dataset.scenes is not None:
        scenes = tuple(SceneClip(scene) for scene in resolve(dataset.scenes)())
        return Footage(name, dataset, None, "procedural", "procedural", scenes)
    location = find(dataset, root)
    if location is None:
        raise _missing(dataset, root)
    folders = [location.clips_folder(split) for split in SPLITS]
    train, test = (sorted(location.entries(part), key=decode.natural) if part else [] for part in folders)
    source, named = _label_source(location, test), _named(location)
    clips = (
        *(
            replace(_clip(location, "train", path, None), label=_training_label(location, path, named))
            for path in train
        ),
        *(_clip(location, "test", path, source) for path in test),
    )
    return Footage(name, dataset, location.root, location.layout.name, source.edition if source else "none", clips)


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
    if root is not None:
        return _search(dataset, Path(root), given=not marked)
    above = os.environ.get("PAGEN_DATA")
    location = _search(dataset, Path(above), given=False) if above else None
    listed = None if location else _listed(dataset.name)
    return _search(dataset, listed, given=True) if listed else location


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
    try:
        folder = json.loads(file.read_text(encoding="utf-8")).get(name)
        return Path(folder).expanduser() if folder else None
    except (ValueError, AttributeError, TypeError) as error:
        raise PagenError(
            f"expected {{name: folder}} as JSON in {file}, found something else ({error}); mend it"
        ) from error


def _search(dataset: DataSet, top: Path, given: bool) -> Location | None:
    """The nearest folder that is marked as the data set's, by its name or by a label file in it.

    A folder that was `given` needs no mark.
    """
    top = top.expanduser().absolute()
    if not top.is_dir():
        raise PagenError(
            f"expected the folder of {dataset.name}, or one above it, at {top}; found none; is the path right?"
        )
    for folder in islice(_folders(top, _DEPTH if dataset.aliases else 0), _MOST_FOLDERS):
        location = _place(dataset, folder)
        if location:
            name = re.sub(r"[^a-z0-9]", "", location.root.name.lower())
            shared = [source.path for source in location.layout.labels if "{clip}" not in source.path]
            if name in dataset.aliases or any((location.root / path).exists() for path in shared):
                return location
    return _place(dataset, top) if given else None


def _place(dataset: DataSet, folder: Path) -> Location | None:
    for layout in dataset.layouts:
        location = Location(folder, layout)
        parts = [location.clips_folder(split) for split in SPLITS]
        if any(part and any(location.entries(part)) for part in parts):
            return location
    return None


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


def _stem(path: Path) -> str:
    """A clip's own name: a video's without its extension."""
    return path.name if path.is_dir() else path.stem


def _label_source(location: Location, entries: Sequence[Path]) -> LabelSource | None:
    """The first of the layout's label sources that is there for any test clip."""
    for source in location.layout.labels:
        if any((location.root / source.path.format(clip=_stem(path))).exists() for path in entries):
            return source
    return None


def _named(location: Location) -> set[str]:
    """What files of labels for all training clips name, without what tells the format."""
    named = set[str]()
    for source in location.layout.train_labels:
        if source.kind in NAMED:
            with suppress(PagenError, FileNotFoundError):  # the check of the footage says what is wrong with a file
                named.update(map(without_suffix, resolve(NAMED[source.kind])(location.root / source.path)))
    return named


def _training_label(location: Location, path: Path, named: set[str]) -> ClipLabels | None:
    """Where labels of a training clip lie: in a file that names it `training/NAME`, or in one of its own."""
    for source in location.layout.train_labels:
        file, shared = location.root / source.path.format(clip=_stem(path)), "{clip}" not in source.path
        key = f"training/{_stem(path)}" if shared else _stem(path)
        if file.is_file() and (key in named or not shared):
            return ClipLabels(source.kind, file, key)
    return None


def _clip(location: Location, split: str, path: Path, source: LabelSource | None) -> FileClip:
    stem, video = _stem(path), path.is_file()
    match = re.fullmatch(location.layout.clip, stem)
    number = match.groupdict().get("number") if match else None
    key = str(int(number)) if number else stem
    label = mask_files = None
    if split == "test":
        if source and (file := location.root / source.path.format(clip=stem)).exists():
            label = ClipLabels(source.kind, file, key)
        masks = [location.root / folder.format(clip=stem) for folder in location.layout.masks]
        mask_files = next((decode.listing(folder, decode.IMAGES) for folder in masks if folder.is_dir()), None)
    name = f"{split}_{int(number):02d}" if number else f"{split}_{stem}"
    files = () if video else decode.listing(path, location.layout.images)
    return FileClip(name, split, path, video, files, mask_files, label)


def _missing(dataset: DataSet, root: Path | None) -> PagenError:
    variable = os.environ.get("PAGEN_DATA") or "not set"
    searched = f"in {root}" if root else f"in PAGEN_DATA ({variable}) nor by {listed_file()}"
    wanted = " or ".join(f"{layout.train[0]}/ and {layout.test[0]}/ ({layout.name})" for layout in dataset.layouts)
    return PagenError(
        f"found no {dataset.name} {searched}: looked for {wanted}; {dataset.obtain}; "
        "then say where it is by --root DIR or PAGEN_DATA (transfer: --roots DIR)"
    )
