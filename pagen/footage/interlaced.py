"""Interlaced footage: two moments in one frame, line by line, so that what moves has combs at its edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

FILTER = "bwdif"
"""FFmpeg's filter: one frame out of each that is interlaced, all others as they are."""


def deinterlaced(frames: Iterable[Any], marked: bool = True) -> Iterator[Any]:
    """Frames of PyAV with the interlaced ones among them de-interlaced; the newest is held back.

    Those are the `marked` ones, or all where nothing says which they are, as of a camera of this machine.

    Example:
        >>> import av, numpy
        >>> frame = av.VideoFrame.from_ndarray(numpy.zeros((16, 32), "uint8"), format="gray")
        >>> [(one.height, one.width) for one in deinterlaced([frame])]
        [(16, 32)]
    """
    form: tuple[int, int, str] | None = None
    graph: Any = None
    for frame in frames:
        if form != (form := (frame.width, frame.height, frame.format.name)):
            yield from _rest(graph)
            graph = _graph(frame, marked)
        graph.vpush(frame)
        yield from _ready(graph)
    yield from _rest(graph)


def _graph(frame: Any, marked: bool) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1_000_000)
    )
    graph.link_nodes(
        source,
        graph.add(FILTER, f"mode=send_frame:parity=auto:deint={'interlaced' if marked else 'all'}"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _ready(graph: Any) -> Iterator[Any]:
    import av

    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _rest(graph: Any) -> Iterator[Any]:
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph)
