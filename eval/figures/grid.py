"""Pictures in rows and columns of equal size, and below columns of maps their flat colour bars, laid out in inches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pagen.errors import PagenError

HEAT = "inferno"
"""Colours of errors, which a grey print keeps in order."""
OUTLINE = "#56B4E9"
LEFT, RIGHT, GAP, TITLE, BOTTOM, BAR = 0.22, 0.06, 0.08, 0.2, 0.42, 0.07
"""Inches: margins, between pictures, a line of titles, below the last row, and height of a bar in there."""
LETTER = 0.62
"""Width of a letter, in sizes of the font, about."""
LEAST = 0.55
"""Inches that a picture has at least."""


class Grid:
    """A figure of `rows` x `columns` pictures whose height is `tall` times their width.

    Raises PagenError: a width in inches that leaves too little to a picture.
    """

    def __init__(self, width: float, rows: int, columns: int, tall: float) -> None:
        self._wide = (width - LEFT - RIGHT - GAP * (columns - 1)) / columns
        if self._wide < LEAST:
            raise PagenError(
                f"expected room for {columns} pictures beside each other, found a --width of {width:g} inches; give "
                f"{LEFT + RIGHT + columns * (LEAST + GAP):.1f} and more"
            )
        self._tall = self._wide * tall
        self.figure = Figure((width, BOTTOM + rows * (self._tall + TITLE)))
        self.axes = np.array([[self._picture(row, column, rows) for column in range(columns)] for row in range(rows)])

    def bar(self, column: int, image: Any, label: str) -> None:
        """A colour bar below a column of maps, its two ends as numbers, and what they count."""
        low, high = image.get_clim()
        axis = self._at(LEFT + column * (self._wide + GAP), BOTTOM - BAR - 0.05, self._wide, BAR)
        bar = self.figure.colorbar(image, cax=axis, orientation="horizontal")
        bar.set_ticks([low, high], labels=["0", f"{high:.2g}"])
        bar.ax.tick_params(length=2, pad=1.5)
        first, last = bar.ax.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        bar.set_label(label, fontsize=_fitting(label, 7, self._wide), labelpad=1)

    def title(self, row: int, column: int, text: str) -> None:
        """A title above a picture, in letters as large as its width allows."""
        self.axes[row, column].set_title(text, fontsize=_fitting(text, 8, self._wide), pad=3)

    def _picture(self, row: int, column: int, rows: int) -> Axes:
        bottom = BOTTOM + (rows - 1 - row) * (self._tall + TITLE)
        axis = self._at(LEFT + column * (self._wide + GAP), bottom, self._wide, self._tall)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        return axis

    def _at(self, left: float, bottom: float, wide: float, tall: float) -> Axes:
        return add_axes(self.figure, left, bottom, wide, tall)


def _fitting(text: str, size: float, wide: float) -> float:
    """The size in points at which a text is no wider than so many inches, and never above `size`."""
    return min(size, 72 * (wide + GAP / 2) / (LETTER * max(len(text), 1)))


def add_axes(figure: Figure, left: float, bottom: float, wide: float, tall: float) -> Axes:
    """Axes whose place is given in inches."""
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, bottom / height, wide / width, tall / height))


def show_frame(axis: Axes, frame: npt.NDArray[np.uint8]) -> None:
    """Show a frame (H, W, C)."""
    axis.imshow(frame[..., 0] if frame.shape[-1] == 1 else frame, cmap="gray", vmin=0, vmax=255, aspect="auto")


def show_heat(axis: Axes, errors: npt.NDArray[Any], highest: float) -> Any:
    """Show a map (h, w) of errors from 0 to the highest; returns the picture for `Grid.bar`."""
    return axis.imshow(errors, cmap=HEAT, vmin=0, vmax=highest or 1.0, aspect="auto", interpolation="nearest")


def outline(axis: Axes, mask: npt.NDArray[np.bool_] | None, width: float = 0.8) -> None:
    """Outline what a mask (H, W) marks in a frame of its size; the width is in points."""
    if mask is not None and mask.any():
        axis.contour(mask, [0.5], colors=OUTLINE, linewidths=width)
