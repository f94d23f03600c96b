"""Figures of matplotlib as files: no window, no trace of the machine, whole or not at all; and one style for papers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.folders import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNDATED = {"png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}, "svg": {"Date": None}}
"""Format of a file -> what is left out of it, so that the same figure is the same bytes."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Of curves: the colour-blind tell them apart (Okabe and Ito 2008)."""
PLAIN = "#555555"
"""Of the trivial baseline's curve, which is dashed."""
BAND = "#E2E2E2"
"""Behind frames that are labelled abnormal."""
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.1,
    "lines.solid_joinstyle": "round",
    "pdf.fonttype": 42,
    "svg.hashsalt": "pagen",
}
"""Letters of 7 and 8 points, which a column of a paper (3.4 inches) keeps readable; fonts are embedded."""


@contextmanager
def paper_style() -> Iterator[None]:
    """Figures that are made and saved inside have `STYLE`."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


def save_figure(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Write a figure as PNG, PDF or SVG, by the name's ending; the dots an inch are of pictures alone.

    Raises PagenError: another ending.
    """
    form = require_form(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with atomic(path) as temporary, letter_by_letter(figure):
        figure.savefig(temporary, dpi=dpi, format=form, metadata=UNDATED[form])


@contextmanager
def letter_by_letter(figure: Figure) -> Iterator[None]:
    """Texts of a figure are drawn as they are inside: names of clips, data sets and runs may hold any sign.

    To matplotlib what stands between two dollars is a formula, and one that it may not understand.
    """
    import matplotlib
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_parse_math(False)
    with matplotlib.rc_context({"text.parse_math": False}):  # of ticks, which are made while drawing
        yield


def require_form(path: Path) -> str:
    """The format that a figure's path ends with. Raises PagenError: none of `UNDATED`."""
    form = path.suffix.removeprefix(".").lower()
    if form not in UNDATED:
        raise PagenError(f"expected a figure that ends with .png, .pdf or .svg, found {path}; give it such a name")
    return form
