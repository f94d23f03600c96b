"""The data sets: one row each, in `pagen.footage.rows`; what differs between them is data there, never a branch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pagen.errors import PagenError, unknown_name
from pagen.footage.known_clips import KnownClip, numbered, read_known
from pagen.footage.layout import Layout
from pagen.footage.own import Own, own_datasets
from pagen.registry import Registry, resolve

Interval = tuple[int, int]
"""The first frame, and the one after the last."""


@dataclass(frozen=True)
class Subset:
    """Some clips or frames of a data set's test split, under a name of its own: `NAME:SUBSET`.

    Example:
        >>> Subset("without clip 1", without=("01",)).left_out
        {}
    """

    what: str
    without: tuple[str, ...] = ()
    """Test clips that do not belong to it, called as `KnownClip.clip`."""
    left_out: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)
    """Test clip -> frames that count in no figure: their label is `clips.LEFT_OUT`."""


@dataclass(frozen=True)
class DataSet:
    """A row of the catalogue.

    Empty counts take whatever is there.

    Example:
        >>> mine = DataSet("lane", "a lane", fps=25, licence="mine", obtain="nothing to obtain", aliases=("lane",))
        >>> mine.layouts, mine.abnormal
        ((), None)
    """

    name: str
    what: str
    fps: float
    """Frames per second, where neither a video nor a known clip tells another rate."""
    licence: str
    obtain: str
    """How to get it; pagen never downloads footage."""
    layouts: tuple[Layout, ...] = ()
    aliases: tuple[str, ...] = ()
    """Names (lower case, letters and digits) of folders that are this data set's; none: it is never searched for."""
    train: tuple[int, ...] = ()
    """Number of frames of each training clip, where clips are numbered from 1."""
    test: tuple[int, ...] = ()
    known: str = ""
    """Name of the package's table of known clips, `known/NAME.csv`, where they are not numbered."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Split -> number of clips, where their names are not known."""
    abnormal: int | None = None
    """Number of abnormal test frames, in every edition of labels that says no other."""
    size: tuple[int, int] | None = None
    """(H, W) as published."""
    scene_names: tuple[str, ...] = ()
    """The scenes of its clips, as their names spell them; each is a data set `NAME:SCENE`."""
    subsets: Mapping[str, Subset] = field(default_factory=dict)
    """Name -> subset; each is a data set `NAME:SUBSET`."""
    scenes: str | None = None
    """`module:function` that gives the scenes of procedural footage, which needs no folder."""
    kinds: str | None = None
    """`module:function` that says of a test clip which kinds of anomalies it shows when: see `footage.anomalies`."""
    root: Path | None = None
    """Where it lies, of one's own: see `footage.own`; None looks for it."""

    @property
    def known_clips(self) -> tuple[KnownClip, ...]:
        """All that is known of its clips by name; empty where nothing is."""
        table = read_known(self.known) if self.known else ()
        return (*numbered("train", self.train), *numbered("test", self.test), *table)


MIXED = ":mixed"
"""Ends the name of a data set with half of its test clips among the training clips: see `pagen.footage.mixed`."""


@dataclass(frozen=True)
class Modifier:
    """What a name may end with, after a colon.

    Example:
        >>> MODIFIERS["all"].what
        'abnormal training clips among the others'
    """

    what: str
    changed: str
    """`module:function(footage)`: the footage with other clips, or clips that are read otherwise."""


MODIFIERS: dict[str, Modifier] = {
    "all": Modifier("abnormal training clips among the others", "pagen.footage.modifiers:with_abnormal"),
    "deinterlaced": Modifier("interlaced videos de-interlaced", "pagen.footage.modifiers:without_combs"),
    "mixed": Modifier("half of the test clips among the training clips", "pagen.footage.mixed:mixed"),
    "validation": Modifier("the validation clips in place of the test clips", "pagen.footage.modifiers:on_validation"),
}
"""Modifiers of any data set's name; a row adds its own subsets and scenes."""
WITHOUT = "without-"
"""Begins the modifier that leaves a scene out."""


JOIN = "+"
"""Between the names of joined data sets: see `pagen.footage.joined`."""


