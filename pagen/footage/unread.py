"""Bytes of a video that belong to no packet: where the reader of a format passed over what it could not read.

FFmpeg reads Matroska, FLV and AVI from front to back and looks for the next packet after damage, without a word. AVI
lists its packets at its end; there each one is known that was not found. Elsewhere a tear is a tear, whatever it held.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

_IN_ORDER = ("matroska", "flv", "avi", "asf")
_BETWEEN = 256
"""Bytes that heads of packets and clusters take between two packets, at most; in ASF, whose packets are pieces of fixed
size, up to two of those, which are 3,200 as a rule."""


def packets_of(stream: Any) -> Iterator[tuple[Any, int]]:
    """The packets of a stream of PyAV, and how many tears, of AVI lost packets, lie before each.

    Example:
        >>> import av, cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = [writer.write(numpy.zeros((48, 64, 3), "uint8")) for _ in range(2)]
        ...     writer.release()
        ...     with av.open(f"{folder}/a.avi") as container:
        ...         [unread for packet, unread in packets_of(container.streams.video[0])]
        [0, 0, 0]
    """
    container = stream.container
    if not any(name in container.format.name for name in _IN_ORDER):
        yield from ((packet, 0) for packet in container.demux(stream))
        return
    listed, end, unread = _listed(stream), None, 0
    most = 2 * 3200 if container.format.name == "asf" else _BETWEEN
    for packet in container.demux():  # bytes of sound are read, too
        there = packet.pos is not None and packet.size > 0
        if listed is None and there:
            unread += end is not None and packet.pos - end > most
            end = max(end or 0, packet.pos + packet.size)
        if packet.stream.index == stream.index:
            yield packet, unread + (0 if listed is None else _passed(listed, packet.pos if there else None))
            unread = 0


def packets_left(stream: Any) -> float:
    """How many of its packets the bytes after the last one of a stream of PyAV could hold, which is read to its end.

    Example:
        >>> import av, cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     with av.open(f"{folder}/a.avi") as container:
        ...         packets_left(container.streams.video[0]) < 1
        True
    """
    packets = [(each.pos, each.size) for each in stream.container.demux(stream) if each.size and each.pos is not None]
    end = max((place + size for place, size in packets), default=0)
    return float((stream.container.size - end) / median([size for _, size in packets] or [1]))


def _listed(stream: Any) -> list[int] | None:
    """Where the packets of a stream begin, the last one first, as AVI lists them; None where nothing does."""
    places = [entry.pos + 8 for entry in stream.index_entries if entry.size > 0]  # after name and size of the chunk
    return sorted(places, reverse=True) if stream.container.format.name == "avi" and places else None


def _passed(listed: list[int], place: int | None) -> int:
    """How many of the list lie before this place, or are left at the end; they and itself are taken off."""
    passed = 0
    while listed and (place is None or listed[-1] < place):
        listed.pop()
        passed += 1
    if listed and listed[-1] == place:
        listed.pop()
    return passed
