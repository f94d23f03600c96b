"""The indicators of a run and their sum over one video, with frames above (LUSS-AE, figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch

from pagen.errors import PagenError
from pagen.eval.figures.curves import broken, shade
from pagen.eval.figures.grid import add_axes, outline, show_frame
from pagen.eval.figures.request import Request
from pagen.eval.results import Series
from pagen.figures import COLOURS, PLAIN
from pagen.scoring.indicator_table import LOCAL, fused_of, indicator_named, order_of
from pagen.scoring.rescale import NONE, UNTRAINED

LEFT, RIGHT, BOTTOM, TOP = 0.62, 0.06, 0.38, 0.17
"""Inches: margins, of which numbers of axes stand in the left one and the frames' numbers in the top one."""
PANEL, TITLE, LEADS, SPACE, LEAST = 0.6, 0.2, 0.18, 0.05, 0.2
"""Inches: height of a panel and of its title, and of what leads from frames to panels; what lies between frames, and
how wide one is at least."""
SHORT = ("psnr", "vcr", "ffp", "prp")
FRAMES = 5
WORD = 0.5
"""Inches above which a frame is wide enough to be called one by its number's title."""
DOTS: dict[str, Any] = {"color": PLAIN, "linewidth": 0.5, "linestyle": ":"}
TITLED: dict[str, Any] = {"loc": "left", "pad": 2}
UNITS = {"logit": "log-odds", "length": "length", "density": "score", "dB": "dB", "": "score"}
"""Unit of an indicator -> how an axis names it."""


def indicators_figure(request: Request) -> tuple[Figure, dict[str, Any]]:
    """A panel an indicator, the sum last, below a strip of frames whose places dotted lines show.

    Raises PagenError: a width in inches that leaves too little to a frame.
    """
    (run,), (video,) = request.runs, request.videos
    series, length = shown_indicators(request.of_run(run), request), request.prepared.length(video)
    frames = sorted(request.frames or {int((number + 0.5) * length / FRAMES) for number in range(FRAMES)})
    wide = (request.width - 2 * RIGHT + SPACE) / len(frames) - SPACE
    if wide < LEAST:
        found = f"a --width of {request.width:g} inches; give {2 * RIGHT + len(frames) * (LEAST + SPACE):.1f} and more"
        raise PagenError(f"expected room for {len(frames)} frames beside each other, found {found}")
    tall = wide * request.prepared.size[0] / request.prepared.size[1]
    above = BOTTOM + len(series) * (PANEL + TITLE) + LEADS
    figure = Figure((request.width, above + tall + TOP))
    for number, one in enumerate(reversed(series)):
        place = (LEFT, BOTTOM + number * (PANEL + TITLE), request.width - LEFT - RIGHT, PANEL)
        axis = add_axes(figure, *place)
        _panel(axis, request, one, video, frames)
        axis.set_xlabel("frame (shaded: labelled abnormal)" if number == 0 else "")
        axis.tick_params(labelbottom=number == 0)
    for number, frame in enumerate(frames):
        shown = add_axes(figure, RIGHT + number * (wide + SPACE), above, wide, tall)
        _frame(shown, request, video, frame)
        shown.set_title(f"frame {frame}" if wide > WORD else str(frame), fontsize=7, pad=2)
        _lead(shown, axis, frame)
    return figure, {"frames": frames, "indicators": [one.indicator for one in series]}


def _frame(axis: Axes, request: Request, video: str, frame: int) -> None:
    """A frame, and what is labelled in it."""
    show_frame(axis, request.prepared.frames(video)[frame])
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    outline(axis, request.mask(video, frame), width=0.5)


def _lead(shown: Axes, panel: Axes, frame: int) -> None:
    """A dotted line from below a frame to above where it is in the panel, as far as the panel's title."""
    below, upon = shown.transAxes, panel.get_xaxis_transform()
    shown.figure.add_artist(ConnectionPatch((0.5, 0), (frame, 1 + TITLE / PANEL), below, upon, **DOTS))


def shown_indicators(series: list[Series], request: Request) -> list[Series]:
    """What the run adds up under the protocol, and the sum; every indicator of a run that adds nothing up.

    Raises PagenError: no frame of the video counts.
    """
    if request.videos[0] not in series[0].final:
        raise PagenError(f"protocol {request.protocol.name} scores no frame of {request.videos[0]}; name another video")
    added = fused_of(series[0].recipe, request.protocol.fused)
    total = [one for one in series if one.indicator.startswith("fused")]
    parts = [one for one in series if one not in total and (not total or one.indicator in added)]
    return sorted(parts, key=lambda one: (order_of(one.indicator), one.indicator)) + total


def _panel(axis: Axes, request: Request, series: Series, video: str, frames: Sequence[int]) -> None:
    values = series.final[video]
    total = series.indicator.startswith("fused")
    shade(axis, request.spans(video), request.prepared.length(video))
    for frame in frames:
        axis.axvline(frame, zorder=1, **DOTS)
    marker = "." if request.protocol.every > 1 else ""
    where = series.frames[video]
    axis.plot(
        *broken(where, values, request.protocol.every),
        color=COLOURS[1] if total else COLOURS[0],
        marker=marker,
        markersize=3,
    )
    axis.locator_params(axis="y", nbins=3)
    axis.set_title(", ".join(dict.fromkeys((called(series.indicator), unit(request, series.indicator)))), **TITLED)


def called(indicator: str) -> str:
    """What a panel calls an indicator: what is short for something in capitals, as papers have it."""
    if indicator.startswith("fused"):
        return "sum"
    stem = indicator.removesuffix(LOCAL)
    name = stem.upper() if stem in SHORT else stem.replace("_", " ")
    return f"{name} at the worst place" if indicator.endswith(LOCAL) else name


def unit(request: Request, indicator: str) -> str:
    """What the values of an indicator count under the protocol."""
    protocol = request.protocol
    if {protocol.each_of.get(indicator, protocol.each), protocol.total} & (UNTRAINED.keys() - {NONE}):
        return "rescaled"
    named = indicator_named(indicator).unit
    if (protocol.plain_errors and named == "dB") or (protocol.probabilities and named == "logit"):
        return "error" if named == "dB" else "probability"
    return "sum" if indicator.startswith("fused") else UNITS[named]
