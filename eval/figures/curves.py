"""What figures of scores over a video's frames draw alike: labelled spans behind curves that end where frames do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pagen.figures import BAND


def shade(axis: Axes, spans: Sequence[tuple[int, int]], length: int) -> None:
    """Shade labelled spans of a video's frames, and let the axis hold exactly its frames."""
    for start, end in spans:
        axis.axvspan(start - 0.5, end - 0.5, color=BAND, linewidth=0, zorder=0)
    axis.set_xlim(-0.5, length - 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def broken(
    frames: npt.NDArray[np.int64], values: npt.NDArray[np.float64], every: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Frames and values (T,), with NaN between those over `every` apart, so that no line crosses left-out frames."""
    gaps = np.flatnonzero(np.diff(frames) > every) + 1
    return np.insert(frames.astype(np.float64), gaps, np.nan), np.insert(values.astype(np.float64), gaps, np.nan)
