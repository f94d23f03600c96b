"""Damage: packets of a video that do not decode, and the places of the frames that they held.

The number of a frame is what labels go by, so that a lost frame keeps its place, which shows the picture before it (of
lost first frames the picture after them). Places are known by the stamps of packets, else by a hole between frames
that are otherwise regular; of streams without stamps, and of AVI, whose stamps count what was found, by where it
failed. Matroska, AVI, FLV and ASF pass over what they cannot read in silence: it is known by bytes that belong to no
packet (`pagen.footage.unread`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import groupby
from typing import Any

from pagen.footage.clock import NEIGHBOURS, Stamp, usual_step
from pagen.footage.places import Place, places, without_stamps
from pagen.footage.unread import packets_of

_BROADCAST = ("mpegts", "mpeg", "asf", "ogg", "mxf")
"""Formats of which damage is lost before anybody sees a packet, and which say nothing of it."""
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
        if frames:
            give_all(packet.stream)
    except av.error.FFmpegError:
        failed = True
    note(seconds if failed or packet.size > _SKIPPED else None, failed)
    return frames


def give_all(stream: Any) -> None:
    """From its first frame on, a stream of PyAV gives those that refer to a lost one, too.

    A decoder of HEVC would keep them back until the next key frame, in silence.

    Example:
        >>> from types import SimpleNamespace
        >>> stream = SimpleNamespace(codec_context=SimpleNamespace(flags=0))
        >>> give_all(stream)
        >>> stream.codec_context.flags
        8
    """
    from av.codec.context import Flags

    stream.codec_context.flags |= Flags.output_corrupt.value


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
        found, step = without_stamps(self.stamps, self.failed), usual_step(self.stamps)
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


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as ranges, the first five of them.

    Example:
        >>> ranges([3, 4, 5, 9])
        '3 to 5, 9'
    """
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    shown = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more places" if shown[5:] else "")
