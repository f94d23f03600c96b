"""Which kind of anomaly an abnormal frame shows: cyclist, cart, fall and so on, where that is known.

A row of the catalogue names a function that knows (`DataSet.kinds`). Where none is named, an anomaly is called by its
clip. Labels decide which frames are abnormal; kinds only tell these apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.footage.catalogue import DATASETS
from pagen.registry import resolve

Interval = tuple[int, int]
"""The first frame, and the one after the last."""
Kinds = Mapping[str, tuple[Interval, ...]]
"""Kind of anomaly -> when it is seen in a clip."""
NORMAL, UNNAMED = "", "other"
"""The kind of a normal frame, and of an abnormal one in which no known kind is seen."""
TOGETHER = " + "
"""Stands between the kinds of a frame that shows several."""

_WHOLE = ((0, 10**6),)
_PED2: dict[str, Kinds] = {
    "test_04": {"cart": ((30, 180),), "cyclist": ((120, 180),)},
    "test_07": {"cyclist": ((45, 180),), "skater": ((57, 180),)},
    "test_08": {"cyclist": ((0, 180),), "skater": ((25, 180),)},
    "test_11": {"cyclist": ((0, 180),), "skater": ((0, 129),)},
    "test_12": {"skater": _WHOLE},
}


def ped2_kinds(clip: str) -> Kinds:
    """What rides through a test clip of UCSD Ped2, and when, as one sees inside of the pixel masks.

    The number of masked things changes where somebody comes or leaves; all of these frames were looked at.

    Example:
        >>> ped2_kinds("test_04")
        {'cart': ((30, 180),), 'cyclist': ((120, 180),)}
    """
    return _PED2.get(clip, {"cyclist": _WHOLE})


def kinds_of(dataset: str, labels: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[np.str_]]:
    """Test clip -> the kind (T,) of anomaly that each frame shows, `NORMAL` where it shows none, by its labels (T,).

    Kinds that are seen together are joined by `TOGETHER`, in the order of the alphabet.

    Example:
        >>> kinds_of("ped1", {"test_01": np.array([0, 1, 1])})["test_01"].tolist()
        ['', 'test_01', 'test_01']
    """
    source = DATASETS[dataset].kinds
    known: Callable[[str], Kinds] = resolve(source) if source else _by_clip
    return {name: kinds_of_frames(np.asarray(marks), known(name)) for name, marks in labels.items()}


def _by_clip(clip: str) -> Kinds:
    return {clip: _WHOLE}


def kinds_of_frames(labels: npt.NDArray[Any], intervals: Kinds) -> npt.NDArray[np.str_]:
    """The kind (T,) of each frame, by labels (T,), 1 = abnormal, and by when each kind is seen.

    Example:
        >>> kinds_of_frames(np.array([0, 1, 1, 1]), {"cart": ((0, 3),), "bus": ((2, 3),)}).tolist()
        ['', 'cart', 'bus + cart', 'other']
    """
    seen = [
        [kind for kind in sorted(intervals) if any(start <= frame < end for start, end in intervals[kind])]
        for frame in range(len(labels))
    ]
    names = [TOGETHER.join(kinds) or UNNAMED for kinds in seen]
    return np.array([name if label == 1 else NORMAL for name, label in zip(names, labels, strict=True)], np.str_)
