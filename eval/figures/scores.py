"""Scores of runs over videos, beside the trivial baseline: unified PA paper, figure 3; MULDE, figures 3, S2, S3."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pagen.eval.figures.curves import broken, shade
from pagen.eval.figures.request import Request
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.results import BAR, Series, percent
from pagen.eval.side_by_side import compared, on_one_axis
from pagen.figures import BAND, COLOURS, PLAIN

PANEL, REST, LINE = 0.85, 0.6, 0.14
"""Inches: height of a video's panel, of axis and margins together, and of a line of the legend."""
LETTER = 0.058
"""Inches that a letter of the legend is wide, about."""


def scores_figure(request: Request) -> tuple[Figure, dict[str, Any]]:
    """A panel a video, in which every run is a curve; and the micro AUROC of each."""
    series = compared(request.series)
    names = [*request.names, BAR]
    areas = {name: micro_auroc(one.final, one.labels) for name, one in zip(names, series, strict=True)}
    entries = [f"{name}  {percent(area)}" for name, area in areas.items()] + ["labelled abnormal"]
    columns = max(int(request.width / (LETTER * max(map(len, entries)) + 0.45)), 1)
    height = REST + PANEL * len(request.videos) + LINE * (-(-len(entries) // columns) + 2)
    figure = Figure((request.width, height), layout="constrained")
    axes = figure.subplots(len(request.videos), squeeze=False)[:, 0]
    scaled = [replace(one, final=on_one_axis(one.final)) for one in series]
    panels = [_panel(axis, request, video, scaled) for axis, video in zip(axes, request.videos, strict=True)]
    axes[-1].set_xlabel("frame")
    figure.supylabel("score, rescaled", fontsize=8)
    title = f"micro AUROC x 100 over all {len(series[0].final)} test videos, protocol {request.protocol.name}"
    title += f"\nlabels: {request.labelled.edition}"
    figure.legend(
        [*panels[0], Patch(color=BAND)],
        entries,
        loc="outside upper center",
        ncols=columns,
        title=title,
        columnspacing=1.2,
    )
    return figure, {"micro": areas}


def _panel(axis: Axes, request: Request, video: str, scaled: list[Series]) -> list[Line2D]:
    """The curves of a video, the trivial baseline below all others."""
    shade(axis, request.spans(video), request.prepared.length(video))
    axis.set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1])
    axis.set_title(video, loc="left", pad=2)
    return [_curve(axis, request, one, number, number == len(scaled) - 1, video) for number, one in enumerate(scaled)]


def _curve(axis: Axes, request: Request, series: Series, number: int, trivial: bool, video: str) -> Line2D:
    frames, values = (of.get(video, np.zeros(0)) for of in (series.frames, series.final))
    colour = PLAIN if trivial else COLOURS[number % len(COLOURS)]
    dashes = (0, (3, 1.2)) if trivial else ("-", (0, (5, 1)))[number // len(COLOURS) % 2]
    marker = "." if request.protocol.every > 1 else ""
    points, width = broken(frames, values, request.protocol.every), 0.8 if trivial else 1.1
    (line,) = axis.plot(*points, color=colour, linestyle=dashes, marker=marker, markersize=3, linewidth=width)
    line.set_zorder(2 if trivial else 3)
    return line
