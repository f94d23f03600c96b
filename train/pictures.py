"""What a run shows for itself: the loss over the steps, and a sheet of what the network makes of clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pagen.folders import atomic
from pagen.footage.flow import colour_wheel
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.train.batches import Batches
from pagen.train.loop import Row
from pagen.train.recipes import Temporal

_INCHES, _WHEEL = 2.6, 0.5


def curves(rows: list[Row], title: str, path: Path) -> None:
    """The mean loss of each epoch, and the learning rate, over the steps."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    steps = [row["step"] for row in rows]
    axis.semilogy(steps, [row["loss"] for row in rows], "o-", color="tab:blue", markersize=3)
    axis.set(xlabel="step", title=title, xlim=(0, None))
    axis.set_ylabel("training loss: mean squared error, mean of each epoch", color="tab:blue", fontsize=9)
    axis.grid(alpha=0.3, which="both")
    other = axis.twinx()
    other.plot(steps, [row["lr"] for row in rows], color="dimgray", linestyle=":")
    other.set_ylabel("learning rate (dotted)", color="dimgray", fontsize=9)
    other.set_ylim(bottom=0)
    save(figure, path)


def sheet(model: ConvAE3d, batches: Batches, path: Path) -> None:
    """Two normal clips, and two pseudo-anomalous ones where the recipe has them: input, target, output, error.

    Every row shows the middle of a clip; the errors of all rows share one scale. A recipe without
    pseudo-anomalies has no column of targets, since they are its inputs.
    """
    middle = batches.recipe.window // 2
    rows = [(label, x[:, middle], y[:, middle], _output(model, x)[:, middle]) for label, x, y in _samples(batches)]
    errors = [np.sqrt(((output - x) ** 2).mean(axis=0)) for _, x, _, output in rows]
    limit = float(np.quantile(np.stack(errors), 0.999)) or 1.0
    titles = ["input", "target", "reconstruction", "error against the input"]
    shown = [0, 1, 2] if batches.recipe.probability > 0 else [0, 2]
    height, width = errors[0].shape
    size = ((len(shown) + 1) * _INCHES + 0.8, len(rows) * _INCHES * height / width + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(batches, middle), fontsize=9)
    axes = figure.subplots(len(rows), len(shown) + 1, squeeze=False)
    for axis, title in zip(axes[0], [titles[column] for column in [*shown, 3]], strict=True):
        axis.set_title(title, fontsize=10)
    for line, (label, *frames), error in zip(axes, rows, errors, strict=True):
        for axis, column in zip(line[:-1], shown, strict=True):
            axis.imshow(_picture(frames[column], batches.flow is not None), cmap="gray", vmin=0, vmax=255)
        heat = line[-1].imshow(error, cmap="inferno", vmin=0, vmax=limit)
        line[0].set_ylabel(label)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    bar = figure.colorbar(heat, ax=axes[:, -1], extend="max", aspect=40)
    bar.set_label("root mean square over the channels (values in [-1, 1])", fontsize=8)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})


def _title(batches: Batches, middle: int) -> str:
    recipe = batches.recipe
    what = f"{recipe.name} on {batches.prepared.dataset}: frame {middle + 1} of {recipe.window} of training clips"
    if isinstance(recipe, Temporal):
        speed = _WHEEL * recipe.radius
        return f"{what}\nhue is direction, saturation speed, full at {speed:g} pixels per frame, darkened beyond"
    return what


def _samples(batches: Batches) -> list[tuple[str, Any, Any]]:
    def take(probability: float, index: int) -> tuple[Any, Any]:
        recipe = replace(batches.recipe, probability=probability, crop=0)
        return replace(batches, recipe=recipe).sample(index)

    samples = [("normal", *take(0.0, index)) for index in (0, 1)]
    if batches.recipe.probability > 0:
        samples += [("pseudo-anomaly", *take(1.0, index)) for index in (2, 3)]
    return samples


def _output(model: ConvAE3d, clip: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        return reconstruct(model, torch.from_numpy(clip)[None].to(device))[0].cpu().numpy()


def _picture(frame: npt.NDArray[np.float32], flow: bool) -> npt.NDArray[np.uint8]:
    """A frame (C, H, W) in [-1, 1] as a picture: flow in the colour wheel, else grey or colour."""
    if flow:
        return colour_wheel(frame[:2], _WHEEL)
    shown = np.rint((frame + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)
