"""How a data set lies on disk: where its clips, labels, masks and lists are below its folder, as plain data.

Paths are templates: `{clip}` stands for the clip's own name on disk (a video's without its extension), `{number}` for
its number without padding, `{scene}` for its scene, `{folder}` for the folder that holds it, below the data set's.
"""

from __future__ import annotations

from dataclasses import dataclass

from pagen.footage.listing import IMAGES, VIDEOS

_LABELS = "pagen.footage.labels"


@dataclass(frozen=True)
class LabelKind:
    """A form in which labels are written; the functions are named as `module:function`.

    Attributes:
        read: function(path, key): what is said of the clip that is called `key` there (`labels.said.Said`), or None
            where the file does not name it. Raises PagenError for anything that is not written in this form.
        names: function(path): the keys that one file for all clips holds; None where a clip has a file of its own.
        holds: function(path): whether an existing file is of this form and no other, by its content, never its name;
            None where no source of another kind has the same path. It raises nothing, and of the kinds that share a
            path one takes what is damaged, so that its `read` says so.

    Example:
        >>> LABEL_KINDS["m"].names
        'pagen.footage.labels.ucsd_m:names_in_m'
    """

    read: str
    names: str | None = None
    holds: str | None = None


def _kind(module: str, name: str, named: bool = False, told: bool = False) -> LabelKind:
    """A form by the names of its functions in a module of `pagen.footage.labels`."""
    names = f"{_LABELS}.{module}:names_in_{name}" if named else None
    return LabelKind(f"{_LABELS}.{module}:read_{name}", names, f"{_LABELS}.{module}:holds_{name}" if told else None)


LABEL_KINDS: dict[str, LabelKind] = {
    "m": _kind("ucsd_m", "m", named=True),
    "csv": _kind("labels_csv", "csv", named=True),
    "npy": _kind("arrays", "npy"),
    "npz": _kind("arrays", "npz", named=True),
    "values": _kind("arrays", "values"),
    "masks": _kind("images", "masks"),
    "mat_masks": _kind("avenue", "mat_masks"),
    "mat_intervals": _kind("avenue", "mat_intervals", named=True, told=True),
    "mat_frames": _kind("avenue", "mat_frames", named=True, told=True),
    "tracks": _kind("ubnormal", "tracks", told=True),
    "npy_for_tracks": _kind("ubnormal", "npy_for_tracks", told=True),
    "ucf": _kind("ucf_crime", "ucf", named=True),
    "ucf_mat": _kind("ucf_crime", "ucf_mat"),
    "xd": _kind("xd_violence", "xd", named=True),
    "msad": _kind("msad", "msad", named=True),
    "street_scene": _kind("boxes", "street_scene"),
    "aed": _kind("boxes", "aed"),
}
"""Kinds of label sources by name."""

MASK_KINDS: dict[str, str] = {
    "images": "pagen.footage.images:mask_frames",
    "array": f"{_LABELS}.images:array_masks",
    "mat": f"{_LABELS}.avenue:mat_masks",
    "objects": f"{_LABELS}.ubnormal:object_masks",
}
"""Kind of masks -> `module:function(files)`: an iterator of masks (H, W) bool, one a frame, of the files of a clip.

Of `objects` the file is that of the tracks.
"""


@dataclass(frozen=True)
class LabelSource:
    """One place where frame labels may lie. All that are there are found; the first is the default.

    Example:
        >>> LabelSource("npy", "labels/{clip}.npy", "labels/*.npy").path.format(clip="test_01")
        'labels/test_01.npy'
    """

    kind: str
    """How it is written: a name in `LABEL_KINDS`."""
    path: str
    """Below the data set's folder."""
    edition: str
    """What the labels are called beside a score. Sources of one edition are the same labels in several places."""
    key: str = "{key}"
    """What a clip is called in a file of all clips; `{key}` is its number without padding, else its name on disk."""
    slack: int = 0
    """By how many frames an interval may reach beyond the video, or an array be longer or shorter than it."""
    counting: str = ""
    """How frames of intervals are counted (`labels.said.COUNTINGS`), where it is not as the kind has it."""
    normal: int = 0
    """The value that marks normal frames in arrays."""
    promised: bool = False
    """Whether somebody has said that it is there, so that a check misses it."""
    stands_in: bool = False
    """Whether it stands in for clips that no other source of its edition has, and makes an edition alone if need be."""
    abnormal: int | None = None
    """Number of abnormal test frames in this edition, where the row's own number is another edition's."""


@dataclass(frozen=True)
class MaskSource:
    """One place where pixel masks may lie.

    Example:
        >>> MaskSource("Test/{clip}_gt").kind
        'images'
    """

    path: str
    """Below the data set's folder: a folder of one image a frame, or a file."""
    kind: str = "images"
    """How they are written: a name in `MASK_KINDS`."""


@dataclass(frozen=True)
class SplitList:
    """A text file in the user's copy that names the clips of a split, one a line (anything after a space is ignored).

    Example:
        >>> SplitList("train", "splits/train_split_1.txt", abnormal=False).split
        'train'
    """

    split: str
    path: str
    abnormal: bool | None = None
    """Whether its clips are abnormal ones; None where the list does not tell."""


LISTED = "listed"
"""The split of a part whose folders hold clips of several: known clips, else the layout's lists tell them apart."""


@dataclass(frozen=True)
class Part:
    """Where the clips of one split lie.

    Example:
        >>> Part("train", ("training/videos",), r"(?P<scene>\\d\\d)_\\d{3}", images=()).videos[:2]
        ('.mp4', '.avi')
    """

    split: str
    """`train`, `test`, `validation`, or `LISTED`."""
    folders: tuple[str, ...]
    """Folders below the data set's, as globs; the first that matches any clip holds them all."""
    clip: str
    r"""Regular expression of a clip's whole name on disk. Groups: `number` where clips are counted, `scene`, and
    `abnormal`, which matches in the names of abnormal clips alone."""
    first: int | None = None
    """Number of the first frame's image; None takes any."""
    images: tuple[str, ...] = IMAGES
    """Extensions of frames, where a clip is a folder of images; empty: it never is one."""
    videos: tuple[str, ...] = VIDEOS
    """Extensions of videos, where a clip is one."""
    scene: str = ""
    """The scene that all its clips show, where their names do not tell."""


ANYWHERE = Part("", (), ".*")
"""The part of a clip that no layout has."""


@dataclass(frozen=True)
class Layout:
    """One way in which a data set lies on disk.

    Example:
        >>> parts = (Part("train", ("Train",), r"\\d+", first=1), Part("test", ("Test",), r"\\d+", first=1))
        >>> Layout("official", parts, labels=(LabelSource("m", "Test/labels.m", "labels.m"),)).masks
        ()
    """

    name: str
    parts: tuple[Part, ...]
    labels: tuple[LabelSource, ...] = ()
    """Where labels of test and validation clips may lie."""
    masks: tuple[MaskSource, ...] = ()
    """Where pixel masks of test and validation clips may lie; the first that is there counts."""
    train_labels: tuple[LabelSource, ...] = ()
    """Where labels of training clips may lie."""
    lists: tuple[SplitList, ...] = ()
    """Lists that tell the splits, where the row's known clips do not."""
