"""What figures of scores over a video's frames draw alike: labelled spans behind the curves."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pagen.figures import BAND


def shade(axis: Axes, spans: Sequence[tuple[int, int]], length: int) -> None:
    """Shade labelled spans of a video's frames, and let the axis hold exactly its frames."""
    for start, end in spans:
        axis.axvspan(start - 0.5, end - 0.5, color=BAND, linewidth=0, zorder=0)
    axis.set_xlim(-0.5, length - 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
