"""From what lies in a folder to clips: which split each belongs to, what is known of it, where labels and masks are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pagen.errors import PagenError
from pagen.footage.catalogue import DataSet
from pagen.footage.clip_labels import ClipLabels
from pagen.footage.clips import FileClip, without_suffix
from pagen.footage.known_clips import KnownClip
from pagen.footage.labels.name_list import names_in_list
from pagen.footage.layout import LABEL_KINDS, LISTED, LabelSource, MaskSource, Part
from pagen.footage.listing import IMAGES, listing
from pagen.footage.location import Entry, Location
from pagen.registry import resolve


@dataclass(frozen=True)
class Found:
    """What lies in a folder.

    Attributes:
        clips: of every split, each in numerical order.
        known: what the data set, or lists in the folder, know of clips by name.
        editions: those of the labels of test and validation clips.
        unlisted: names on disk of clips that no list names.

    Example:
        >>> Found((), (), editions=("volLabel",), unlisted=()).editions
        ('volLabel',)
    """

    clips: tuple[FileClip, ...]
    known: tuple[KnownClip, ...]
    editions: tuple[str, ...]
    unlisted: tuple[str, ...]


def found_clips(dataset: DataSet, location: Location) -> Found:
    """The clips of a data set in a folder. Raises PagenError where no list tells the splits of what lies together.

    Example:
        >>> import tempfile
        >>> from pagen.footage.catalogue import DATASETS
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Path(root, "testing/walk").mkdir(parents=True)
        ...     folder = DATASETS["folder"]
        ...     [clip.name for clip in found_clips(folder, Location(Path(root), folder.layouts[0])).clips]
        ['test_walk']
    """
    known = dataset.known_clips or _from_lists(location)
    tables = {clip.name: clip for clip in known}, {clip.clip: clip for clip in known}
    layout, told, unlisted = location.layout, dict[Entry, KnownClip](), list[str]()
    for entry in (entry for part in layout.parts for entry in location.entries(part)):
        if clip := _told(entry, *tables):
            told[entry] = clip
        else:
            unlisted.append(entry.stem)
    training, tests = ([entry for entry in told if (told[entry].split == "train") is train] for train in (True, False))
    labels = _Labels(layout.train_labels, training, only_named=True), _Labels(layout.labels, tests, only_named=False)
    # one set of masks for all clips: two sets that disagree must not stand side by side
    masks = next((one for one in layout.masks if any(entry.place(one.path).exists() for entry in tests)), None)
    clips = [
        _clip(dataset, masks, entry, told[entry], labels_of)
        for entries, labels_of in zip((training, tests), labels, strict=True)
        for entry in entries
    ]
    return Found(tuple(clips), known, labels[1].editions, tuple(unlisted))


def _from_lists(location: Location) -> tuple[KnownClip, ...]:
    """What lists in the folder say of clips, where the layout has any."""
    layout, root = location.layout, location.root
    there = [one for one in layout.lists if (root / one.path).is_file()]
    if any(part.split == LISTED for part in layout.parts) and not there:
        wanted = " or ".join(one.path for one in layout.lists)
        raise PagenError(f"expected lists that tell the splits ({wanted}) in {root}, found none; put them there")
    clips = (
        KnownClip(one.split, clip, abnormal=one.abnormal) for one in there for clip in names_in_list(root / one.path)
    )
    return tuple(_by_its_name(clip, layout.parts) for clip in clips)


def _by_its_name(clip: KnownClip, parts: Sequence[Part]) -> KnownClip:
    """A clip of which no list tells whether it is abnormal, with what its name tells of that in a part."""
    matches = [match for part in parts if (match := re.fullmatch(part.clip, clip.clip))]
    told = [match["abnormal"] is not None for match in matches if "abnormal" in match.groupdict()]
    return replace(clip, abnormal=told[0]) if clip.abnormal is None and told else clip


def _told(entry: Entry, by_name: Mapping[str, KnownClip], by_clip: Mapping[str, KnownClip]) -> KnownClip | None:
    """What is known of a clip on disk; None where its part has several splits, and no list names it."""
    split = entry.part.split
    clip = by_clip.get(entry.clip) if split == LISTED else by_name.get(f"{split}_{entry.clip}")
    if clip is None:
        if split == LISTED:
            return None
        clip = KnownClip(split, entry.clip)
    if clip.abnormal is None and "abnormal" in entry.groups:
        clip = replace(clip, abnormal=entry.groups["abnormal"] is not None)
    return clip


class _Labels:
    """Where the labels of one side of a layout are: of its training clips, or of all others.

    Where `only_named`, a file of all clips counts for those alone that it names.
    """

    def __init__(self, sources: Sequence[LabelSource], entries: Sequence[Entry], only_named: bool) -> None:
        self._only_named = only_named
        self._held = dict[tuple[LabelSource, Path], bool]()
        self._named = dict[Path, set[str]]()
        there = [source for source in sources if any(self._has(source, entry) for entry in entries)]
        named = [source for source in there if not source.stands_in] or there
        self.editions = tuple(dict.fromkeys(source.edition for source in named))
        self.sources = [source for source in there if source.edition in self.editions]

    def of(self, entry: Entry, normal: bool) -> dict[str, ClipLabels]:
        """Edition -> where the clip's labels are; one known to be `normal` needs no file of its own for that."""
        found = dict[str, ClipLabels]()
        for source in self.sources:
            if source.edition not in found and self._has(source, entry):
                found[source.edition] = self._place(source, entry)
        for source in self.sources if normal else ():
            found.setdefault(source.edition, self._place(source, entry))
        return found

    @staticmethod
    def _place(source: LabelSource, entry: Entry) -> ClipLabels:
        return ClipLabels(source, entry.place(source.path), source.key.format(**entry.fields))

    def _has(self, source: LabelSource, entry: Entry) -> bool:
        label, names = self._place(source, entry), LABEL_KINDS[source.kind].names
        if (source, label.path) not in self._held:
            holds = LABEL_KINDS[source.kind].holds
            self._held[source, label.path] = label.path.exists() and (not holds or resolve(holds)(label.path))
        if not (self._held[source, label.path] and self._only_named and names):
            return self._held[source, label.path]
        if label.path not in self._named:
            self._named[label.path] = _names(names, label.path)
        return label.key in self._named[label.path]


def _names(names: str, path: Path) -> set[str]:
    """What a file of labels names, without what tells the format."""
    try:
        return set(map(without_suffix, resolve(names)(path)))
    except PagenError:  # the check of the footage says what is wrong with the file
        return set()


def _clip(dataset: DataSet, masks: MaskSource | None, entry: Entry, known: KnownClip, labels: _Labels) -> FileClip:
    mask = masks if masks and known.split != "train" and entry.place(masks.path).exists() else None
    found = labels.of(entry, normal=known.abnormal is False)
    default = next(iter(found if known.split == "train" else labels.editions), "")  # no edition is chosen to train by
    return FileClip(
        name=f"{known.split}_{entry.clip}",
        split=known.split,
        path=entry.path,
        video=entry.video,
        files=() if entry.video else listing(entry.path, entry.part.images),
        mask_files=_files(entry.place(mask.path)) if mask else None,
        label=found.get(default),
        others=tuple(found[edition] for edition in labels.editions if edition in found and edition != default),
        mask_kind=mask.kind if mask else "images",
        abnormal=known.abnormal,
        scene=entry.fields["scene"],
        rate=known.fps or dataset.fps,
        part=entry.part,
    )


def _files(path: Path) -> tuple[Path, ...]:
    return listing(path, IMAGES) if path.is_dir() else (path,)
