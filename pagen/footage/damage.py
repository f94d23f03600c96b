"""Damage: packets of a video that do not decode, and the places of the frames that they held.

The number of a frame is what labels go by, so that a lost frame keeps its place, which shows the picture before it (of
lost first frames the picture after them). Places are known by the stamps of packets, else by a hole between frames
that are otherwise regular; of streams without stamps, and of AVI, whose stamps count what was found, by where it
failed. Matroska, AVI, FLV and ASF pass over what they cannot read in silence: it is known by bytes that belong to no
packet (`pagen.footage.unread`).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from pagen.footage.clock import NEIGHBOURS, PAUSE, Stamp, usual_step
from pagen.footage.unread import packets_of

_REGULAR = 0.9
"""Share of the steps that are the usual one where a hole is told from footage of irregular times."""
_BROADCAST = ("mpegts", "mpeg", "asf")
"""Formats of which damage is lost before anybody sees a packet, and which say nothing of it."""
_MADE_UP = 250
"""Frames within which stamps that slipped come right again."""
_SKIPPED = 16
"""Bytes of a packet that says of its frame that there is none (a VOP that is not coded), at most."""


def decoded(stream: Any, careful: bool, note: Callable[[Stamp, bool], None]) -> Iterator[Any]:
    """The frames of a stream of PyAV, where a packet that does not decode costs its own.

    Args:
        careful: in the order of their stamps, which some decoders lose by damage.
        note: gets the stamp (seconds) of each packet, and whether it does not decode, or cannot be read.

    Example:
        >>> import av, cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     with av.open(f"{folder}/a.avi") as container:
        ...         [frame.time for frame in decoded(container.streams.video[0], False, lambda stamp, failed: None)]
        [0.0]
    """
    frames = (frame for packet, unread in packets_of(stream) for frame in _decoded(packet, unread, note))
    # stamps in AVI are those of the order in which frames are stored
    return in_order(frames) if careful and stream.container.format.name != "avi" else frames


def _decoded(packet: Any, unread: int, note: Callable[[Stamp, bool], None]) -> list[Any]:
    import av

    stamp = packet.dts if packet.pts is None else packet.pts
    # what is not to be shown, and the empty end of a stream, has none
    seconds = None if stamp is None or packet.is_discard else float(stamp * packet.time_base)
    for _ in range(unread):
        note(seconds, True)
    frames, failed = list[Any](), packet.is_corrupt
    try:
        frames = packet.decode()
    except av.error.FFmpegError:
        failed = True
    note(seconds if failed or packet.size > _SKIPPED else None, failed)
    return frames


@dataclass
class Pass:
    """What decoding a stream tells, without its pictures; `over` notes it.

    Attributes:
        format: FFmpeg's name of it.
        stamps: of the frames, in seconds.
        packets: of all packets.
        failed: how many frames had been given each time that reading or decoding failed.
        damaged: the stamps where that was, as far as there are any.
        interlaced: whether any frame is.

    Example:
        >>> Pass("avi", [0.0, 1.0, 3.0], [0.0, 1.0, 2.0, 3.0]).whole
        False
    """

    format: str = ""
    stamps: list[Stamp] = field(default_factory=list)
    packets: list[Stamp] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    damaged: list[float] = field(default_factory=list)
    interlaced: bool = False

    def over(self, stream: Any, careful: bool) -> Iterator[Any]:
        """The frames of a stream of PyAV, noted as they pass; `careful` as `decoded` takes it."""
        self.format = stream.container.format.name
        for frame in decoded(stream, careful, self._note):
            self.stamps.append(frame.time)
            self.interlaced = self.interlaced or frame.interlaced_frame
            yield frame

    def _note(self, stamp: Stamp, failed: bool) -> None:
        self.packets.append(stamp)
        if failed:
            self.failed.append(len(self.stamps))
            self.damaged += [] if stamp is None else [stamp]

    @property
    def whole(self) -> bool:
        """Whether nothing failed, and no packet is without a frame where one is missing; threads hide some failures."""
        return not self.failed and all(place.there for place in places(self.stamps, self.packets, ()))

    def places(self) -> list[Place]:
        """The places of all frames: those that are there, and, where it is damaged, those that are not."""
        if self.failed and self.format == "avi":
            return self._counted()
        torn = sorted(self.damaged) if self.failed or self.format in _BROADCAST else None
        return places(self.stamps, self.packets, self.failed, torn)

    def _counted(self) -> list[Place]:
        """The places of frames whose stamps only count the packets that were found, as in AVI."""
        found, step = _without_stamps(self.stamps, self.failed), usual_step(self.stamps)
        first = min((stamp for stamp in self.stamps if stamp is not None), default=0.0)
        return [
            Place(None if step is None else first + step * number, place.there) for number, place in enumerate(found)
        ]


def in_order(frames: Iterable[Any]) -> Iterator[Any]:
    """Frames of PyAV by their stamps, as far as neighbours go: after damage some decoders give one late.

    Frames that go back further (another recording that was joined to the first), or have no stamp, begin anew.

    Example:
        >>> from types import SimpleNamespace
        >>> [frame.time for frame in in_order([SimpleNamespace(time=time) for time in (0.0, 0.2, 0.1)])]
        [0.0, 0.1, 0.2]
    """
    waiting, last = list[tuple[float, int, Any]](), -math.inf
    for number, frame in enumerate(frames):
        if frame.time is None or frame.time < last:
            yield from (each for _, _, each in sorted(waiting))
            waiting, last = [], -math.inf
        if frame.time is None:
            yield frame
            continue
        heappush(waiting, (frame.time, number, frame))
        if len(waiting) > NEIGHBOURS:
            last, _, earliest = heappop(waiting)
            yield earliest
    yield from (each for _, _, each in sorted(waiting))


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
    step, known = usual_step(stamps), [stamp for stamp in stamps if stamp is not None]
    if step is None or len(known) < len(stamps):
        return _without_stamps(stamps, failed)
    lost = sorted({stamp for stamp in packets if stamp is not None} - {*known})
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


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as ranges, the first five of them.

    Example:
        >>> ranges([3, 4, 5, 9])
        '3 to 5, 9'
    """
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    shown = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more places" if shown[5:] else "")


def _apart(stamps: Sequence[float], before: float, after: float, step: float) -> list[float]:
    """The ascending stamps between two frames, each a good part of a step from the next: a field is no frame."""
    kept = list[float]()
    for stamp in stamps[bisect_left(stamps, before) : bisect_left(stamps, after)]:
        if stamp - max([before, *kept[-1:]]) > 0.75 * step and after - stamp > 0.75 * step:
            kept.append(stamp)
    return kept


def _without_stamps(stamps: Sequence[Stamp], failed: Sequence[int]) -> list[Place]:
    lost, found = Counter(failed), list[Place]()
    for index, stamp in enumerate([*stamps, None]):
        found += [Place(None, False)] * lost[index] + [Place(stamp, True)] * (index < len(stamps))
    return found
