"""What the numbers in the names of frames are: they count frames, or they are times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median, median_low

_UNITS = (10**3, 10**6, 10**9)
_EPOCH, _RATES = (1e9, 4.2e9), (0.5, 240.0)
"""Seconds since 1970 that are a time; and frames a second that are a rate."""


def frame_numbers(files: Sequence[Path]) -> list[int] | None:
    """The number in each name that counts the frames, or None when no number of the names does.

    Example:
        >>> frame_numbers([Path("cam2_008.jpg"), Path("cam2_009.jpg")])
        [8, 9]
    """
    numbers = [re.findall(r"\d+", path.stem) for path in files]
    if not numbers[0] or len({len(run) for run in numbers}) > 1:
        return None
    columns = [[int(number) for number in column] for column in zip(*numbers, strict=True)]
    counting = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    return counting[0] if len(counting) == 1 else None


def stamps_of(files: Sequence[Path]) -> list[float] | None:
    """Seconds that the names of frames tell, or None where their numbers count frames.

    Times are numbers since 1970 (from 2001 on, in seconds, milli-, micro- or nanoseconds), and numbers that no even
    step explains for half of them and that are milli-, micro- or nanoseconds by a plausible rate (`_RATES`).

    Example:
        >>> stamps_of([Path("1690000000000.jpg"), Path("1690000000040.jpg")])
        [1690000000.0, 1690000000.04]
        >>> stamps_of([Path("1.jpg"), Path("2.jpg")]) is None
        True
    """
    numbers = _one_number(files)
    steps = [after - before for before, after in pairwise(numbers or ())]
    if numbers is None or not steps or min(steps) <= 0:
        return None
    units = [unit for unit in (1, *_UNITS) if all(_EPOCH[0] <= number / unit < _EPOCH[1] for number in numbers)]
    if not units and _drifts(numbers, median_low(steps)):
        units = [unit for unit in _UNITS if _RATES[0] <= unit / median(steps) <= _RATES[1]]
    return [number / units[0] for number in numbers] if units else None


def _drifts(numbers: Sequence[int], step: int) -> bool:
    """Whether numbers leave the grid of a step for good, as times do, and not a few frames that are missing."""
    ((_, aligned),) = Counter(number % step for number in numbers).most_common(1)
    return 2 * aligned <= len(numbers)


def _one_number(files: Sequence[Path]) -> list[int] | None:
    """The numbers in names that have one, or in which one changes; they need not have as many digits as each other."""
    runs = [re.findall(r"\d+", path.stem) for path in files]
    return [int(numbers[0]) for numbers in runs] if all(len(numbers) == 1 for numbers in runs) else frame_numbers(files)
