"""Whether located footage is whole: every missing or odd thing, one line each, and what else is worth telling."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pagen import console
from pagen.errors import PagenError
from pagen.footage import video
from pagen.footage.clip_check import Look, attempt, look_at
from pagen.footage.clips import FileClip, Footage, without_suffix
from pagen.footage.editions import clamped_of, editions_of, expected_abnormal
from pagen.footage.frame_files import difference, few
from pagen.footage.known_clips import KnownClip, clips_in
from pagen.footage.layout import LABEL_KINDS, LISTED, LabelSource
from pagen.footage.listing import IMAGES, counted, listing, unread
from pagen.footage.other_layouts import other_layouts
from pagen.footage.own import check_command, said_by
from pagen.registry import resolve

PATIENCE = 2.0
"""Seconds after which one wants to see how far reading all files is."""


def check(footage: Footage, decode_all: bool = False, partial: bool = False) -> list[str]:
    """Every missing or odd thing of a data set, one line each.

    Of footage that a modifier of its name has changed, as it was found; of joined data sets, of each.

    With `decode_all` every frame and mask is decoded too, and every edition of labels read; else only the heads of the
    files are read. Where it may be `partial`, missing clips are not odd; what is there is checked as ever.

    Example:
        >>> from pagen.footage.locate import locate
        >>> check(locate("street"))
        []
    """
    return problems_of(footage, looked_at(footage, decode_all), partial)


def require(footage: Footage, partial: bool = False) -> None:
    """Raise PagenError with the first problem that shows without decoding, and how many more there are.

    Where it may be `partial`, missing clips are no problem.

    Example:
        >>> from pagen.footage.locate import locate
        >>> require(locate("street"))
    """
    if problems := check(footage, partial=partial):
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        advice = "" if partial or not footage.missing else "; --partial works on the clips that are there"
        command = check_command(footage.name, None if footage.dataset.root else footage.root)
        raise PagenError(f"{footage.name}: {problems[0]}{more}; '{command}' lists all{advice}")


def looked_at(footage: Footage, decode_all: bool = False) -> list[Look]:
    """A look at every clip that was found, those aside too, of joined data sets all; none of procedural footage.

    Example:
        >>> from pagen.footage.locate import locate
        >>> looked_at(locate("street"))
        []
    """
    footage = footage.as_found or footage
    if footage.parts:
        looks = {look.clip.path: look for part in footage.parts for look in looked_at(part, decode_all)}
        return [*looks.values()]  # parts may share clips
    known = {clip.name: clip for clip in footage.known}
    clips = _file_clips(footage)
    told = console.progress(clips, f"check {footage.name}", len(clips), delay=PATIENCE)
    return [look_at(clip, known.get(clip.name), decode_all) for clip in told]


def _file_clips(footage: Footage) -> list[FileClip]:
    return [clip for clip in (*footage.clips, *footage.aside) if isinstance(clip, FileClip)]


def problems_of(footage: Footage, looks: Sequence[Look], partial: bool = False) -> list[str]:
    """Every missing or odd thing, by what was looked at.

    Example:
        >>> from pagen.footage.locate import locate
        >>> problems_of(locate("street"), [])
        []
    """
    footage = footage.as_found or footage
    if footage.parts:
        pairs = [(part, _looks_of(part, looks)) for part in footage.parts]
        return [f"{part.name}: {problem}" for part, own in pairs for problem in problems_of(part, own, partial)]
    if not looks:
        return []
    clips, known = [look.clip for look in looks], {clip.name: clip for clip in footage.known}
    own = [f"{look.clip.name}: {problem}" for look in looks for problem in look.problems]
    return [*_clip_names(footage, clips, partial), *own, *_rates(clips, known), *_labels(footage, looks)]


def _looks_of(part: Footage, looks: Sequence[Look]) -> list[Look]:
    """The looks at the clips of one of several data sets."""
    paths = {clip.path for clip in (*part.clips, *part.aside) if isinstance(clip, FileClip)}
    return [look for look in looks if look.clip.path in paths]


def notes_of(footage: Footage, looks: Sequence[Look]) -> list[str]:
    """What is worth telling of footage that may be whole: what is not read, and counts and labels that are not exact.

    Example:
        >>> from pagen.footage.locate import locate
        >>> notes_of(locate("street"), [])
        []
    """
    footage = footage.as_found or footage
    lines = [
        f"{found} of {expected} {split} clips are there{'' if found else _looked_for(footage, split)}"
        for split, (found, expected) in footage.missing.items()
    ]
    if names := footage.unlisted:
        lines.append(f"{len(names)} clips are not read, since no list names them: {few(names)}")
    lines += [f"not read: {what}" for what in other_layouts(footage)]
    counted = Counter(note for look in looks for note in look.notes)
    for note in counted:
        lines.append(f"{note}: {few([look.clip.name for look in looks if note in look.notes])}")
    return [*lines, *clamped_of(footage, looks), *_unread(footage)]


def _unread(footage: Footage) -> Iterator[str]:
    """What lies in the folders that hold clips, frames or masks, and is not read, be it by the whole of a part."""
    clips, everything = _file_clips(footage), _file_clips(footage.whole)
    masks = {folder for clip in clips for folder in {file.parent for file in clip.mask_files or ()}}
    labels = {label.path for clip in everything for label in (clip.label, *clip.others) if label}
    read = {path for clip in everything for path in (clip.path, *(clip.mask_files or ()), *_maps(clip))}
    read |= masks | labels
    read |= {above for path in (*read,) for above in path.parents}
    folders = dict.fromkeys(clip.path.parent for clip in clips)
    left = [path for folder in folders for path in unread(folder, ())]
    left = [path for path in left if without_suffix(path.name) not in footage.unlisted]
    for clip in clips:
        left += [] if clip.video else unread(clip.path, {file.name for file in clip.files})
    left += [path for folder in masks - {*folders} for path in unread(folder, ())]
    if left := [path for path in left if path not in read]:
        yield f"not read: {counted(left, footage.root or Path())}"


def _maps(clip: FileClip) -> tuple[Path, ...]:
    """The pictures of objects beside the tracks of a clip, where its masks are made of both."""
    return listing(clip.mask_files[0].parent, IMAGES) if clip.mask_kind == "objects" and clip.mask_files else ()


def _looked_for(footage: Footage, split: str) -> str:
    """Where the clips of a split would be, as the end of a line."""
    layouts = [layout for layout in footage.dataset.layouts if layout.name == footage.layout]
    parts = [part for layout in layouts for part in layout.parts if part.split in (split, LISTED)]
    folders = dict.fromkeys(folder for part in parts for folder in part.folders)
    return f": none in {' or '.join(folders)}" if folders else ""


def _clip_names(footage: Footage, clips: Sequence[FileClip], partial: bool) -> Iterator[str]:
    """Clips that are missing, not known, or there twice."""
    for split in dict.fromkeys(known.split for known in footage.known):
        names = [clip.name for clip in clips if clip.split == split]
        expected = [known.name for known in footage.known if known.split == split]
        expected = [name for name in expected if name in names] if partial else expected
        if set(names) != set(expected):
            unlike = difference(names, expected)
            yield f"expected {len(expected)} {split} clips in {footage.root}, found {len(set(names))}{unlike}"
    for split, count in footage.whole.dataset.counts.items() if footage is footage.whole else ():
        found = sum(clip.split == split for clip in clips)
        if found != count and not (partial and found < count):
            yield f"expected {count} {split} clips in {footage.root}, found {found}"
    for name, count in Counter(clip.name for clip in clips).items():
        if count > 1:
            paths = ", ".join(str(clip.path) for clip in clips if clip.name == name)
            yield f"expected one clip of the name {name}, found {count}: {paths}; rename or remove all but one"


def _rates(clips: Sequence[FileClip], known: Mapping[str, KnownClip]) -> Iterator[str]:
    """Videos of different frame rates, but where these are known; a window would last longer in some than in others."""
    videos = [clip for clip in clips if clip.video and not (clip.name in known and known[clip.name].fps)]
    found = {clip.name: attempt([], video.video_rate, clip.path) for clip in videos}
    rates = {name: rate for name, rate in found.items() if rate}
    if not video.one_rate(rates.values()):
        slow, fast = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
        yield (
            f"expected videos of one frame rate, found {rates[slow]:.4g} ({slow}) and {rates[fast]:.4g} ({fast}) "
            "frames per second; encode them alike"
        )


def _labels(footage: Footage, looks: Sequence[Look]) -> Iterator[str]:
    """Labels that are missing, name strangers, or are another edition than they should be."""
    tests = [look.clip for look in looks if look.clip.split == "test"]
    without = [look.clip for look in looks if look.clip.split == "test" and _is_unlabelled(look)]
    if expected_abnormal(footage.whole, footage.label_edition) is None:
        without = [clip for clip in without if clip.abnormal and footage.editions]
    if without:
        yield f"expected labels of all test clips, found none for {few([clip.name for clip in without])}"
    layouts = [layout for layout in footage.dataset.layouts if layout.name == footage.layout]
    for source in (source for layout in layouts for source in layout.labels if source.promised):
        if tests and source.edition not in footage.editions:
            said = said_by(footage.dataset.name)
            yield f"expected labels in {source.path} below {footage.root}, as {said} says, found none; mend that"
    yield from _strangers(footage.whole, [look.clip for look in looks])
    whole = len(tests) == clips_in(footage.known, "test")
    for edition in editions_of(footage, looks) if whole else ():
        if edition.expected not in (None, edition.abnormal) and edition.clips == len(tests):
            found = f"{edition.abnormal} ({edition.name})"
            yield f"expected {edition.expected} abnormal test frames, found {found}; an old file?"


def _is_unlabelled(look: Look) -> bool:
    """Whether a clip has no labels, or a file of all clips was read which does not name it."""
    label = look.clip.label
    named = LABEL_KINDS[label.source.kind].names if label else None
    return label is None or bool(
        named and look.length and not look.problems and label.source.edition not in look.labels
    )


def _strangers(footage: Footage, clips: Sequence[FileClip]) -> Iterator[str]:
    """Clips that a label file names and nobody knows; a slip of the pen would leave a clip unlabelled."""
    sources = {(clip.label.source.kind, clip.label.path): clip.label.source for clip in clips if clip.label}
    own = {clip.label.key for clip in _file_clips(footage) if clip.label}
    for kind, path in sorted(sources):
        reference, names = LABEL_KINDS[kind].names, own | _known_to(footage, sources[kind, path])
        named = attempt([], resolve(reference), path) if reference else None
        strange = [name for name in named or () if not names & {name, without_suffix(name)}]
        strange = [name for name in strange if not _may_be_missing(footage, without_suffix(name))]
        if strange:
            some = len(strange) < len(set(named or ()))
            advice = "mend the name, or leave it out" if some else "is it another set's? put this one's own there"
            found = f"{few(strange)}, of which there is no clip; {advice}"
            yield f"expected labels of clips that are there in {path}, found {found}"


def _known_to(footage: Footage, source: LabelSource) -> set[str]:
    """What known clips are called in a file of labels, those of training where it is one of theirs, too."""
    layouts = [layout for layout in footage.dataset.layouts if layout.name == footage.layout]
    trains = any(source.path == other.path for layout in layouts for other in layout.train_labels)
    known = [clip.clip for clip in footage.known if trains or clip.split != "train"]
    return {name for clip in known for name in (clip, clip.lstrip("0"))}


def _may_be_missing(footage: Footage, name: str) -> bool:
    """Whether a name is that of a test clip which is not there, of a data set whose clips are counted and not known."""
    layouts = [layout for layout in footage.dataset.layouts if layout.name == footage.layout]
    parts = [part for layout in layouts for part in layout.parts if part.split == "test"]
    counted = "test" in footage.dataset.counts and "test" in footage.missing
    return counted and any(re.fullmatch(part.clip, name) for part in parts)
