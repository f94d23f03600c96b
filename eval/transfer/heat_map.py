"""The heat map of `transfer`: a line a run, a column a data set tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pagen.eval.results import TRIVIAL, Row, percent
from pagen.eval.transfer.results import Line, Transferred
from pagen.figures import save_figure

CHANCE, DARK = 50, 73
"""AUROC x 100 at which colours begin, and below which they are too dark for black letters."""
COLOURS = colormaps["cividis"].with_extremes(bad="lightgrey")
"""Which a grey print keeps in order."""


def heat_map(transferred: Transferred, path: Path) -> None:
    """Draw the micro AUROCs as PNG, with intervals; framed where a run is tested on what it was trained on."""
    lines, names = transferred.lines, transferred.datasets
    figure = Figure(figsize=(4.2 + 1.35 * len(names), 1.7 + 0.5 * len(lines)), layout="constrained")
    axis = figure.subplots()
    values = 100 * np.array([[line.rows[name].micro for name in names] for line in lines])
    image = axis.imshow(values, cmap=COLOURS, vmin=CHANCE, vmax=100, aspect="auto")
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(lines)), [_label(line) for line in lines], fontsize=8)
    axis.set(xlabel="tested on (framed: what it was trained on)", title=f"Transfer, protocol {transferred.protocol}")
    axis.title.set_fontsize(10)
    for height, line in enumerate(lines):
        for place, name in enumerate(names):
            _write(axis, place, height, line.rows[name], name)
    axis.axhline(sum(line.run == TRIVIAL for line in lines) - 0.5, color="white", linewidth=5)
    bar = figure.colorbar(image, ax=axis, extend="min" if (values < CHANCE).any() else "neither")
    bar.set_label("micro AUROC x 100 (50: chance), 95 % interval", fontsize=9)
    save_figure(figure, path, dpi=150)


def _label(line: Line) -> str:
    return f"{line.title}\n" + (f"trained on {line.about.trained_on}" if line.about.trained_on else line.run)


def _write(axis: Any, place: int, height: int, row: Row, target: str) -> None:
    colour = "white" if 100 * row.micro < DARK else "black"
    axis.text(place, height - 0.12, percent(row.micro), color=colour, ha="center", va="center", fontsize=10)
    if row.low == row.low:
        between = f"{percent(row.low)}-{percent(row.high)}"
        axis.text(place, height + 0.24, between, color=colour, ha="center", va="center", fontsize=8)
    if row.trained_on == target:
        axis.add_patch(Rectangle((place - 0.46, height - 0.41), 0.92, 0.82, fill=False, edgecolor=colour, linewidth=2))
