"""What a run shows for itself: the loss over the steps, and a sheet of what the network makes of clips."""

from __future__ import annotations

from collections.abc import Callable
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
from pagen.models.conv_ae import reconstruct
from pagen.models.luss import predict
from pagen.train.batches import ClipBatches
from pagen.train.painted_features import FeatureBatches
from pagen.train.recipes.clips import Luss, Temporal
from pagen.train.state import Row

Clip = npt.NDArray[np.float32]
_INCHES, _TRIED, _SHOWN = 2.6, 6, 2


@dataclass(frozen=True)
class _Line:
    """One line of the sheet: frame number `at` of a clip, by the titles of the columns, and where it errs."""

    label: str
    at: int
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


def sheet(network: Any, batches: Any, path: Path) -> None:
    """What a run makes of training clips, as pictures.

    Of an autoencoder two normal clips, and two pseudo-anomalous ones where the recipe has them: input, target,
    output, error. A line shows the middle of a normal clip, and of a pseudo-anomalous one the frame that was
    changed most. LUSS-AE shows the next frame and its prediction too. The errors of all lines share one scale.
    A recipe without pseudo-anomalies has no column of targets, since they are its inputs. Of the discriminator a
    histogram of what it says of normal and of painted frames.
    """
    if isinstance(batches, FeatureBatches):
        save_figure(_histogram(network, batches), path)
        return
    lines = _luss_lines(network, batches) if isinstance(batches.recipe, Luss) else _lines(network, batches)
    limit = float(np.quantile(np.stack([line.error for line in lines]), 0.999)) or 1.0
    coloured = isinstance(batches.recipe, Temporal) and batches.recipe.encoding == "rgb"
    fast = _fast(lines) if batches.flow is not None and not coloured else None
    titles = [
        *lines[0].shown,
        "error of the prediction" if "prediction" in lines[0].shown else "error against the input",
    ]
    height, width = lines[0].error.shape
    size = (len(titles) * _INCHES + 0.8, len(lines) * _INCHES * height / width + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(batches, fast), fontsize=9)
    axes = figure.subplots(len(lines), len(titles), squeeze=False)
    for row, line in zip(axes, lines, strict=True):
        for axis, frame in zip(row, line.shown.values(), strict=False):
            axis.imshow(_picture(frame, fast), cmap="gray", vmin=0, vmax=255)
        heat = row[-1].imshow(line.error, cmap="inferno", vmin=0, vmax=limit)
        row[0].set_ylabel(f"{line.label}\nframe {line.at + 1} of {batches.recipe.window}", fontsize=9)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    bar = figure.colorbar(heat, ax=axes[:, -1], extend="max", aspect=12 * len(lines))
    bar.set_label("error of values in [-1, 1]", fontsize=9)
    save_figure(figure, path)


def _title(batches: ClipBatches, fast: float | None) -> str:
    recipe = batches.recipe
    what = f"{recipe.name} on {batches.prepared.dataset}, training clips"
    if recipe.probability > 0:
        what += f"; pseudo-anomalies: the {_SHOWN} of {_TRIED} that differ most from their targets"
    if isinstance(recipe, Temporal):
        what += f"\nhue is direction, saturation speed, full at {(fast or 1) * recipe.radius:.2g} pixels per frame"
    return what


def _sample(batches: ClipBatches, probability: float, index: int) -> dict[str, Clip]:
    recipe = replace(batches.recipe, probability=probability, crop=0)
    return replace(batches, recipe=recipe).sample(index)


def _lines(network: Any, batches: ClipBatches) -> list[_Line]:
    lines = [_line(network, batches, "normal", _sample(batches, 0.0, index)) for index in range(_SHOWN)]
    if batches.recipe.probability > 0:
        tried = [_sample(batches, 1.0, _SHOWN + index) for index in range(_TRIED)]
        most = sorted(tried, key=lambda pair: -float(np.abs(pair["clips"] - pair["targets"]).mean()))
        lines += [_line(network, batches, "pseudo-anomaly", pair) for pair in most[:_SHOWN]]
    return lines


def _line(network: Any, batches: ClipBatches, label: str, sample: dict[str, Clip]) -> _Line:
    clip, target = sample["clips"], sample["targets"]
    change = np.abs(clip - target).mean(axis=(0, 2, 3))
    at = int(change.argmax()) if change.any() else len(change) // 2
    output = _on(network, lambda clips: reconstruct(network, clips), clip)[:, at]
    shown = {"input": clip[:, at], "target": target[:, at], "reconstruction": output}
    if batches.recipe.probability == 0 or "signs" in sample:
        del shown["target"]
    return _Line(label, at, shown, _error(output, clip[:, at]))


def _luss_lines(network: Any, batches: ClipBatches) -> list[_Line]:
    lines = []
    for index in range(2 * _SHOWN):
        sample = _sample(batches, 0.0, index)
        last, coming = sample["clips"][:, -1], sample["next"][:, 0]
        rebuilt = _on(network, lambda clips: predict(network, clips).vcr, sample["clips"])[:, -1]
        predicted = _on(network, lambda clips: predict(network, clips).ffp, sample["clips"])[:, 0]
        shown = {"last frame": last, "reconstruction": rebuilt, "next frame": coming, "prediction": predicted}
        lines.append(_Line("normal", batches.recipe.window - 1, shown, _error(predicted, coming)))
    return lines


def _histogram(network: Any, batches: FeatureBatches) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    pairs = range(0, 2 * len(batches.places), max(1, 2 * len(batches.places) // 4000))
    for label, odd in (("normal frames", 0), ("painted frames", 1)):
        features = np.stack([batches.sample(2 * (index // 2) + odd)["features"] for index in pairs])
        axis.hist(_on(network, network, features, batched=True), bins=60, alpha=0.6, label=label)
    axis.set(xlabel="log-odds of being painted", ylabel="training frames", title="what the discriminator says")
    axis.legend()
    return figure


def _error(output: Clip, shown: Clip) -> Clip:
    error: Clip = np.sqrt(np.square(output - shown).mean(axis=0))
    return error


def _fast(lines: list[_Line]) -> float:
    """A speed that few of the pixels exceed."""
    flow = np.stack([line.shown["input"][:2] for line in lines])
    return float(np.quantile(np.hypot(flow[:, 0], flow[:, 1]), 0.995)) or 1.0


def _on(network: Any, function: Callable[[Any], Any], array: Clip, batched: bool = False) -> Clip:
    """The function of one clip, or of a batch, as arrays, on the device where the network lies."""
    network.eval()
    device = next(network.parameters()).device
    with torch.no_grad():
        found: torch.Tensor = function(torch.from_numpy(array if batched else array[None]).to(device))
    result: Clip = found.cpu().numpy()
    return result if batched else result[0]


def _picture(frame: Clip, fast: float | None) -> npt.NDArray[np.uint8]:
    """A frame (C, H, W) in [-1, 1] as a picture: flow in the colour wheel, full at the speed `fast`."""
    if fast is not None:
        return colour_wheel(frame[:2], fast)
    shown: npt.NDArray[np.uint8] = np.rint((frame + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return shown[0] if len(shown) == 1 else shown.transpose(1, 2, 0)
