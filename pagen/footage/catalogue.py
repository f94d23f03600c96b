"""The data sets: one table row each. What differs between them is data here, never a branch elsewhere.

Counts, rates and layouts are those of the UCSD distribution v1p2 and of the copies that the field passes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pagen.footage.decode import IMAGES, VIDEOS
from pagen.registry import Registry

READERS = {kind: f"pagen.footage.labels:read_{kind}" for kind in ("m", "csv", "npy", "masks")}
"""Kind of labels -> function(file or folder, the clip's key in it, number of frames), labels (T,) or None."""
NAMED = {kind: f"pagen.footage.labels:names_in_{kind}" for kind in ("m", "csv")}
"""Kind of labels -> function(file): the clips that one file for all clips names."""


@dataclass(frozen=True)
class LabelSource:
    """One place where frame labels may lie.

    Example:
        >>> LabelSource("npy", "labels/{clip}.npy", "labels/*.npy").path.format(clip="test_01")
        'labels/test_01.npy'
    """

    kind: str
    """How it is written: a name in `READERS`."""
    path: str
    """Below the data set's folder; `{clip}` stands for the clip's own name."""
    edition: str
    """What the labels are called beside a score."""


@dataclass(frozen=True)
class Layout:
    """One way in which a data set lies on disk.

    Example:
        >>> next(layout.test for layout in DATASETS["ped2"].layouts if layout.name == "official")
        ('Test',)
    """

    name: str
    train: tuple[str, ...]
    """Folders, below the data set's, that may hold the training clips; the first that is there does."""
    test: tuple[str, ...]
    clip: str
    """Regular expression of a clip's whole name; group `number` where clips are counted from 1."""
    first: int | None
    """Number of the first frame's file; None takes any."""
    labels: tuple[LabelSource, ...]
    """Where test labels may lie; the first that is there counts."""
    masks: tuple[str, ...]
    """Folders of a clip's pixel masks, `{clip}` as above."""
    images: tuple[str, ...] = IMAGES
    videos: tuple[str, ...] = ()
    train_labels: tuple[LabelSource, ...] = ()
    """Where labels of training clips may lie; one file for all names them with their folder, `training/NAME`."""


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
    """Frames per second, where no video tells another rate."""
    licence: str
    obtain: str
    """How to get it; pagen never downloads footage."""
    layouts: tuple[Layout, ...] = ()
    aliases: tuple[str, ...] = ()
    """Names (lower case, letters and digits) of folders that are this data set's; none: it is never searched for."""
    train: tuple[int, ...] = ()
    """Number of frames of each training clip."""
    test: tuple[int, ...] = ()
    abnormal: int | None = None
    """Number of abnormal test frames in the current label edition."""
    size: tuple[int, int] | None = None
    """(H, W) as published."""
    scenes: str | None = None
    """`module:function` that gives the scenes of procedural footage, which needs no folder."""
    kinds: str | None = None
    """`module:function` that says of a test clip which kinds of anomalies it shows when: see `footage.anomalies`."""


_DERIVED = "derived from pixel masks"


def _ucsd(number: int) -> tuple[Layout, Layout]:
    """The layouts in which UCSD's two sets circulate."""
    m = f"UCSDped{number}.m"
    published = f"{m} (UCSD v1p2)"
    official = Layout(
        name="official",
        train=("Train",),
        test=("Test",),
        clip=r"(?:Train|Test)(?P<number>\d{3})",
        first=1,
        labels=(LabelSource("m", f"Test/{m}", published), LabelSource("masks", "Test/{clip}_gt", _DERIVED)),
        masks=("Test/{clip}_gt",),
    )
    common = Layout(
        name="common",
        train=("training/frames",),
        test=("testing/frames",),
        clip=r"(?P<number>\d+)",
        first=0,
        labels=(
            LabelSource("m", m, published),
            LabelSource("m", f"testing/{m}", published),
            LabelSource("masks", "testing/masks/{clip}", _DERIVED),
        ),
        masks=("testing/masks/{clip}",),
    )
    return official, common


_FOLDER = Layout(
    name="folder",
    train=("training/frames", "training", "train/frames", "train"),
    test=("testing/frames", "testing", "test/frames", "test"),
    clip=r".+",
    first=None,
    labels=(
        LabelSource("csv", "labels.csv", "labels.csv"),
        LabelSource("npy", "labels/{clip}.npy", "labels/*.npy"),
        LabelSource("masks", "masks/{clip}", _DERIVED),
    ),
    masks=("masks/{clip}",),
    videos=VIDEOS,
    train_labels=(
        LabelSource("csv", "labels.csv", "labels.csv"),
        LabelSource("npy", "labels/training/{clip}.npy", "labels/*.npy"),
    ),
)

MIXED = ":mixed"
"""Ends the name of a data set with half of its test clips among the training clips: see `pagen.footage.mixed`."""


class DataSets(Registry[DataSet]):
    """Data sets by name, and every one of them as `NAME:mixed`, which is not listed.

    Example:
        >>> "street" in DATASETS, DATASETS["ped2:mixed"].name, DATASETS["ped2:mixed"].abnormal
        (True, 'ped2:mixed', None)
    """

    def __getitem__(self, name: str) -> DataSet:
        """The row of that name. Raises PagenError that names the nearest one."""
        row = super().__getitem__(name.removesuffix(MIXED))
        if not name.endswith(MIXED):
            return row
        what = f"{row.what}; half of the test clips among the training clips"
        return replace(row, name=name, what=what, train=(), test=(), abnormal=None)


_PED1 = DataSet(
    name="ped1",
    what="UCSD Ped1: a walkway, people towards and away from the camera; pixel masks of 10 test clips",
    fps=10,
    licence="research use, by UCSD's terms",
    obtain="obtain it from the page 'UCSD Anomaly Detection Dataset' of UCSD's Statistical Visual Computing Lab (SVCL)",
    layouts=_ucsd(1),
    aliases=("ped1", "ucsdped1"),
    train=(200,) * 34,
    test=(200,) * 36,
    abnormal=4045,
    size=(158, 238),
)
_STREET = DataSet(
    name="street",
    what="procedural footage of a street, made on the spot, with labels and masks",
    fps=10,
    licence="Apache-2.0",
    obtain="nothing to obtain",
    scenes="pagen.footage.street.scene:scenes",
    kinds="pagen.footage.street.scene:street_kinds",
)

_ROWS = (
    _PED1,
    replace(
        _PED1,
        name="ped2",
        what="UCSD Ped2: a walkway, people along the picture; pixel masks of all test clips",
        layouts=_ucsd(2),
        aliases=("ped2", "ucsdped2"),
        train=(120, 150, 150, 180, 180, 150, 150, 120, 180, 180, 180, 180, 180, 150, 150, 150),
        test=(180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180),
        abnormal=1648,
        size=(240, 360),
        kinds="pagen.footage.anomalies:ped2_kinds",
    ),
    DataSet(
        name="folder",
        what="your own videos or image folders, with labels.csv, labels/ or masks/ if you have them",
        fps=25,
        licence="yours",
        obtain="put normal clips into DIR/training and clips to score into DIR/testing, then give --root DIR",
        layouts=(_FOLDER,),
    ),
    _STREET,
    replace(
        _STREET,
        name="street:square",
        what="procedural footage of a square, by another camera than the street's: to transfer to",
        scenes="pagen.footage.street.scene:square",
        kinds="pagen.footage.street.scene:square_kinds",
    ),
)

DATASETS = DataSets(
    "data set", "pagen.datasets", {row.name: row for row in _ROWS}, lambda row: isinstance(row, DataSet)
)
"""Data sets by name; an entry point of the group `pagen.datasets` adds a `DataSet` of its own."""
