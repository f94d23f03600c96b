"""A data set that has been found, and its clips: frames, labels and masks are read when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pagen.footage import decode
from pagen.footage.catalogue import READERS, DataSet
from pagen.registry import resolve

if TYPE_CHECKING:
    from pagen.arrays import Frames, Masks

SPLITS = ("train", "test")


class ClipSource(Protocol):
    """One clip of a data set; can be pickled.

    Example:
        >>> from pagen.footage.street.scene import scenes
        >>> clip: ClipSource = SceneClip(scenes(train=1, test=0)[0])
        >>> clip.name, clip.split, clip.moved("test").split
        ('train_01', 'train', 'test')
    """

    @property
    def name(self) -> str:
        """`train_01`, `test_07`, `test_<stem>`: the same in every layout."""

    @property
    def split(self) -> str:
        """`"train"` or `"test"`."""

    def frames(self) -> Iterator[Frames]:
        """Frames at their own size, uint8 (H, W) or (H, W, 3) RGB, one at a time. Raises PagenError when damaged."""

    def labels(self) -> Frames | None:
        """Labels (T,) uint8, 1 = abnormal, or None where there are none. Raises PagenError when they do not fit."""

    def masks(self) -> Iterator[Masks] | None:
        """Pixel labels (H, W) bool, True = abnormal, one a frame, or None where there are none."""

    def length(self) -> int:
        """Number of frames T; a video is decoded for that."""

    @property
    def has_masks(self) -> bool:
        """Whether `masks` gives any."""

    def identity(self) -> str:
        """Hex digits that change when the source does: file names and sizes, and what the labels say."""

    def moved(self, split: str) -> ClipSource:
        """The same clip, name and all, in another split."""


@dataclass(frozen=True)
class ClipLabels:
    """Where the labels of one clip are written.

    Attributes:
        kind: a name in `catalogue.READERS`.
        key: what the clip is called there.

    Example:
        >>> ClipLabels("csv", Path("labels.csv"), "walk").key
        'walk'
    """

    kind: str
    path: Path
    key: str


@dataclass(frozen=True)
class FileClip:
    """A clip out of a folder of images, or a video file, with the methods of `ClipSource`.

    Attributes:
        path: the folder or the video.
        files: the images in order; none for a video.
        mask_files: one image a frame in order, or None where there are no masks.

    Example:
        >>> clip = FileClip("train_a", "train", Path("a"), False, (Path("a/0.png"), Path("a/1.png")), None, None)
        >>> clip.length(), clip.labels(), clip.has_masks
        (2, None, False)
    """

    name: str
    split: str
    path: Path
    video: bool
    files: tuple[Path, ...]
    mask_files: tuple[Path, ...] | None
    label: ClipLabels | None
    scene: str = ""

    def frames(self) -> Iterator[Frames]:
        return decode.video_frames(self.path) if self.video else decode.image_frames(self.files)

    def length(self) -> int:
        return decode.video_length(self.path) if self.video else len(self.files)

    def labels(self) -> Frames | None:
        if self.label is None:
            return None
        read: Callable[[Path, str, int], Frames | None] = resolve(READERS[self.label.kind])
        return read(self.label.path, self.label.key, self.length())

    def masks(self) -> Iterator[Masks] | None:
        return None if self.mask_files is None else decode.mask_frames(self.mask_files)

    @property
    def has_masks(self) -> bool:
        return self.mask_files is not None

    def identity(self) -> str:
        sources = (self.path,) if self.video else self.files
        total = hashlib.sha256()
        for path in (*sources, *(self.mask_files or ())):
            total.update(f"{path.name} {path.stat().st_size}\n".encode())
        if self.label and self.label.path.is_file():
            total.update(self.label.key.encode() + self.label.path.read_bytes())
        return total.hexdigest()[:32]

    def moved(self, split: str) -> FileClip:
        return replace(self, split=split)


@dataclass(frozen=True)
class SceneClip:
    """A clip of procedural footage, with the methods of `ClipSource`; `scene` has the frames, labels and masks.

    Attributes:
        moved_to: the split, where it is not the scene's own.

    Example:
        >>> from pagen.footage.street.scene import scenes
        >>> clip = SceneClip(scenes(train=1, test=0, frames=2)[0])
        >>> next(clip.frames()).shape, clip.labels().tolist()
        ((128, 192), [0, 0])
    """

    scene: Any
    moved_to: str = ""
    name_of_scene = ""

    @property
    def name(self) -> str:
        return str(self.scene.name)

    @property
    def split(self) -> str:
        return self.moved_to or str(self.scene.split)

    def frames(self) -> Iterator[Frames]:
        yield from self.scene.frames()

    def labels(self) -> Frames | None:
        return self.scene.labels()  # type: ignore[no-any-return]  # a scene of anybody's

    def masks(self) -> Iterator[Masks] | None:
        return self.scene.masks()  # type: ignore[no-any-return]  # as there

    def length(self) -> int:
        return int(self.scene.length)

    @property
    def has_masks(self) -> bool:
        return True

    def identity(self) -> str:
        return hashlib.sha256(repr(self.scene).encode()).hexdigest()[:32]

    def moved(self, split: str) -> SceneClip:
        return replace(self, moved_to=split)


@dataclass(frozen=True)
class Footage:
    """A data set that has been found.

    Attributes:
        root: its folder; None for procedural footage.
        layout: name of its layout.
        label_edition: which test labels these are.
        clips: training clips, then test clips, each in numerical order.
        mixed_from: the footage as it was found, where clips have been moved between the splits.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = locate("street")
        >>> footage.fps, [len(footage.split(name)) for name in SPLITS]
        (10, [12, 8])
    """

    name: str
    dataset: DataSet
    root: Path | None
    layout: str
    label_edition: str
    clips: tuple[ClipSource, ...]
    mixed_from: Footage | None = None

    @property
    def fps(self) -> float:
        """Frames per second: the first video's, or the catalogue's for images."""
        first = next((clip for clip in self.clips if isinstance(clip, FileClip) and clip.video), None)
        return decode.video_rate(first.path) if first else self.dataset.fps

    def split(self, name: str) -> list[ClipSource]:
        """The clips of a split, `"train"` or `"test"`."""
        return [clip for clip in self.clips if clip.split == name]


def without_suffix(name: str) -> str:
    """A video's name, and that of its folder where it has one, without what tells the format.

    Example:
        >>> without_suffix("training/walk.mp4"), without_suffix("walk")
        ('training/walk', 'walk')
    """
    return Path(name).with_suffix("").as_posix()
