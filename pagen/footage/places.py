"""The places of the frames of a damaged video: those that are there, and those that were lost.

A recording that was joined of others has their stamps one after another, some of them twice: it is taken apart where
its clock goes back, or a frame that is lost in one part would be found in another.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pagen.footage.clock import NEIGHBOURS, PAUSE, Stamp, parts_of, usual_step

_REGULAR = 0.9
"""Share of the steps that are the usual one where a hole is told from footage of irregular times."""
_MADE_UP = 250
"""Frames within which stamps that slipped come right again."""


class Place(NamedTuple):
    """A frame that is there, or was lost, and its stamp in seconds.

    Example:
        >>> Place(0.04, there=False).there
        False
    """

    stamp: Stamp
    there: bool


def places(
    stamps: Sequence[Stamp], packets: Sequence[Stamp], failed: Sequence[int], torn: Sequence[float] | None = None
) -> list[Place]:
    """The places of all frames of a damaged video, in order.

    Args:
        stamps: of the frames that decode.
        packets: stamps of all packets.
        failed: how many frames had been given each time that decoding failed; where it never did, what comes before
            the first frame is no loss: many a file begins between two key frames.
        torn: where it is damaged, ascending, so that a hole in regular footage is one of lost frames, too, where no
            packets are of it; one that is long enough for a pause only beside damage. None where holes are none.

    Example:
        >>> [place.there for place in places([0.0, 1.0, 2.0, 5.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], failed=[3, 3])]
        [True, True, True, False, False, True]
    """
    step = usual_step(stamps)
    if step is None or None in stamps:
        return without_stamps(stamps, failed)
    parts = _parted(stamps, packets, step)
    return [place for part in parts for place in _places_of(*part, step, bool(failed), torn)]


def _parted(
    stamps: Sequence[Stamp], packets: Sequence[Stamp], step: float
) -> list[tuple[Sequence[float], Sequence[float]]]:
    """The stamps of frames and of packets of each part, between which the clock goes back.

    A part has frames if most of those that are next are of its packets; if frames are left over in the end, the parts
    of both do not fit to each other, and all is one.
    """
    shown, stored = parts_of(stamps, step), parts_of(packets, step)
    parts, next_one = list[tuple[Sequence[float], Sequence[float]]](), 0
    for part in stored:
        frames, there = shown[next_one] if next_one < len(shown) else (), {*part}
        fits = 2 * sum(stamp in there for stamp in frames) > len(frames)
        parts.append((frames if fits else (), part))
        next_one += fits
    whole = [stamp for stamp in packets if stamp is not None]
    return parts if next_one == len(shown) else [([stamp for part in shown for stamp in part], whole)]


def _places_of(
    known: Sequence[float], packets: Sequence[float], step: float, failed: bool, torn: Sequence[float] | None
) -> list[Place]:
    """The places of a part, whose frames have the stamps `known`."""
    lost = sorted({*packets} - {*known})
    if not known:
        return [Place(stamp, False) for stamp in _apart(lost, -math.inf, math.inf, step) if failed]
    holes = torn is not None and _regular(known, step, torn)
    slips = _slips(known, step) if holes else set[int]()
    found = [Place(stamp, False) for stamp in _apart(lost, -math.inf, known[0], step) if failed]
    for number, (before, after) in enumerate(pairwise([*known, math.inf])):
        hole = _apart(lost, before, after, step)
        if holes and number not in slips:
            most = PAUSE if before > known[0] else 0.0  # some writers begin with a longer step
            hole = _filled([before, *hole, after], step, torn or (), most)
        found += [Place(before, True), *(Place(stamp, False) for stamp in hole)]
    return found


def _slips(stamps: Sequence[float], step: float) -> set[int]:
    """The frames after which a hole is a slip of the stamps: a few frames later some come closer, and make up for it.

    Programme streams stamp one frame of several, and FFmpeg counts on from there. What slipped at the end has no time
    left to come right: it counts as a slip where others of its size did.
    """
    steps = {number: round((after - before) / step) for number, (before, after) in enumerate(pairwise(stamps))}
    holes = {number: count for number, count in steps.items() if count > 1}
    made_up = set[int]()
    for number in holes:
        later = enumerate(stamps[number + 2 : number + _MADE_UP], 2)
        if any(stamp - stamps[number] <= (count + 0.5) * step for count, stamp in later):
            made_up.add(number)
    sizes = {holes[number] for number in made_up}
    return made_up | {number for number, count in holes.items() if number + _MADE_UP > len(stamps) and count in sizes}


def _beside(torn: Sequence[float], before: float, after: float, step: float) -> bool:
    """Whether there is damage between two frames, or so soon after them that they may depend on it."""
    return bisect_right(torn, before) < bisect_right(torn, after + NEIGHBOURS * step)


def _regular(stamps: Sequence[float], step: float, torn: Sequence[float]) -> bool:
    """Whether the frames come at regular times where there is no damage."""
    steps = [after - before for before, after in pairwise(stamps) if not _beside(torn, before, after, 0.0)]
    return sum(abs(each - step) <= 0.5 * step for each in steps) >= _REGULAR * len(steps)


def _filled(points: Sequence[float], step: float, torn: Sequence[float], most: float) -> list[float]:
    """The stamps between the first and the last of these, with those that are missing among them.

    Holes of more than `most` seconds count beside damage alone.
    """
    found = list[float]()
    for before, after in pairwise(points):
        if after < math.inf and (after - before <= most or _beside(torn, points[0], after, step)):
            count = round((after - before) / step)
            found += [before + (after - before) * number / count for number in range(1, count)]
        found.append(after)
    return found[:-1]


def held(shown: Sequence[int], there: Sequence[bool]) -> list[int]:
    """How often each frame that is there is shown, where lost ones hold the picture before them, else that after.

    Example:
        >>> held([1, 1, 1, 1], [False, True, False, True])
        [3, 1]
    """
    kept, early = list[int](), 0
    for count, is_there in zip(shown, there, strict=True):
        if is_there:
            kept.append(count + early)
            early = 0
        elif kept:
            kept[-1] += count
        else:
            early += count
    return kept


def _apart(stamps: Sequence[float], before: float, after: float, step: float) -> list[float]:
    """The ascending stamps between two frames, each a good part of a step from the next: a field is no frame."""
    kept = list[float]()
    for stamp in stamps[bisect_left(stamps, before) : bisect_left(stamps, after)]:
        if stamp - max([before, *kept[-1:]]) > 0.75 * step and after - stamp > 0.75 * step:
            kept.append(stamp)
    return kept


def without_stamps(stamps: Sequence[Stamp], failed: Sequence[int]) -> list[Place]:
    """The places of frames whose stamps tell none: the lost ones are where it failed.

    Example:
        >>> [place.there for place in without_stamps([None, None], failed=[1])]
        [True, False, True]
    """
    lost, found = Counter(failed), list[Place]()
    for index, stamp in enumerate([*stamps, None]):
        found += [Place(None, False)] * lost[index] + [Place(stamp, True)] * (index < len(stamps))
    return found
