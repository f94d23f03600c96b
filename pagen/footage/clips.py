"""A data set that has been found, and its clips: frames, labels and masks are read when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pagen.errors import PagenError
from pagen.footage import images, video
from pagen.footage.catalogue import DataSet, Interval
from pagen.footage.clip_labels import ClipLabels
from pagen.footage.clock import breaks_of, rate_of, ticks_of, told_breaks
from pagen.footage.content import content_of
from pagen.footage.frame_names import stamps_of
from pagen.footage.known_clips import KnownClip
from pagen.footage.layout import ANYWHERE, MASK_KINDS, Part
from pagen.footage.listing import IMAGES, VIDEOS, listing
from pagen.registry import resolve

if TYPE_CHECKING:
    from pagen.arrays import Frames, Masks
    from pagen.footage.labels.said import Fitted

SPLITS = ("train", "test")
LEFT_OUT = 255
"""The label of a frame that counts in no figure."""
NO_LABELS = "none"
"""Stands for the edition where there are no labels."""

_SPANS = "pagen.footage.labels.said:Spans"


class ClipSource(Protocol):
    """One clip of a data set; can be pickled.

    Example:
        >>> clip: ClipSource = FileClip("train_a", "train", Path("a"), False, (), None, None)
        >>> clip.name, clip.split, clip.moved("test").split
        ('train_a', 'train', 'test')
    """

    @property
    def name(self) -> str:
        """`train_01`, `test_07`, `test_<stem>`: the same in every layout."""

    @property
    def split(self) -> str:
        """`"train"` or `"test"`."""

    def frames(self) -> Iterator[Frames]:
        """Frames at their own size, uint8 (H, W) or (H, W, 3) RGB, one at a time. Raises PagenError when damaged."""

    @property
    def abnormal(self) -> bool | None:
        """Whether it is an abnormal clip by the lists of its data set; None where nothing says so."""

    @property
    def scene(self) -> str:
        """The scene that it shows, as its name spells it; empty where there are none."""

    @property
    def fps(self) -> float:
        """Frames per second: the video's own, else what is known of the clip or of its data set."""

    def labels(self, edition: str | None = None) -> Frames | None:
        """Labels (T,) uint8: 1 = abnormal, `LEFT_OUT` = counts in no figure; or None where there are none.

        Of an edition, by default the first that the footage has. Raises PagenError when they do not fit.
        """

    def fitted_labels(self, edition: str | None = None, length: int | None = None) -> Fitted | None:
        """Its labels, and by how many frames what is written did not fit the clip; raises as `labels`.

        `length` is the number of frames, where that has been counted; a video is decoded for it otherwise.
        """

    def masks(self) -> Iterator[Masks] | None:
        """Pixel labels (H, W) bool, True = abnormal, one a frame, or None where there are none."""

    def length(self) -> int:
        """Number of frames T; a video is decoded for that."""

    @property
    def has_masks(self) -> bool:
        """Whether `masks` gives any."""

    def breaks(self) -> Mapping[int, str]:
        """Index of a frame that does not go on from the one before -> why, in words; a video is decoded for that."""

    def identity(self) -> str:
        """Hex digits that change when the source does: names and bytes of frames and masks, and what the labels say."""

    def notes(self) -> list[str]:
        """What is worth telling of its frames, one line each; a video is decoded for that."""

    def moved(self, split: str) -> ClipSource:
        """The same clip, name and all, in another split."""

    def renamed(self, name: str) -> ClipSource:
        """The same clip by another name."""