class DataSets(Registry[DataSet]):
    """Data sets by name, one's own among them, and every one as `NAME:MODIFIER` and `NAME+NAME`, which are not listed.

    Example:
        >>> "street" in DATASETS, DATASETS["ped2:mixed"].name, DATASETS["ped2:mixed"].abnormal
        (True, 'ped2:mixed', None)
    """

    def catalogue(self) -> list[str]:
        """All names but those of one's own data sets."""
        return super().names()

    def own(self) -> dict[str, Own]:
        """One's own data sets by name. Raises PagenError as `own_datasets`."""
        return own_datasets(self.catalogue)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted((*self.catalogue(), *self.own()))

    def parted(self, name: str) -> tuple[str, str]:
        """The name without its last modifier, and that; a row's own name has none, nor have joined ones.

        Example:
            >>> DATASETS.parted("street:square"), DATASETS.parted("street:square:mixed")
            (('street:square', ''), ('street:square', 'mixed'))
        """
        base, colon, modifier = name.rpartition(":")
        if not colon or JOIN in name or name in self._table:
            return name, ""
        if base in self._table and modifier in modifiers_of(self[base]):
            return base, modifier
        return (name, "") if name in self else (base, modifier)

    def __getitem__(self, name: str) -> DataSet:
        """The row of that name. Raises PagenError that names the nearest one, and as `own_datasets`.

        Neither the file of one's own nor entry points are looked at for what the table has.
        """
        if name in self._table:
            return super().__getitem__(name)
        if not all(re.split(r"[+:]", name)):
            raise unknown_name("data set", name, self.names())
        if JOIN in name:
            return _joined(name, [self[part] for part in name.split(JOIN)])
        base, modifier = self.parted(name)
        if modifier:
            return self._modified(base, modifier)
        if name in (own := self.own()):
            row: DataSet = resolve(f"{_ROWS}.folder:own")(name, own[name])
            return row
        return super().__getitem__(name)

    def _modified(self, base: str, modifier: str) -> DataSet:
        """The row of a name with a modifier, in which nothing is said of clips."""
        row, name = self[base], f"{base}:{modifier}"
        if modifier not in (known := modifiers_of(row)):
            raise unknown_name("data set", name, [*self.names(), *(f"{base}:{one}" for one in known)])
        what = f"{row.what}; {_what(row, modifier)}"
        return replace(row, name=name, what=what, train=(), test=(), known="", counts={}, abnormal=None)


def _joined(name: str, rows: Sequence[DataSet]) -> DataSet:
    """The row of joined data sets, in which nothing is said of clips. Raises PagenError for one that is there twice."""
    names = [row.name for row in rows]
    if len(set(names)) < len(names):
        raise PagenError(f"expected each data set once to join, found {name}; leave one out")
    licence = "; ".join(dict.fromkeys(row.licence for row in rows))
    return DataSet(name, f"the training clips of {' and '.join(names)}", rows[0].fps, licence, "obtain each of them")


def modifiers_of(row: DataSet) -> list[str]:
    """Every modifier that the row's name takes, none of them twice.

    Example:
        >>> modifiers_of(DATASETS["ped2"]), modifiers_of(DATASETS["ped2:mixed"])
        (['all', 'deinterlaced', 'mixed', 'validation'], ['all', 'deinterlaced', 'validation'])
    """
    scenes = [name for scene in row.scene_names for name in (scene, WITHOUT + scene)]
    there = row.name.split(":")
    return [one for one in (*MODIFIERS, *row.subsets, *scenes) if one not in there]


def _what(row: DataSet, modifier: str) -> str:
    """What a modifier makes of a data set."""
    if modifier in MODIFIERS:
        return MODIFIERS[modifier].what
    if modifier in row.subsets:
        return row.subsets[modifier].what
    return f"without scene {modifier.removeprefix(WITHOUT)}" if modifier.startswith(WITHOUT) else f"scene {modifier}"


_ROWS = "pagen.footage.rows"
DATASETS = DataSets(
    "data set",
    "pagen.datasets",
    {
        "avenue": f"{_ROWS}.avenue:AVENUE",
        "chad": f"{_ROWS}.campus:CHAD",
        "chad:split2": f"{_ROWS}.campus:CHAD_SECOND_SPLIT",
        "folder": f"{_ROWS}.folder:FOLDER",
        "iitb_corridor": f"{_ROWS}.campus:IITB_CORRIDOR",
        "msad": f"{_ROWS}.weakly_supervised:MSAD",
        "nwpu_campus": f"{_ROWS}.campus:NWPU_CAMPUS",
        "ped1": f"{_ROWS}.ucsd:PED1",
        "ped2": f"{_ROWS}.ucsd:PED2",
        "shanghaitech": f"{_ROWS}.shanghaitech:SHANGHAITECH",
        "shanghaitech:weak": f"{_ROWS}.shanghaitech:WEAK",
        "street": f"{_ROWS}.street:STREET",
        "street:square": f"{_ROWS}.street:SQUARE",
        "street_scene": f"{_ROWS}.campus:STREET_SCENE",
        "ubnormal": f"{_ROWS}.ubnormal:UBNORMAL",
        "ucf_crime": f"{_ROWS}.weakly_supervised:UCF_CRIME",
        "umn": f"{_ROWS}.umn:UMN",
        "xd_violence": f"{_ROWS}.weakly_supervised:XD_VIOLENCE",
    },
    lambda row: isinstance(row, DataSet),
)
"""Data sets by name; an entry point of the group `pagen.datasets` adds a `DataSet` of its own."""
