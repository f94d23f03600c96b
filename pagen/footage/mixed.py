"""`NAME:mixed`: a data set half of whose test clips lie among its training clips, unlabelled footage with anomalies.

For detectors that learn without knowing what is normal. Training: all training clips, then half of the test clips (the
smaller half), drawn by seed 0 and the data set's name; test: the other test clips. All keep their names and labels;
the labels of those that moved are there for analysis, no training reads them. Figures on the test clips that are left
stand beside no published ones: they are fewer, and the split is ours.
"""

from __future__ import annotations

from dataclasses import replace

from pagen.errors import PagenError
from pagen.footage.clips import Footage
from pagen.seeds import generator


def mixed(footage: Footage) -> Footage:
    """The mixed split of located footage.

    Raises PagenError: fewer than two test clips.

    Example:
        >>> from pagen.footage.locate import locate
        >>> footage = mixed(locate("street"))
        >>> len(footage.split("train")), len(footage.split("test"))
        (16, 4)
    """
    tests = footage.split("test")
    if len(tests) < 2:
        raise PagenError(
            f"expected two test clips at least in {footage.name} to mix them, found {len(tests)}; add some"
        )
    drawn = sorted(generator(0, "mixed", footage.name).permutation(len(tests))[: len(tests) // 2])
    moved = [tests[index].moved("train") for index in drawn]
    left = [clip for index, clip in enumerate(tests) if index not in drawn]
    names = frozenset(clip.name for clip in moved)
    expected = {
        split: before | names if split == "train" else before - names for split, before in footage.expected.items()
    }
    return replace(footage, clips=(*footage.split("train"), *moved, *left), expected=expected)


def known_normal(footage: Footage) -> frozenset[str]:
    """The training clips that need no labels to be known as normal: by lists, or since a modifier moved the others in.

    None other of footage as it was found: what lies among its training clips, nobody has said.

    Example:
        >>> from pagen.footage.locate import locate
        >>> len(known_normal(locate("street:mixed"))), len(known_normal(locate("street")))
        (12, 0)
    """
    before = footage.as_found.split("train") if footage.as_found else []
    listed = [clip for clip in footage.split("train") if clip.abnormal is False]
    return frozenset(clip.name for clip in (*before, *listed))
