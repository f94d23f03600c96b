"""Draws a figure of a kind and writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from pagen.eval.figures.indicators import indicators_figure
from pagen.eval.figures.maps import maps_figure
from pagen.eval.figures.measures import measures_figure
from pagen.eval.figures.request import Request
from pagen.eval.figures.scores import scores_figure
from pagen.figures import paper_style, save_figure

DPI = 300
"""Of pictures inside of figures, and of PNG."""


class Kind(NamedTuple):
    """What draws a kind of figure, and tells what it shows as plain data; and how wide it is by default, in inches."""

    make: Callable[[Request], tuple[Figure, dict[str, Any]]]
    width: float


KINDS = {
    "scores": Kind(scores_figure, 3.4),
    "maps": Kind(maps_figure, 7.0),
    "measures": Kind(measures_figure, 7.0),
    "indicators": Kind(indicators_figure, 3.4),
}
"""Name -> kind."""


def draw(kind: str, request: Request, path: Path) -> dict[str, Any]:
    """Draw and write a figure of a kind of `KINDS`; returns what it shows. Raises PagenError: what the kind refuses."""
    with paper_style():
        figure, about = KINDS[kind].make(request)
        if request.prepared.part:
            figure.text(0.995, 0.002, f"{request.prepared.dataset}: {request.prepared.part}", ha="right", fontsize=5)
        save_figure(figure, path, DPI)
    what = {"kind": kind, "videos": request.videos, "protocol": request.protocol.name}
    return {**what, "label_edition": request.labelled.edition, "part": request.prepared.part, **about}
