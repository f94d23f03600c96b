"""Stretches: the runs of a clip's frames between two breaks of its clock (`pagen.footage.clock`).

No window, pair or segment of frames holds both sides of a break. What learns from footage takes stretches as it takes
clips; what scores it scores each of them by itself, and joins what it finds. A clip without breaks is its own stretch,
under its own name; those of another are called NAME@START.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

_MARK = "@"


def stretches_of(clip: str, breaks: Sequence[int]) -> list[str]:
    """Names of the stretches of a clip, in order; `breaks` are the frames that do not go on from the one before.

    Example:
        >>> stretches_of("gate", []), stretches_of("gate", [50, 80])
        (['gate'], ['gate@0', 'gate@50', 'gate@80'])
    """
    return [f"{clip}{_MARK}{start}" for start in (0, *breaks)] if breaks else [clip]


def section_of(name: str, items: Mapping[str, Mapping[str, Any]]) -> tuple[str, slice]:
    """The clip that a stretch, or a clip, is of, and its frames. `items` are of `Prepared`, by clip.

    Example:
        >>> items = {"gate": {"shape": [100, 48, 64, 1], "breaks": [50, 80]}}
        >>> section_of("gate@50", items), section_of("gate", items)
        (('gate', slice(50, 80, None)), ('gate', slice(0, 100, None)))
    """
    if name in items:
        return name, slice(0, int(items[name]["shape"][0]))
    clip, _, start = name.rpartition(_MARK)
    ends = dict(pairwise([0, *items[clip]["breaks"], int(items[clip]["shape"][0])]))
    return clip, slice(int(start), ends[int(start)])


def joined(found: Sequence[Mapping[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[np.float64]]:
    """What is found of a clip's stretches, numbers by name, one after the other.

    Example:
        >>> joined([{"psnr": np.array([1.0, 2.0])}, {"psnr": np.array([3.0])}])["psnr"].tolist()
        [1.0, 2.0, 3.0]
    """
    return {key: np.concatenate([each[key] for each in found]) for key in found[0]}
