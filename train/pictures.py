"""What a run shows for itself: the loss over the steps, and a sheet of what the network makes of clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from pagen.folders import atomic
from pagen.footage.flow import colour_wheel
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.train.batches import Batches
from pagen.train.loop import Row
from pagen.train.recipes import Temporal

Clip = npt.NDArray[np.float32]
_INCHES, _TRIED, _SHOWN = 2.6, 6, 2


@dataclass(frozen=True)
class _Line:
    """One line of the sheet: frame number `at` of a clip (C, H, W)."""

    label: str
    at: int
    input: Clip
    target: Clip
    output: Clip

    @property
    def error(self) -> Clip:
        """(H, W), the root mean square over the channels."""
        error: Clip = np.sqrt(np.square(self.output - self.input).mean(axis=0))
        return error


def curves(rows: list[Row], title: str, path: Path) -> None:
    """The mean loss of each epoch, and the learning rate, over the steps."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    steps, losses = [row["step"] for row in rows], [row["loss"] for row in rows]
    axis.semilogy(steps, losses, "o-", color="tab:blue", markersize=3)
    axis.set(xlabel="step (a point at the end of each epoch)", title=title, xlim=(0, None))
    axis.set_ylabel("training loss (mean squared error)", color="tab:blue")
    ticks = (1, 2, 5) if max(losses) > 10 * min(losses) else (1, 1.5, 2, 3, 4, 5, 6, 8)
    axis.yaxis.set_major_locator(LogLocator(subs=ticks))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.3)
    other = axis.twinx()
    other.plot(steps, [row["lr"] for row in rows], color="dimgray", linestyle=":")
    other.set_ylabel("learning rate (dotted)", color="dimgray")
    other.set_ylim(bottom=0)
    save(figure, path)


def sheet(model: ConvAE3d, batches: Batches, path: Path) -> None:
    """Two normal clips, and two pseudo-anomalous ones where the recipe has them: input, target, output, error.

    A line shows the middle of a normal clip, and of a pseudo-anomalous one the frame that was changed
    most. The errors of all lines share one scale. A recipe without pseudo-anomalies has no column of
    targets, since they are its inputs.
    """
    lines = [_line(model, *sample) for sample in _samples(batches)]
    limit = float(np.quantile(np.stack([line.error for line in lines]), 0.999)) or 1.0
    coloured = isinstance(batches.recipe, Temporal) and batches.recipe.encoding == "rgb"
    fast = _fast(lines) if batches.flow is not None and not coloured else None
    columns = {"input": "input", "target": "target", "output": "reconstruction"}
    if batches.recipe.probability == 0:
        del columns["target"]
    height, width = lines[0].error.shape
    size = ((len(columns) + 1) * _INCHES + 0.8, len(lines) * _INCHES * height / width + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(batches, fast), fontsize=9)
    axes = figure.subplots(len(lines), len(columns) + 1, squeeze=False)
    for row, line in zip(axes, lines, strict=True):
        for axis, column in zip(row, columns, strict=False):
            axis.imshow(_picture(getattr(line, column), fast), cmap="gray", vmin=0, vmax=255)
        heat = row[-1].imshow(line.error, cmap="inferno", vmin=0, vmax=limit)
        row[0].set_ylabel(f"{line.label}\nframe {line.at + 1} of {batches.recipe.window}", fontsize=9)
    for axis, title in zip(axes[0], [*columns.values(), "error against the input"], strict=True):
        axis.set_title(title, fontsize=10)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    bar = figure.colorbar(heat, ax=axes[:, -1], extend="max", aspect=12 * len(lines))
    bar.set_label("error of values in [-1, 1]", fontsize=9)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})


def _title(batches: Batches, fast: float | None) -> str:
    recipe = batches.recipe
    what = f"{recipe.name} on {batches.prepared.dataset}, training clips"
    if recipe.probability > 0:
        what += f"; pseudo-anomalies: the {_SHOWN} of {_TRIED} that differ most from their targets"
    if isinstance(recipe, Temporal):
        what += f"\nhue is direction, saturation speed, full at {(fast or 1) * recipe.radius:.2g} pixels per frame"
    return what


def _samples(batches: Batches) -> list[tuple[str, Clip, Clip]]:
    def take(probability: float, index: int) -> tuple[Clip, Clip]:
        recipe = replace(batches.recipe, probability=probability, crop=0)
        return replace(batches, recipe=recipe).sample(index)

    samples = [("normal", *take(0.0, index)) for index in range(_SHOWN)]
    if batches.recipe.probability > 0:
        tried = [take(1.0, _SHOWN + index) for index in range(_TRIED)]
        most = sorted(tried, key=lambda pair: -float(np.abs(pair[0] - pair[1]).mean()))
        samples += [("pseudo-anomaly", *pair) for pair in most[:_SHOWN]]
    return samples


def _line(model: ConvAE3d, label: str, clip: Clip, target: Clip) -> _Line:
    change = np.abs(clip - target).mean(axis=(0, 2, 3))
    at = int(change.argmax()) if change.any() else len(change) // 2
    return _Line(label, at, clip[:, at], target[:, at], _output(model, clip)[:, at])


def _fast(lines: list[_Line]) -> float:
    """A speed that few of the pixels exceed."""
    flow = np.stack([line.input[:2] for line in lines])
    return float(np.quantile(np.hypot(flow[:, 0], flow[:, 1]), 0.995)) or 1.0


def _output(model: ConvAE3d, clip: Clip) -> Clip:
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        return reconstruct(model, torch.from_numpy(clip)[None].to(device))[0].cpu().numpy()


def _picture(frame: Clip, fast: float | None) -> npt.NDArray[np.uint8]:
    """A frame (C, H, W) in [-1, 1] as a picture: flow in the colour wheel, full at the speed `fast`."""
    if fast is not None:
        return colour_wheel(frame[:2], fast)
    shown: npt.NDArray[np.uint8] = np.rint((frame + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)
