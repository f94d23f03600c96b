"""Data sets of one's own, by name: a TOML file of the user's, and `--name` on one command.

    [shop]
    root = "/data/shop"    # a folder as `--dataset folder` takes it; ~ is the home; paths may begin beside the file
    fps = 15               # where no video tells another rate
    labels = ["labels/{clip}.npy", "strict/{clip}.npy"]    # below root, each an edition of labels; the first counts
    # or tables, for every form that is read: {kind = "tracks", path = "tracks/{clip}.txt", edition = "by track"}
    scenes = ["till", "door"]    # what the names of its clips begin with: till_01.mp4 is of the scene till
    what = "a shop, two cameras"
    licence = "ours"

The file is PAGEN_DATASETS, or `datasets.toml` in the user's configuration folder. Imports nothing heavy.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from annotated_types import Gt, Lt

from pagen.documents import read_toml
from pagen.errors import PagenError
from pagen.footage.layout import LabelSource
from pagen.footage.own_labels import label_problems, source_of

NAME = re.compile(r"[A-Za-z0-9][\w-]*")
"""What a name may be: no colon and no plus, which say more of a name, and nothing that a folder's name may not have."""


@dataclass(frozen=True)
class Own:
    """A data set of one's own, as the file or `--name` says.

    Example:
        >>> Own(Path("shop")).labels
        ()
    """

    root: Path
    fps: float = 25.0
    labels: tuple[LabelSource, ...] = ()
    """Where labels are below the root; none: as `folder` has them."""
    scenes: tuple[str, ...] = ()
    """What the names of clips begin with, before a hyphen, a dot or an underscore."""
    what: str = "your own"
    licence: str = "yours"


@dataclass(frozen=True)
class Entry:
    """A data set as the file says it; of labels and scenes there may be one, or several in a list.

    Example:
        >>> Entry("shop", labels="labels.csv").fps
        25.0
    """

    root: str
    fps: Annotated[float, Gt(0), Lt(1e4)] = 25.0
    labels: Any = None
    scenes: Any = None
    what: str = "your own"
    licence: str = "yours"


NAMED: dict[str, Own] = {}
"""What `--name` has named in this process."""


def own_file() -> Path:
    """The user's file of data sets: PAGEN_DATASETS, or `datasets.toml` beside `data.json`.

    Example:
        >>> own_file().suffix
        '.toml'
    """
    import platformdirs

    given = os.environ.get("PAGEN_DATASETS")
    return Path(given).expanduser().absolute() if given else platformdirs.user_config_path("pagen") / "datasets.toml"


def own_datasets(known: Callable[[], Collection[str]]) -> dict[str, Own]:
    """Name -> data set, of the file and of `--name`; `known` gives the catalogue's names, which none may have.

    Raises PagenError: no file where PAGEN_DATASETS names one, no TOML, or an entry that says something else.

    Example:
        >>> isinstance(own_datasets(list), dict)
        True
    """
    file = own_file()
    if not file.is_file():
        if os.environ.get("PAGEN_DATASETS"):
            raise PagenError(
                f"expected data sets as TOML in {file}, which PAGEN_DATASETS names, found no file; mend it"
            )
        return dict(NAMED)
    entries = read_toml(file, dict[str, Entry], "data sets")
    found = {name: _own(file, name, entry) for name, entry in entries.items()}
    taken = known() if found else ()
    for name in found:
        require_own(name, taken, f" in {file}")
    return {**found, **NAMED}


def require_own(name: str, known: Collection[str], where: str, whose: str = "the catalogue") -> None:
    """Raise PagenError for what no data set of one's own may be called, `known` names among it.

    Example:
        >>> require_own("shop", ["ped2"], "")
    """
    if name in known:
        raise PagenError(f"expected a name that {whose} does not have, found {name}{where}; choose another")
    if not NAME.fullmatch(name):
        raise PagenError(f"expected a name of letters, digits, - and _, found {name!r}{where}; choose another")


def _own(file: Path, name: str, entry: Entry) -> Own:
    """An entry of the file as the data set that it says."""
    given = {key: getattr(entry, key) for key in LISTS}
    lists = {key: tuple(_each(value)) for key, value in given.items() if value is not None}
    for key, values in lists.items():
        for problem in _problems(key, values):
            raise PagenError(f"{problem} for {name} in {file}; mend it")
    if not entry.root:
        raise PagenError(f"expected a folder as root for {name} in {file}, found none; mend it")
    root = file.parent / Path(entry.root).expanduser()
    made = {key: tuple(map(LISTS[key].made, values)) for key, values in lists.items()}
    return Own(root, entry.fps, what=entry.what, licence=entry.licence, **made)


def _each(value: Any) -> list[Any]:
    """One value of several that an entry may hold, or a list of them."""
    return value if isinstance(value, list) and value else [value]


def _problems(key: str, values: Sequence[Any]) -> Iterator[str]:
    """What is wrong with the labels or scenes of an entry: what was expected, and what was found."""
    for value in values:
        yield from LISTS[key].problems(value)
    if len(set(map(repr, values))) < len(values):
        yield f"expected each of {key} once, found {' '.join(map(str, values)):.80}"


def _scene_problems(value: Any) -> Iterator[str]:
    if not (isinstance(value, str) and NAME.fullmatch(value)):
        yield f"expected names of letters, digits, - and _ as scenes, found {value!r:.80}"


class _Several(NamedTuple):
    """A key of an entry that may hold several values: what is wrong with one, and what is made of one."""

    problems: Callable[[Any], Iterator[str]]
    made: Callable[[Any], Any]


LISTS = {"labels": _Several(label_problems, source_of), "scenes": _Several(_scene_problems, str)}


def said_by(name: str) -> str:
    """Who says where a data set of one's own lies: the file, or the flag.

    Example:
        >>> said_by("shop").endswith(".toml")
        True
    """
    return "--root" if name in NAMED else str(own_file())


def check_command(dataset: str, root: Path | None = None) -> str:
    """What to type to have all problems of a data set listed, which lies in `root` where no file says so.

    Example:
        >>> check_command("ped2")
        'pagen datasets check ped2'
    """
    name, place = ("folder", NAMED[dataset].root) if dataset in NAMED else (dataset, root)
    return shlex.join(["pagen", "datasets", "check", name, *(["--root", str(place)] if place else [])])


def asked_as(dataset: str) -> list[str]:
    """The words that name a data set on a command line, so that advice works when it is typed.

    Example:
        >>> asked_as("ped2")
        ['--dataset', 'ped2']
    """
    if dataset not in NAMED:
        return ["--dataset", dataset]
    return ["--dataset", "folder", "--root", str(NAMED[dataset].root), "--name", dataset]
