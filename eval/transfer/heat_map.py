"""The heat map of `transfer`: a line a recipe and data set trained on, a column a data set tested on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pagen.eval.results import TRIVIAL, percent
from pagen.eval.transfer.lines import Line
from pagen.eval.transfer.results import Transferred
from pagen.figures import save_figure

CHANCE, DARK = 50, 73
"""AUROC x 100 at which colours begin, and below which they are too dark for black letters."""
COLOURS = colormaps["cividis"].with_extremes(bad="lightgrey")
"""Which a grey print keeps in order."""
SHOWN = "micro AUROC x 100 (50: chance) and its 95 % interval"
FEW = 4
"""Names of data sets that stand upright; more of them lean."""


def heat_map(transferred: Transferred, path: Path) -> None:
    """Draw the micro AUROCs as PNG, with intervals; framed where a run is tested on what it was trained on.

    Lines of one method stand together, and a white rule parts methods.
    """
    names = transferred.datasets
    lines = sorted(transferred.lines, key=lambda line: (line.run != TRIVIAL, line.method))
    figure = Figure(figsize=(4.2 + 1.35 * len(names), 1.7 + 0.5 * len(lines)), layout="constrained")
    axis = figure.subplots()
    values = 100 * np.array([[line.micro(name) for name in names] for line in lines])
    image = axis.imshow(values, cmap=COLOURS, vmin=CHANCE, vmax=100, aspect="auto")
    lean: dict[str, Any] = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if len(names) > FEW else {}
    axis.set_xticks(range(len(names)), names, **lean)
    axis.set_yticks(range(len(lines)), [_label(line) for line in lines], fontsize=8)
    axis.set(
        xlabel="tested on (framed: what it was trained on)", title=f"Transfer, protocol {transferred.protocol}: {SHOWN}"
    )
    axis.title.set_fontsize(10)
    for height, line in enumerate(lines):
        for place, name in enumerate(names):
            _write(axis, place, height, line, name)
    for height, (above, below) in enumerate(pairwise(lines)):
        if above.method != below.method:
            axis.axhline(height + 0.5, color="white", linewidth=3)
    figure.colorbar(image, ax=axis, extend="min" if (values < CHANCE).any() else "neither", extendfrac=0.02)
    save_figure(figure, path, dpi=150)


def _label(line: Line) -> str:
    """What was trained, of which seeds, and on what."""
    about = line.about
    if line.run == TRIVIAL:
        return f"{line.indicator}\n{line.run}"
    seeds = f"{'seed' if len(line.seeds) == 1 else 'seeds'} {' '.join(map(str, line.seeds))}"
    return f"{line.method}, {seeds}\ntrained on {about.trained_on}"


def _write(axis: Any, place: int, height: int, line: Line, target: str) -> None:
    area, row = 100 * line.micro(target), line.rows[target]
    colour = "white" if area < DARK else "black"
    spread = f" +-{percent(line.spread(target))}" if len(line.seeds) > 1 else ""
    shown = f"{percent(line.micro(target))}{spread}"
    axis.text(place, height - 0.12, shown, color=colour, ha="center", va="center", fontsize=10)
    if row.low == row.low:
        between = f"{percent(row.low)}-{percent(row.high)}"
        axis.text(place, height + 0.24, between, color=colour, ha="center", va="center", fontsize=8)
    if target in line.own:
        axis.add_patch(Rectangle((place - 0.46, height - 0.41), 0.92, 0.82, fill=False, edgecolor=colour, linewidth=2))
