"""Modifiers of names, `NAME:MODIFIER`: the same footage with other clips in its splits, or de-interlaced.

All clips keep their names, labels and masks; what is checked remains the footage as it was found, of a name that keeps
some clips these alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, MODIFIERS, WITHOUT, Interval, Subset
from pagen.footage.clips import ClipSource, FileClip, Footage
from pagen.footage.known_clips import KnownClip
from pagen.footage.layout import Part
from pagen.registry import resolve

Belongs = Callable[[str, str], bool]
"""Whether a clip is kept, by its name and its scene."""


def modified(footage: Footage, modifier: str) -> Footage:
    """Footage under its name with a modifier that the row takes.

    Raises PagenError: nothing is there for the modifier to change or to keep.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = modified(locate("street"), "mixed")
        >>> footage.name, len(footage.split("train")), len(footage.split("test"))
        ('street:mixed', 16, 4)
    """
    row, name, found = footage.dataset, f"{footage.name}:{modifier}", footage.as_found or footage
    if modifier in MODIFIERS:
        changed: Footage = resolve(MODIFIERS[modifier].changed)(footage)
    else:
        subset = row.subsets.get(modifier)
        belongs = _of_subset(subset) if subset else _of_scene(modifier)
        changed, found = _kept(footage, belongs), _part(found, belongs)
        if subset:
            changed = _without_frames(changed, subset)
        else:
            _require_tests(changed, modifier, footage)
    return replace(changed, name=name, dataset=DATASETS[name], as_found=found)


def with_abnormal(footage: Footage) -> Footage:
    """Abnormal training clips behind the normal ones. Raises PagenError where there are none.

    Example:
        >>> from pagen.footage.locate import locate
        >>> with_abnormal(locate("street"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected abnormal training clips in street, found none; name it without the modifier
    """
    return _brought_in(footage, "abnormal training clips", "train", "train", footage.split("test"))


def on_validation(footage: Footage) -> Footage:
    """The validation clips in place of the test clips. Raises PagenError where there are none.

    Example:
        >>> from pagen.footage.locate import locate
        >>> on_validation(locate("street"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected validation clips in street, found none; name it without the modifier
    """
    return _brought_in(footage, "validation clips", "validation", "test")


def _brought_in(footage: Footage, what: str, split: str, into: str, behind: Sequence[ClipSource] = ()) -> Footage:
    """Training clips, then those of a split that lie aside, brought into another, then those `behind` them."""
    brought = [clip.moved(into) for clip in footage.aside if clip.split == split]
    _require(brought, what, footage)
    clips = (*footage.split("train"), *brought, *behind)
    aside = tuple(clip for clip in footage.aside if clip.split != split)
    known = frozenset(clip.name for clip in footage.known if clip.split == split)
    return replace(footage, clips=clips, aside=aside, expected={**footage.expected, into: known})


def without_combs(footage: Footage) -> Footage:
    """The clips with interlaced frames of videos de-interlaced. Raises PagenError where none is a video.

    Example:
        >>> from pagen.footage.locate import locate
        >>> without_combs(locate("street"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected videos in street, found none; name it without the modifier
    """
    _require([clip for clip in footage.clips if isinstance(clip, FileClip) and clip.video], "videos", footage)
    clips, aside = (tuple(map(_deinterlaced, part)) for part in (footage.clips, footage.aside))
    return replace(footage, clips=clips, aside=aside)


def _deinterlaced(clip: ClipSource) -> ClipSource:
    return replace(clip, deinterlace=True) if isinstance(clip, FileClip) and clip.video else clip


def _of_subset(wanted: Subset) -> Belongs:
    """All but some test clips; training clips are the same."""
    without = {f"test_{clip}" for clip in wanted.without}
    return lambda name, scene: name not in without


def _of_scene(modifier: str) -> Belongs:
    """The clips of a scene alone, or all others."""
    scene, others = modifier.removeprefix(WITHOUT), modifier.startswith(WITHOUT)
    return lambda name, own: (own == scene) is not others


def _require_tests(kept: Footage, modifier: str, footage: Footage) -> None:
    """Raise PagenError where no test clip is left of the scenes."""
    scene, others = modifier.removeprefix(WITHOUT), modifier.startswith(WITHOUT)
    _require(kept.split("test"), f"test clips {'without' if others else 'of'} scene {scene}", footage)


def _part(found: Footage, belongs: Belongs) -> Footage:
    """What is checked of a part: its own clips. The totals of a whole of which it is less are not asked of it."""
    part = _kept(found, belongs)
    less = (part.clips, part.aside, part.known) != (found.clips, found.aside, found.known)
    return replace(part, as_found=found.whole) if less else found


def _without_frames(footage: Footage, wanted: Subset) -> Footage:
    """The footage with those frames left out that count in no figure of a subset."""
    left_out = {f"test_{clip}": frames for clip, frames in wanted.left_out.items()}
    return replace(footage, clips=tuple(_less(clip, left_out) for clip in footage.clips))


def _less(clip: ClipSource, left_out: Mapping[str, tuple[Interval, ...]]) -> ClipSource:
    frames = left_out.get(clip.name)
    return replace(clip, left_out=frames) if frames and isinstance(clip, FileClip) else clip


def _kept(footage: Footage, belongs: Belongs) -> Footage:
    """The footage with those clips alone, found and known, that belong to it by name and scene."""
    parts = [part for layout in footage.dataset.layouts if layout.name == footage.layout for part in layout.parts]
    known = tuple(clip for clip in footage.known if belongs(clip.name, _scene_of(clip, parts)))
    names = {clip.name for clip in known}
    clips, aside = (
        tuple(clip for clip in part if belongs(clip.name, clip.scene)) for part in (footage.clips, footage.aside)
    )
    expected = {split: expected & names for split, expected in footage.expected.items()}
    return replace(footage, clips=clips, aside=aside, known=known, expected=expected)


def _scene_of(clip: KnownClip, parts: Sequence[Part]) -> str:
    """The scene in the name of a clip, which need not be there; empty where names tell none."""
    matches = [match for part in parts if (match := re.fullmatch(part.clip, clip.clip))]
    return next((match["scene"] for match in matches if match.groupdict().get("scene")), "")


def _require(clips: Sequence[ClipSource], what: str, footage: Footage) -> None:
    if not clips:
        place = f" ({footage.root})" if footage.root else ""
        raise PagenError(f"expected {what} in {footage.name}{place}, found none; name it without the modifier")
