"""Draw MULDE's toy, its figures 2 and S1: four Gaussians in the plane, learnt with its regulariser and without.

    python docs/mulde_toy.py

Made-up points and no footage; half a minute of a core. Writes `mulde_toy.png`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pagen.figures import COLOURS, paper_style, save_figure
from pagen.models.density.mulde import MULDE

Floats = npt.NDArray[np.float64]
NORMAL = ((1, 0), (-1, 0), (0, 1), (0, -1))
ABNORMAL = ((0, 0), (0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (1.7, 0), (-1.7, 0), (0, 1.7), (0, -1.7))
"""Centres of what is learnt, and of what lies between and around them; `sampled` scales them."""
SIGMAS = (0.1, 0.334, 0.6, 1.0)
REACH, SIDE = 6.0, 81
"""Of the maps: how far from the middle they go, and points a side."""


@dataclass(frozen=True)
class Toy:
    """Draw it."""

    out: Path = Path(__file__).parent / "mulde_toy.png"
    """The file."""
    steps: int = 2000
    """Of training."""
    width: int = 128
    """Units of either hidden layer."""


def main(config: Toy) -> None:
    """Train twice, and draw both."""
    made = {f"beta {beta:g}": fitted(beta, config.steps, config.width) for beta in (0.1, 0.0)}
    with paper_style():
        save_figure(drawn(made), config.out, dpi=150)


def sampled(centres: tuple[tuple[float, float], ...], count: int, seed: int) -> Floats:
    """Points (count, 2) around centres drawn alike."""
    rng = np.random.default_rng(seed)
    where = np.array(centres)[rng.integers(len(centres), size=count)]
    return np.asarray((0.3 * rng.standard_normal((count, 2)) + 4 * where) / 2**0.5)


def fitted(beta: float, steps: int, width: int) -> MULDE:
    """A detector of the normal points."""
    settings = {"steps": steps, "batch": 512, "lr": 2e-3, "sample": 2000}
    return MULDE(beta=beta, widths=(width, width), **settings).fit(sampled(NORMAL, 10_000, 0))


def answers(detector: MULDE, points: Floats, sigma: float) -> tuple[Floats, Floats]:
    """f, the negative log-density up to a constant, and the length of its gradient, (N,) each, at points (N, 2)."""
    inputs = torch.from_numpy(detector.standard(points)).float().requires_grad_()
    f = detector.network(inputs, torch.full((len(points), 1), sigma))
    (slope,) = torch.autograd.grad(f.sum(), inputs)
    return f.detach()[:, 0].double().numpy(), slope.norm(dim=1).double().numpy()


def plane() -> Floats:
    """The points of a map, (SIDE * SIDE, 2), row by row from below."""
    line = np.linspace(-REACH, REACH, SIDE)
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def drawn(made: dict[str, MULDE]) -> Figure:
    """Points, and f over the scales; below, for each detector, maps of f and of its gradient's length."""
    figure = Figure((7, 2 + 3 * len(made)), layout="constrained")
    top, *below = figure.subfigures(1 + len(made), 1, height_ratios=[2, *[3] * len(made)])
    normal, abnormal = sampled(NORMAL, 150, 1), sampled(ABNORMAL, 150, 2)
    first, *rest = top.subplots(1, 1 + len(made))
    for points, colour, label in ((normal, COLOURS[0], "normal"), (abnormal, COLOURS[1], "abnormal")):
        first.plot(*points.T, ".", markersize=2, color=colour, label=label)
        for axis, detector in zip(rest, made.values(), strict=True):
            axis.plot(detector.levels, detector.vectors(points[:60]).T, color=colour, linewidth=0.4, alpha=0.6)
    first.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", title="points")
    first.legend(loc="upper left", fontsize=6, handletextpad=0)
    for axis, name in zip(rest, made, strict=True):
        axis.set(xlabel="sigma", title=f"f of each point, {name}")
    for part, (name, detector) in zip(below, made.items(), strict=True):
        grid = part.subplots(2, len(SIGMAS))
        for column, sigma in enumerate(SIGMAS):
            density, length = answers(detector, plane(), sigma)
            shown(grid[0, column], density, f"f, {name}, sigma {sigma:g}")
            shown(grid[1, column], length, "length of its gradient")
    return figure


def shown(axis: Axes, values: Floats, title: str) -> None:
    """A map of the plane, with lines of equal height, on a scale of its own."""
    square = values.reshape(SIDE, SIDE)
    axis.imshow(square, origin="lower", extent=(-REACH, REACH, -REACH, REACH), cmap="viridis")
    axis.contour(square, 8, extent=(-REACH, REACH, -REACH, REACH), colors="white", linewidths=0.3)
    axis.set_title(title, fontsize=7)
    axis.set(xticks=[], yticks=[])


if __name__ == "__main__":
    main(tyro.cli(Toy))