@dataclass(frozen=True)
class FileClip:
    """A clip out of a folder of images, or a video file, with the methods of `ClipSource`.

    Attributes:
        path: the folder or the video.
        files: the images in order; none for a video.
        mask_files: one image a frame in order, or what else masks are written in; None where there are none.
        label: where labels of the default edition are.
        others: where labels of other editions are.
        mask_kind: a name in `layout.MASK_KINDS`.
        rate: frames per second where it is no video.
        left_out: frames that count in no figure.
        deinterlace: whether interlaced frames of a video are de-interlaced.
        part: where its layout has such clips.

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
    others: tuple[ClipLabels, ...] = ()
    mask_kind: str = "images"
    abnormal: bool | None = None
    scene: str = ""
    rate: float = 0.0
    left_out: tuple[Interval, ...] = ()
    deinterlace: bool = False
    part: Part = ANYWHERE

    @property
    def fps(self) -> float:
        if self.video:
            return video.video_rate(self.path)
        return rate_of(stamps) if (stamps := self.stamps) else self.rate

    @property
    def stamps(self) -> list[float] | None:
        """Seconds that the names of images tell; None where they are numbered, and of a video."""
        return stamps_of(self.files) if self.part.first is None else None

    def breaks(self) -> Mapping[int, str]:
        if self.video:
            return video.video_breaks(self.path)
        return breaks_of(ticks_of(stamps, 1 / self.fps)) if (stamps := self.stamps) else {}

    def frames(self) -> Iterator[Frames]:
        return video.video_frames(self.path, self.deinterlace) if self.video else images.image_frames(self.files)

    def length(self) -> int:
        return video.video_length(self.path) if self.video else len(self.files)

    def labels(self, edition: str | None = None) -> Frames | None:
        fitted = self.fitted_labels(edition)
        return fitted.labels if fitted else None

    def fitted_labels(self, edition: str | None = None, length: int | None = None) -> Fitted | None:
        label = self.labels_of(edition)
        if label is None:
            return None
        length = self.length() if length is None else length
        fitted = None if self.abnormal is False and not label.path.exists() else label.read(length)
        if fitted is None and self.abnormal is False:  # files of labels often name abnormal clips alone
            fitted = resolve(_SPANS)(()).fit(length)
        if fitted is not None:
            self._require_polarity(fitted.labels, label)
            for start, end in self.left_out:
                fitted.labels[start:end] = LEFT_OUT
        return fitted

    def _require_polarity(self, labels: Frames, place: ClipLabels) -> None:
        """Refuse abnormal frames in a clip that is known to have none: labels turned round, or those of another set."""
        if self.abnormal is False and (count := int(labels.sum())):
            raise PagenError(
                f"expected nothing abnormal in {self.path.name}, a normal clip by its name or the lists, found {count} "
                f"of {len(labels)} frames in {place.path} ({place.source.edition}); are these its labels, 1 = abnormal?"
            )

    def labels_of(self, edition: str | None = None) -> ClipLabels | None:
        """Where its labels of an edition are, by default the first that the footage has."""
        if edition is None:
            return self.label
        known = (self.label, *self.others)
        return next((label for label in known if label and label.source.edition == edition), None)

    def masks(self) -> Iterator[Masks] | None:
        if self.mask_files is None:
            return None
        read: Callable[[tuple[Path, ...]], Iterator[Masks]] = resolve(MASK_KINDS[self.mask_kind])
        frame = next(self.frames(), None)
        masks = read(self.mask_files)
        return masks if frame is None else images.of_size(masks, frame.shape[:2], self.mask_files[0])

    @property
    def has_masks(self) -> bool:
        return self.mask_files is not None

    def identity(self) -> str:
        sources, masks = (self.path,) if self.video else self.files, self.mask_files or ()
        beside = masks[0].parent if self.mask_kind == "objects" and masks else None  # maps, beside the tracks
        folder = beside or (self.label.path if self.label and self.label.path.is_dir() else None)
        labels = listing(folder, IMAGES) if folder else ()
        total = hashlib.sha256(" ".join(content_of(files) for files in (sources, masks, labels)).encode())
        if self.label and self.label.path.is_file():
            total.update(self.label.key.encode() + self.label.path.read_bytes())
        for change in filter(None, (self.left_out, self.deinterlace)):
            total.update(repr(change).encode())
        return total.hexdigest()[:32]

    def notes(self) -> list[str]:
        notes = [*(video.video_notes(self.path) if self.video else ()), *told_breaks(self.breaks())]
        return [note for note in notes if not (self.deinterlace and note == video.INTERLACED)]

    def moved(self, split: str) -> FileClip:
        return replace(self, split=split)

    def renamed(self, name: str) -> FileClip:
        return replace(self, name=name)


@dataclass(frozen=True)
class Footage:
    """A data set that has been found.

    Attributes:
        root: its folder; None for procedural footage.
        layout: name of its layout.
        editions: the editions of test labels that are there; the first is the default.
        clips: training clips, none of them known to be abnormal, then test clips, each in numerical order.
        aside: what else was found: abnormal training clips, validation clips.
        known: what its data set, or lists in the folder, know of clips by name.
        expected: split -> names of the clips that should be there, where that is known.
        unlisted: names on disk of clips that no list names.
        as_found: what is checked, where a modifier has changed it: all as it was found, or the clips that are kept.
        parts: the data sets that it is joined of.

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
    editions: tuple[str, ...]
    clips: tuple[ClipSource, ...]
    aside: tuple[ClipSource, ...] = ()
    known: tuple[KnownClip, ...] = ()
    expected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    as_found: Footage | None = None
    parts: tuple[Footage, ...] = ()

    @property
    def label_edition(self) -> str:
        """Which test labels are the default ones."""
        return self.editions[0] if self.editions else NO_LABELS

    @property
    def fps(self) -> float:
        """Frames per second: the first clip's where it has a clock, else the catalogue's."""
        clips = [clip for clip in self.clips if isinstance(clip, FileClip)]
        first = next((clip for clip in clips if clip.video), clips[0] if clips else None)
        return first.fps if first and (first.video or first.stamps) else self.dataset.fps

    @property
    def missing(self) -> dict[str, list[int]]:
        """Split -> how many of how many clips are there, where some are missing; of the whole where none is known."""
        names, whole = {clip.name for clip in self.clips}, self.whole
        counts = {split: [len(expected & names), len(expected)] for split, expected in self.expected.items()}
        for split, count in whole.dataset.counts.items():
            moved = sum((clip.split == split) - clip.name.startswith(f"{split}_") for clip in self.clips)
            counts[split] = [moved + sum(one.split == split for one in (*whole.clips, *whole.aside)), moved + count]
        return {split: counted for split, counted in counts.items() if counted[0] < counted[1]}

    @property
    def whole(self) -> Footage:
        """All that was found where this was, whichever clips the modifiers of its name keep."""
        return self.as_found.whole if self.as_found else self

    def split(self, name: str) -> list[ClipSource]:
        """The clips of a split, `"train"` or `"test"`."""
        return [clip for clip in self.clips if clip.split == name]


def without_suffix(name: str) -> str:
    """A video's name, and that of its folder where it has one, without what tells the format.

    Other dots belong to the name.

    Example:
        >>> without_suffix("training/walk.mp4"), without_suffix("walk"), without_suffix("Bad.Boys.1995")
        ('training/walk', 'walk', 'Bad.Boys.1995')
    """
    path = Path(name)
    return (path.with_suffix("") if path.suffix.lower() in VIDEOS else path).as_posix()
