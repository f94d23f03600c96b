"""Modifiers of names, `NAME:MODIFIER`: the same footage with other clips in its splits.

All clips keep their names, labels and masks; what is checked remains the footage as it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, MODIFIERS, WITHOUT, Subset
from pagen.footage.clips import ClipSource, FileClip, Footage
from pagen.registry import resolve


def modified(footage: Footage, modifier: str) -> Footage:
    """Footage under its name with a modifier that the row takes.

    Raises PagenError: nothing is there for the modifier to change or to keep.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = modified(locate("street"), "mixed")
        >>> footage.name, len(footage.split("train")), len(footage.split("test"))
        ('street:mixed', 16, 4)
    """
    row, name = footage.dataset, f"{footage.name}:{modifier}"
    if modifier in MODIFIERS:
        changed: Footage = resolve(MODIFIERS[modifier].changed)(footage)
    elif modifier in row.subsets:
        changed = _subset(footage, row.subsets[modifier])
    else:
        changed = _in_scene(footage, modifier)
    return replace(changed, name=name, dataset=DATASETS[name], known=(), as_found=footage.as_found or footage)


def with_abnormal(footage: Footage) -> Footage:
    """Abnormal training clips behind the normal ones. Raises PagenError where there are none.

    Example:
        >>> from pagen.footage.locate import locate
        >>> with_abnormal(locate("street"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected abnormal training clips in street, found none; name it without the modifier
    """
    abnormal = [clip for clip in footage.aside if clip.split == "train"]
    _require(abnormal, "abnormal training clips", footage)
    rest = tuple(clip for clip in footage.aside if clip not in abnormal)
    return replace(footage, clips=(*footage.split("train"), *abnormal, *footage.split("test")), aside=rest)


def on_validation(footage: Footage) -> Footage:
    """The validation clips as test clips, which are left out. Raises PagenError where there are none.

    Example:
        >>> from pagen.footage.locate import locate
        >>> on_validation(locate("street"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected validation clips in street, found none; name it without the modifier
    """
    clips = [clip for clip in footage.aside if clip.split == "validation"]
    _require(clips, "validation clips", footage)
    rest = tuple(clip for clip in footage.aside if clip not in clips)
    return replace(footage, clips=(*footage.split("train"), *(clip.moved("test") for clip in clips)), aside=rest)


def _subset(footage: Footage, wanted: Subset) -> Footage:
    """Some test clips, or some of their frames; training clips are the same."""
    without = {f"test_{clip}" for clip in wanted.without}
    left_out = {f"test_{clip}": frames for clip, frames in wanted.left_out.items()}
    kept = [clip for clip in footage.clips if clip.name not in without]
    clips = tuple(
        replace(clip, left_out=left_out[clip.name]) if isinstance(clip, FileClip) and clip.name in left_out else clip
        for clip in kept
    )
    return replace(footage, clips=clips)


def _in_scene(footage: Footage, modifier: str) -> Footage:
    """The clips of a scene alone, or all others. Raises PagenError where no test clip is left."""
    scene, others = modifier.removeprefix(WITHOUT), modifier.startswith(WITHOUT)
    clips, aside = (_of_scene(part, scene, others) for part in (footage.clips, footage.aside))
    _require(
        [clip for clip in clips if clip.split == "test"],
        f"test clips {'without' if others else 'of'} scene {scene}",
        footage,
    )
    return replace(footage, clips=clips, aside=aside)


def _of_scene(clips: Iterable[ClipSource], scene: str, others: bool) -> tuple[ClipSource, ...]:
    return tuple(clip for clip in clips if (clip.scene == scene) is not others)


def _require(clips: Sequence[ClipSource], what: str, footage: Footage) -> None:
    if not clips:
        place = f" ({footage.root})" if footage.root else ""
        raise PagenError(f"expected {what} in {footage.name}{place}, found none; name it without the modifier")
