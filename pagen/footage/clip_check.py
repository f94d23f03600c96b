"""One clip looked at: whether its files are whole, as many as is known, and what its labels say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pagen.errors import PagenError
from pagen.footage import video
from pagen.footage.clips import FileClip
from pagen.footage.frame_files import numbering, pictures
from pagen.footage.known_clips import KnownClip
from pagen.footage.listing import beside

if TYPE_CHECKING:
    from pagen.footage.labels.said import Fitted

T = TypeVar("T")
_CONTAINER_COUNTS = (1, 2)
"""By how many frames containers, and programs that believe them, count more than a decoder gives."""


@dataclass(frozen=True)
class Look:
    """What was found of a clip.

    Attributes:
        length: number of frames; None where nobody counted them.
        labels: edition -> labels, of those that were read.
        problems, notes: what is odd, and what is worth telling, one line each.

    Example:
        >>> from pathlib import Path
        >>> look_at(FileClip("train_a", "train", Path("a"), False, (), None, None), None).problems
        ('expected frames (.jpg .jpeg .png .tif .tiff .bmp .webp .jpe .jfif .jp2 .pgm .ppm .pnm) in a, found none',)
    """

    clip: FileClip
    length: int | None
    labels: Mapping[str, Fitted]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def look_at(clip: FileClip, known: KnownClip | None, decode_all: bool = False) -> Look:
    """Look at the heads of a clip's files and read its default labels, or decode all and read every edition.

    Labels of videos need decoding, since nothing else tells their lengths for sure; so do those that masks tell.

    Example:
        >>> from pathlib import Path
        >>> look_at(FileClip("train_a", "train", Path("a"), False, (), None, None), None).length
        0
    """
    problems, notes = [*(_of_video(clip, known) if clip.video else _of_images(clip, known, decode_all))], list[str]()
    length = None if clip.video else len(clip.files)
    if clip.video and decode_all and not problems:
        length = attempt(problems, _count, clip.frames)
        notes += attempt(problems, clip.notes) or () if length else ()
    elif not clip.video:
        notes += clip.notes()
    if length and known and not known.fits(length):
        _length(clip, known, length, problems, notes)
    if decode_all and length and (clip.video or clip.mask_kind != "images"):
        count = attempt(problems, _count, clip.masks) if clip.has_masks else length
        if count not in (None, length):
            problems.append(f"expected {length} masks, one a frame, found {count}")
    labels = _labels(clip, length, decode_all, problems) if length else {}
    return Look(clip, length, labels, tuple(dict.fromkeys(problems)), tuple(notes))


def attempt(problems: list[str], read: Callable[..., T], *args: Any) -> T | None:
    """What reading gives; None, and one more problem, where it raises PagenError.

    Example:
        >>> problems = []
        >>> attempt(problems, abs, -3), problems
        (3, [])
    """
    try:
        return read(*args)
    except PagenError as error:
        problems.append(str(error))
        return None


def _count(read: Callable[[], Iterator[object] | None]) -> int:
    """How many pictures reading gives, none of which is kept."""
    return sum(1 for _ in read() or ())


def _of_video(clip: FileClip, known: KnownClip | None) -> Iterator[str]:
    problems = list[str]()
    rate = attempt(problems, video.video_rate, clip.path)
    yield from problems
    wanted = known.fps if known else None
    if rate and wanted and not video.one_rate((rate, wanted)):
        yield f"expected {wanted:.4g} frames per second in {clip.path}, found {rate:.4g}; was it encoded anew?"


def _of_images(clip: FileClip, known: KnownClip | None, decode_all: bool) -> Iterator[str]:
    if not clip.files:
        yield f"expected frames ({' '.join(clip.part.images)}) in {clip.path}, found none"
        return
    for second, first in beside([file.name for file in clip.files]).items():
        yield f"expected one file a frame in {clip.path}, found {second} beside {first}, which differs; remove one"
    exact, count = known.exact if known else None, len(clip.files)
    yield from numbering(clip, count if known and _from_container(clip, known, count) else exact)
    yield from pictures(clip, decode_all)


def _from_container(clip: FileClip, known: KnownClip, length: int) -> bool:
    """Whether there are as many frames as containers count; of clips that are videos, or were ones of a known rate."""
    return (clip.video or known.fps is not None) and length - (
        known.most or known.frames or length
    ) in _CONTAINER_COUNTS


def _length(clip: FileClip, known: KnownClip, length: int, problems: list[str], notes: list[str]) -> None:
    """Tell how a length differs from what is known of it."""
    if _from_container(clip, known, length):
        notes.append("as many frames as the container counts, which is more than a decoder gives")
    elif clip.video or known.exact is None:  # the numbers of images have told it
        wanted = f"{known.frames}" if known.exact else f"{known.frames} to {known.most}"
        problems.append(f"expected {wanted} frames in {clip.path}, found {length}")


def _labels(clip: FileClip, length: int, decode_all: bool, problems: list[str]) -> dict[str, Fitted]:
    """Edition -> the clip's labels, but where these are pictures that are not to be decoded."""
    read: dict[str, Fitted] = {}
    for label in (clip.label, *(clip.others if decode_all else ())):
        if label and (decode_all or not label.path.is_dir()):
            edition = label.source.edition
            fitted = attempt(problems, clip.fitted_labels, edition, length)
            read |= {edition: fitted} if fitted else {}
    return read
