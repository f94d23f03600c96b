"""Error maps of several runs side by side for the same frames, beside the speed of flow (unified PA paper, figure 4).

Errors of different networks are of different sizes, so that each run has a scale of its own: from 0 to its highest
error in the video, which stands below its column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pagen.errors import PagenError
from pagen.eval.figures.grid import Grid, outline, show_frame, show_heat
from pagen.eval.figures.request import Request
from pagen.eval.maps import maps_of_run, speed_maps
from pagen.eval.results import BAR
from pagen.scoring.indicator_table import indicator_named

Map = npt.NDArray[Any]
COUNTED = {"dB": "RMS error", "length": "root of flow error"}
"""Unit of an indicator -> what a map of its errors counts; otherwise scores."""


def maps_figure(request: Request) -> tuple[Figure, dict[str, Any]]:
    """A row a frame: the frame with what is labelled, the map of each run, and that of the trivial baseline."""
    (video,), frames = request.videos, request.shown_frames()
    columns = {name: (label, *among(maps, frames)) for name, label, maps in _maps(request, video)}
    height, width = request.prepared.size
    grid = Grid(request.width, len(frames), len(columns) + 1, height / width)
    for row, frame in zip(grid.axes, frames, strict=True):
        show_frame(row[0], request.prepared.frames(video)[frame])
        outline(row[0], request.mask(video, frame))
        row[0].set_ylabel(f"frame {frame}")
    for number, title in enumerate((video, *columns)):
        grid.title(0, number, title)
    for number, (label, shown, highest) in enumerate(columns.values(), 1):
        images = [show_heat(axis, one, highest) for axis, one in zip(grid.axes[:, number], shown, strict=True)]
        grid.bar(number, images[0], label)
    return grid.figure, {"frames": frames, "highest": {name: highest for name, (_, _, highest) in columns.items()}}


def among(maps: Iterator[Map], frames: Sequence[int]) -> tuple[list[Map], float]:
    """The maps of some frames of a video, and the highest value of all frames; one map at a time is held."""
    shown, highest = dict[int, Map](), 0.0
    for frame, errors in enumerate(maps):
        highest = max(highest, float(np.max(errors)))
        if frame in frames:
            shown[frame] = errors
    return [shown[frame] for frame in frames], highest


def _maps(request: Request, video: str) -> Iterator[tuple[str, str, Iterator[Map]]]:
    """Name, what the map counts, and the maps of the video: of each run, then of the trivial baseline."""
    for name, run in zip(request.names, request.runs, strict=True):
        mapped = maps_of_run(run, request.prepared, request.compute)
        if not mapped:
            raise PagenError(f"expected runs that make maps of errors, found {run} over whole frames; leave it out")
        indicator, maps = mapped[0]
        yield name, COUNTED.get(indicator_named(indicator).unit, "score"), maps(video)
    yield BAR, "pixels per frame", speed_maps(request.prepared, video)
