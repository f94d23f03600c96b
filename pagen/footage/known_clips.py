"""What a row of the catalogue knows of each clip by name: its split, length, frame rate, whether it is abnormal.

Rows of numbered clips say lengths in short; others have a table `known/NAME.csv` in the package.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

COLUMNS = ("split", "clip", "frames", "most", "fps", "abnormal")


@dataclass(frozen=True)
class KnownClip:
    """What is known of a clip; None where it is not.

    Example:
        >>> clip = KnownClip("train", "01_002", frames=760, most=775, fps=24)
        >>> clip.name, clip.fits(764), clip.fits(776), clip.exact
        ('train_01_002', True, False, None)
    """

    split: str
    """`train`, `validation` or `test`."""
    clip: str
    """Its name on disk; its number, of two digits at least, where clips are counted."""
    frames: int | None = None
    """Number of frames, or the least where `most` is given."""
    most: int | None = None
    """The most frames, where only bounds are known."""
    fps: float | None = None
    abnormal: bool | None = None
    """Whether it is an abnormal clip by the lists."""

    @property
    def name(self) -> str:
        """The clip's name in pagen."""
        return f"{self.split}_{self.clip}"

    @property
    def exact(self) -> int | None:
        """Number of frames, where more than bounds are known."""
        return None if self.most else self.frames

    def fits(self, length: int) -> bool:
        """Whether a clip of so many frames may be this one."""
        return self.frames is None or self.frames <= length <= (self.most or self.frames)


def numbered(split: str, lengths: Sequence[int]) -> tuple[KnownClip, ...]:
    """Clips that are counted from 1, by their lengths.

    Example:
        >>> numbered("test", (180, 120))[1].name
        'test_02'
    """
    return tuple(KnownClip(split, f"{number:02d}", length) for number, length in enumerate(lengths, 1))


def clips_in(known: Sequence[KnownClip], split: str) -> int:
    """How many clips a split has.

    Example:
        >>> clips_in(numbered("test", (180, 120)), "train")
        0
    """
    return sum(clip.split == split for clip in known)


def frames_in(known: Sequence[KnownClip], split: str) -> int | None:
    """How many frames a split has; None where the length of a clip is not known, or no clip is.

    Example:
        >>> frames_in(numbered("test", (180, 120)), "test")
        300
    """
    lengths = [clip.exact for clip in known if clip.split == split]
    return None if None in lengths or not lengths else sum(length or 0 for length in lengths)


@cache
def read_known(name: str) -> tuple[KnownClip, ...]:
    """The clips of the package's table of that name, in its order.

    Example:
        >>> read_known("avenue")[0].name, frames_in(read_known("avenue"), "test")
        ('train_01', 15324)
    """
    text = (files("pagen.footage") / f"known/{name}.csv").read_text(encoding="utf-8")
    return tuple(map(_known_clip, csv.DictReader(text.splitlines())))


def _known_clip(row: dict[str, str]) -> KnownClip:
    frames, most = (int(row[column]) if row[column] else None for column in ("frames", "most"))
    fps, abnormal = (float(row["fps"]) if row["fps"] else None), {"1": True, "0": False, "": None}[row["abnormal"]]
    return KnownClip(row["split"], row["clip"], frames, most, fps, abnormal)
