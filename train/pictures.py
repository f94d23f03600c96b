"""What a run shows for itself: the loss over the steps, and a sheet of what the network makes of clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from pagen.figures import save_figure
from pagen.footage.flow import colour_wheel
from pagen.train.batches import ClipBatches
from pagen.train.recipes.clips import ClipRecipe
from pagen.train.state import Row

Clip = npt.NDArray[np.float32]
_INCHES, _TRIED, _SHOWN = 2.6, 6, 2


@dataclass(frozen=True)
class _Line:
    """One line of the sheet: a frame of a clip, by the titles of the columns, and where it errs."""

    label: str
    frame: int
    shown: dict[str, Clip]
    """Frames (C, H, W)."""
    error: Clip
    """(H, W), the root mean square over the channels."""


def curves(rows: list[Row], title: str, path: Path) -> None:
    """The mean loss of each epoch, and the learning rate, over the steps."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    steps, losses = [row["step"] for row in rows], [row["loss"] for row in rows]
    axis.semilogy(steps, losses, "o-", color="tab:blue", markersize=3)
    axis.set(xlabel="step (a point at the end of each epoch)", title=title, xlim=(0, None))
    axis.set_ylabel("training loss", color="tab:blue")
    ticks = (1, 2, 5) if max(losses) > 10 * min(losses) else (1, 1.5, 2, 3, 4, 5, 6, 8)
    axis.yaxis.set_major_locator(LogLocator(subs=ticks))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.3)
    other = axis.twinx()
    other.plot(steps, [row["lr"] for row in rows], color="dimgray", linestyle=":")
    other.set_ylabel("learning rate (dotted)", color="dimgray")
    other.set_ylim(bottom=0)
    save_figure(figure, path)


def sheet(network: Any, batches: ClipBatches, path: Path) -> None:
    """What a network makes of training clips, as a picture, a line a clip.

    Normal clips, and pseudo-anomalous ones where the recipe has a share of them; which frame of a clip a line shows,
    and in which columns, the recipe says. The errors of all lines share one scale.
    """
    recipe, lines = batches.recipe, _lines(network, batches)
    limit = float(np.quantile(np.stack([line.error for line in lines]), 0.999)) or 1.0
    fast = _fast(lines) if recipe.vectors else None
    titles = [*lines[0].shown, recipe.compared[0]]
    height, width = lines[0].error.shape
    size = (len(titles) * _INCHES + 0.8, len(lines) * _INCHES * height / width + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(batches, fast), fontsize=9)
    axes = figure.subplots(len(lines), len(titles), squeeze=False)
    for row, line in zip(axes, lines, strict=True):
        heat = _draw(row, line, recipe.window, limit, fast)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    bar = figure.colorbar(heat, ax=axes[:, -1], extend="max", aspect=12 * len(lines))
    bar.set_label("error of values in [-1, 1]", fontsize=9)
    save_figure(figure, path)


def _draw(row: Any, line: _Line, window: int, limit: float, fast: float | None) -> Any:
    """The pictures of a line, and the last one, of its error, which is returned."""
    for axis, frame in zip(row, line.shown.values(), strict=False):
        axis.imshow(_picture(frame, fast), cmap="gray", vmin=0, vmax=255)
    row[0].set_ylabel(f"{line.label}\nframe {line.frame + 1} of {window}", fontsize=9)
    return row[-1].imshow(line.error, cmap="inferno", vmin=0, vmax=limit)


def _title(batches: ClipBatches, fast: float | None) -> str:
    recipe = batches.recipe
    title = f"{recipe.name} on {batches.prepared.dataset}, training clips"
    if recipe.probability > 0:
        title += f"; pseudo-anomalies: the {_SHOWN} of {_TRIED} that differ most from their targets"
    return title + recipe.note(fast or 1)


def _lines(network: Any, batches: ClipBatches) -> list[_Line]:
    count = batches.recipe.normal_lines
    lines = [_line(network, batches.recipe, "normal", _sample(batches, 0.0, index)) for index in range(count)]
    if batches.recipe.probability > 0:
        tried = [_sample(batches, 1.0, count + index) for index in range(_TRIED)]
        most = sorted(tried, key=lambda sample: -float(np.abs(sample["clips"] - sample["targets"]).mean()))
        lines += [_line(network, batches.recipe, "pseudo-anomaly", sample) for sample in most[:_SHOWN]]
    return lines


def _sample(batches: ClipBatches, probability: float, index: int) -> dict[str, Clip]:
    recipe = replace(batches.recipe, probability=probability, crop=0, warm_up=0)
    return replace(batches, recipe=recipe).sample(index)


def _line(network: Any, recipe: ClipRecipe, label: str, sample: dict[str, Clip]) -> _Line:
    change = np.abs(sample["clips"] - sample["targets"]).mean(axis=(0, 2, 3))
    frame = recipe.frame_shown(int(change.argmax()) if change.any() else None)
    shown = recipe.shown(sample, _outputs(network, sample["clips"]), frame)
    output, wanted = (shown[title] for title in recipe.compared[1:])
    return _Line(label, frame, shown, np.sqrt(np.square(output - wanted).mean(axis=0)))


def _outputs(network: Any, clip: Clip) -> dict[str, Clip]:
    """All outputs of the network of one clip, by name, on the device where the network lies."""
    device = next(network.eval().parameters()).device
    with torch.no_grad():
        outputs = network.graph(torch.from_numpy(clip[None]).to(device))
    return {name: output.cpu().numpy()[0] for name, output in zip(network.outputs, outputs, strict=True)}


def _fast(lines: list[_Line]) -> float:
    """A speed that few of the pixels exceed."""
    flow = np.stack([line.shown["input"][:2] for line in lines])
    return float(np.quantile(np.hypot(flow[:, 0], flow[:, 1]), 0.995)) or 1.0


def _picture(frame: Clip, fast: float | None) -> npt.NDArray[np.uint8]:
    """A frame (C, H, W) in [-1, 1] as a picture: flow in the colour wheel, full at the speed `fast`."""
    if fast is not None:
        return colour_wheel(frame[:2], fast)
    shown: npt.NDArray[np.uint8] = np.rint((frame + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)
