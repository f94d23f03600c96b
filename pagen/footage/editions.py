"""Editions of labels beside each other: how many frames each calls abnormal, where they differ, what did not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pagen.footage.clip_check import Look
from pagen.footage.clips import Footage
from pagen.footage.frame_files import few

SHOWN = 8
"""Clips that a line names at most."""


@dataclass(frozen=True)
class Edition:
    """What labels of one edition say of the test clips that were looked at.

    Attributes:
        clips: number of clips that it labels.
        abnormal: number of abnormal frames.
        expected: number of abnormal frames that it should have; None where any will do.
        differs: clip -> number of frames in which it differs from the first edition.

    Example:
        >>> Edition("gt", 21, 3867, 3867, {"test_02": 50}).line("volLabel")
        'gt: 3,867 abnormal frames in 21 clips; 50 differ from volLabel, in 1 clip: test_02'
    """

    name: str
    clips: int
    abnormal: int
    expected: int | None
    differs: Mapping[str, int]

    def line(self, first: str) -> str:
        """That as one line of text; `first` is the edition that it is compared with."""
        line = f"{self.name}: {self.abnormal:,} abnormal frames in {_clips(self.clips)}"
        if self.name == first:
            return line
        frames, where = sum(self.differs.values()), f", in {_clips(len(self.differs))}: {few([*self.differs])}"
        return f"{line}; {frames:,} differ from {first}{where if self.differs else ''}"


def editions_of(footage: Footage, looks: Sequence[Look]) -> list[Edition]:
    """Every edition of labels that is there, the default first.

    Example:
        >>> from pagen.footage.locate import locate
        >>> [edition.name for edition in editions_of(locate("street"), [])]
        ['procedural']
    """
    tests = [look for look in looks if look.clip.split == "test"]
    return [_edition(footage, name, tests) for name in footage.editions]


def _edition(footage: Footage, name: str, tests: Sequence[Look]) -> Edition:
    first = footage.label_edition
    labels = {look.clip.name: look.labels[name].labels for look in tests if name in look.labels}
    others = {look.clip.name: look.labels[first].labels for look in tests if first in look.labels}
    differs = {clip: int((marks != others[clip]).sum()) for clip, marks in labels.items() if clip in others}
    abnormal = sum(int((marks == 1).sum()) for marks in labels.values())
    differing = {clip: count for clip, count in differs.items() if count}
    return Edition(name, len(labels), abnormal, expected_abnormal(footage, name), differing)


def expected_abnormal(footage: Footage, edition: str) -> int | None:
    """The number of abnormal test frames that an edition should have; None where any will do.

    Nobody knows it of the clips or frames that a modifier of the name keeps.

    Example:
        >>> from pagen.footage.locate import locate
        >>> expected_abnormal(locate("street"), "procedural") is None
        True
    """
    if footage.as_found:
        return None
    sources = [source for layout in footage.dataset.layouts for source in layout.labels]
    own = [source.abnormal for source in sources if source.edition == edition and source.abnormal]
    return own[0] if own else footage.dataset.abnormal


def told(surplus: Mapping[str, int]) -> str:
    """In a line, which clips' labels were made to fit, by the surplus of each; empty where all did fit.

    Example:
        >>> told({"test_01": 2, "test_02": 0, "test_03": -1})
        'test_01: 2 beyond its end cut off; test_03: 1 short, which goes on with the last'
    """
    clips = [
        f"{name}: {count} beyond its end cut off"
        if count > 0
        else f"{name}: {-count} short, which goes on with the last"
        for name, count in surplus.items()
        if count
    ]
    return "; ".join(clips[:SHOWN]) + (f"; and {len(clips) - SHOWN} more clips" if clips[SHOWN:] else "")


def clamped_of(footage: Footage, looks: Iterable[Look]) -> list[str]:
    """`told` for every edition of labels that were looked at.

    Example:
        >>> from pagen.footage.locate import locate
        >>> clamped_of(locate("street"), [])
        []
    """
    read = list(looks)
    found = [
        ({look.clip.name: look.labels[edition].surplus for look in read if edition in look.labels}, edition)
        for edition in footage.editions
    ]
    return [f"labels {edition} made to fit: {line}" for surplus, edition in found if (line := told(surplus))]


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"
