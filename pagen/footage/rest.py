"""What of a video file is not read: its end, other streams of it, and other recordings that were joined to it.

FFmpeg reads the first recording of an MP4, FLV or ASF to which another one was appended, and is silent about the rest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from pagen.footage.clock import NEIGHBOURS, Stamp, longest_step, ticks_of
from pagen.footage.places import Place
from pagen.footage.unread import packets_left

_ASF_HEAD = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ALONE = "keep each in a file of its own"


def left_out(path: Path, container: Any) -> list[str]:
    """What else than its first recording a file holds, in words; nothing in most. PyAV has opened it as `container`.

    Example:
        >>> import av, cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.mp4")
        ...     writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
        ...     _ = writer.write(numpy.zeros((48, 64, 3), "uint8"))
        ...     writer.release()
        ...     _ = path.write_bytes(2 * path.read_bytes())
        ...     with av.open(str(path)) as container:
        ...         left_out(path, container)
        ['1 more recording is joined to it, and not read whole; keep each in a file of its own']
    """
    from av.stream import Disposition

    told, cover = [], Disposition.attached_pic
    streams = sum(not stream.disposition & cover for stream in container.streams.video)
    if streams > 1:
        told.append(f"{streams} video streams are in it, of which the first is read; {ALONE}")
    if more := _recordings(path, container.format.name) - 1:
        recordings = "1 more recording is" if more == 1 else f"{more} more recordings are"
        told.append(f"{recordings} joined to it, and not read whole; {ALONE}")
    return told


def unread_end(stream: Any, stamps: Sequence[Stamp], rate: float) -> tuple[list[Place], str]:
    """The lost frames at the end of a video whose head tells that there are more, and what is wrong where their bytes
    are not there, either: the file is cut short. Matroska and AVI decode in silence what is left of them.

    Args:
        stream: of PyAV, not read yet.
        stamps: of all frames that are known, in seconds.
        rate: frames a second.

    Example:
        >>> import av, cv2, numpy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = cv2.VideoWriter(f"{folder}/a.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        ...     _ = [writer.write(numpy.zeros((48, 64, 3), "uint8")) for _ in range(9)]
        ...     writer.release()
        ...     with av.open(f"{folder}/a.avi") as container:
        ...         unread_end(container.streams.video[0], [number / 10 for number in range(9)], 10.0)
        ([], '')
    """
    step, known = 1 / rate, [stamp for stamp in stamps if stamp is not None]
    last, promised = max(known, default=math.inf), _promised(stream, known, step)
    if stream.container.format.name == "avi" and known:
        last -= min(known) if min(known) < NEIGHBOURS * step else 0.0  # as many as frames that are held back
    if last + 2 * max(longest_step(ticks_of(stamps, step)), step) >= promised + 1e-6:
        return [], ""
    missing, wrong = round((promised - last) / step) - 1, ""
    if packets_left(stream) < missing / 2:
        path = stream.container.name
        wrong = f"expected {promised:.2f} s of video in {path}, found frames up to {last:.2f} s; copy it again"
    return [Place(last + number * step, False) for number in range(1, missing + 1)], wrong


def _promised(stream: Any, known: Sequence[float], step: float) -> float:
    """Seconds of video that the head tells of; 0 where it cannot be relied on."""
    container = stream.container
    if container.format.name == "avi" and known:
        # what is listed is known one by one (`packets_of`); the head counts slots, of which some may hold no frame
        listed = [entry.timestamp for entry in stream.index_entries]
        whole = len(listed) > 1 and listed[-1] + 1 >= stream.frames
        return 0.0 if whole else float(stream.frames * stream.time_base)
    if "matroska" in container.format.name and len(container.streams) == 1:
        return float((container.duration or 0) / 1e6)
    return 0.0


def _recordings(path: Path, form: str) -> int:
    """How many recordings lie in a file one behind the other, as far as the heads of its pieces tell; at least one."""
    pieces: dict[str, Callable[[IO[bytes]], Iterator[bool]]] = {"mov": _boxes, "asf": _objects, "flv": _tags}
    walk = next((pieces[name] for name in pieces if name in form.split(",")), None)
    if walk is None:
        return 1
    with path.open("rb") as file:
        return max(sum(walk(file)), 1)


def _boxes(file: IO[bytes]) -> Iterator[bool]:
    """Of each box of an MP4, whether a recording is described in it."""
    place = 0
    while len(head := _at(file, place, 16)) >= 8:
        yield head[4:8] == b"moov"
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if size < 8:  # to the end
            return
        place += size


def _objects(file: IO[bytes]) -> Iterator[bool]:
    """Of each object of an ASF, whether it begins a recording."""
    place = 0
    while len(head := _at(file, place, 24)) == 24:
        yield head[:16] == _ASF_HEAD
        size = int.from_bytes(head[16:], "little")
        if size < 24:
            return
        place += size


def _tags(file: IO[bytes]) -> Iterator[bool]:
    """Of each head and tag of an FLV, whether it begins a recording; before a tag stands the size of the one before."""
    place = -4
    while len(head := _at(file, place + 4, 11)) >= 9:
        begins = head[:3] == b"FLV"
        yield begins
        place += 4 + (int.from_bytes(head[5:9], "big") if begins else 11 + int.from_bytes(head[1:4], "big"))


def _at(file: IO[bytes], place: int, count: int) -> bytes:
    """So many bytes from a place on, fewer at the end; none where damage names a place far beyond it."""
    if place > file.seek(0, os.SEEK_END):
        return b""
    file.seek(place)
    return file.read(count)
