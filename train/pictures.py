"""What a run shows for itself: the loss over the steps, and a sheet of what the network makes of clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from pagen.folders import atomic
from pagen.footage.flow import colour_wheel
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.train.batches import Batches
from pagen.train.loop import Row

plt.switch_backend("Agg")


def curves(rows: list[Row], title: str, path: Path) -> None:
    """The mean loss of each epoch, and the learning rate, over the steps."""
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    steps = [row["step"] for row in rows]
    axis.semilogy(steps, [row["loss"] for row in rows], "o-", color="tab:blue", markersize=3)
    axis.set(xlabel="step", ylabel="training loss (mean squared error)", title=title)
    axis.yaxis.label.set_color("tab:blue")
    axis.grid(alpha=0.3, which="both")
    other = axis.twinx()
    other.plot(steps, [row["lr"] for row in rows], color="tab:gray", linestyle=":")
    other.set_ylabel("learning rate (dotted)", color="tab:gray")
    other.set_ylim(bottom=0)
    save(figure, path)


def sheet(model: ConvAE3d, batches: Batches, path: Path) -> None:
    """Two normal clips, and two pseudo-anomalous ones where the recipe has them: input, target, output, error.

    Every row shows the middle of a clip; the errors of all rows share one scale.
    """
    samples = _samples(batches)
    flow = batches.flow is not None
    triples = [(label, x, y, _output(model, x)) for label, x, y in samples]
    middle = batches.recipe.window // 2
    errors = [np.sqrt(((output - x)[:, middle] ** 2).mean(axis=0)) for _, x, _, output in triples]
    limit = float(np.quantile(np.stack(errors), 0.999)) or 1.0
    height, width = errors[0].shape
    inches = 2.6
    figure, axes = plt.subplots(
        len(triples), 4, figsize=(4 * inches, len(triples) * inches * height / width + 0.4),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    titles = ("input", "target", "reconstruction", "error against the input")
    for row, ((label, *clips), error) in enumerate(zip(triples, errors, strict=True)):
        for axis, clip in zip(axes[row], clips, strict=False):
            axis.imshow(_picture(clip[:, middle], flow), cmap="gray", vmin=0, vmax=255)
        axes[row, 3].imshow(error, cmap="inferno", vmin=0, vmax=limit)
        axes[row, 0].set_ylabel(label)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
    plt.close(figure)


def _samples(batches: Batches) -> list[tuple[str, Any, Any]]:
    def take(probability: float, index: int) -> tuple[Any, Any]:
        recipe = replace(batches.recipe, probability=probability, crop=0)
        return replace(batches, recipe=recipe).sample(index)

    samples = [("normal", *take(0.0, index)) for index in (0, 1)]
    if batches.recipe.probability > 0:
        samples += [("pseudo-anomalous", *take(1.0, index)) for index in (2, 3)]
    return samples


def _output(model: ConvAE3d, clip: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        return reconstruct(model, torch.from_numpy(clip)[None].to(device))[0].cpu().numpy()


def _picture(frame: npt.NDArray[np.float32], flow: bool) -> npt.NDArray[np.uint8]:
    """A frame (C, H, W) in [-1, 1] as a picture: flow in the colour wheel, else grey or colour."""
    if flow:
        return colour_wheel(frame[:2], 0.5)
    shown = ((frame + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)
