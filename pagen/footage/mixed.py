"""`NAME:mixed`: a data set half of whose test clips lie among its training clips, unlabelled footage with anomalies.

For detectors that learn without knowing what is normal. Training: all training clips, then half of the test clips (the
smaller half), drawn by seed 0 and the data set's name; test: the other test clips. All keep their names and labels;
the labels of those that moved are there for analysis, no training reads them. Figures on the test clips that are left
stand beside no published ones: they are fewer, and the split is ours.
"""

from __future__ import annotations

from dataclasses import replace

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, MIXED
from pagen.footage.clips import Footage
from pagen.seeds import generator


def mixed(footage: Footage) -> Footage:
    """The mixed split of located footage; what is checked remains the footage itself.

    Raises PagenError: fewer than two test clips.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = mixed(locate("street"))
        >>> footage.name, len(footage.split("train")), len(footage.split("test"))
        ('street:mixed', 16, 4)
    """
    tests = footage.split("test")
    if len(tests) < 2:
        raise PagenError(
            f"expected two test clips at least in {footage.name} to mix them, found {len(tests)}; add some"
        )
    name = footage.name + MIXED
    drawn = sorted(generator(0, "mixed", footage.name).permutation(len(tests))[: len(tests) // 2])
    moved = [tests[index].moved("train") for index in drawn]
    left = [clip for index, clip in enumerate(tests) if index not in drawn]
    clips = (*footage.split("train"), *moved, *left)
    return replace(footage, name=name, dataset=DATASETS[name], clips=clips, mixed_from=footage)


def known_normal(footage: Footage) -> frozenset[str]:
    """The training clips that need no labels to be known as normal: all that a data set trains on, mixed ones aside.

    None of footage as it was found: what lies among its training clips, nobody has said.

    Example:
        >>> from pagen.footage.locate import locate
        >>> len(known_normal(mixed(locate("street")))), len(known_normal(locate("street")))
        (12, 0)
    """
    before = footage.mixed_from
    return frozenset(clip.name for clip in before.split("train")) if before else frozenset()
