"""`gallery.png`: what a PA set looks like, a few rows of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pagen.folders import atomic
from pagen.footage.flow import colour_wheel
from pagen.generate.pa_set import Item, PASet, Pseudo

Picture = npt.NDArray[np.uint8]
_ROWS, _STRIP, _INCHES = 3, 8, 2.5
_COLUMNS = ("normal", "mask", "pseudo-anomaly", "difference")


def gallery(pseudo: PASet, path: Path) -> None:
    """Draw the gallery: normal, mask, pseudo, difference; flow in the colour wheel; filmstrips for skip."""
    kinds = [kind for kind in pseudo.kinds if pseudo.items(kind, pseudo.folder.config["length"])]
    height, width = pseudo.prepared.size
    rows = [_INCHES * height / width * (0.5 * 2 if kind == "skip" else 1) * _ROWS + 0.5 for kind in kinds]
    figure = Figure(figsize=(_INCHES * 4, sum(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(kinds), 1, height_ratios=rows, squeeze=False)[:, 0] if kinds else []
    for part, kind in zip(parts, kinds, strict=True):
        draw = _filmstrips if kind == "skip" else _comparison
        draw(part, pseudo, kind)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})


def _comparison(part: Any, pseudo: PASet, kind: str) -> None:
    """Rows of normal, mask, pseudo, difference, each of the middle of a clip."""
    part.suptitle(_title(pseudo, kind), x=0.01, ha="left", fontsize=11)
    axes = part.subplots(_ROWS, 4, squeeze=False)
    for row, (item, clip) in zip(axes, _chosen(pseudo, kind), strict=False):
        for axis, picture in zip(row, _pictures(clip, kind), strict=True):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="none")
        row[0].set_ylabel(f"{item.clip}  frame {item.start + len(clip.pseudo) // 2}", fontsize=7)
    for axis, title in zip(axes[0], _COLUMNS, strict=True):
        axis.set_title(title, fontsize=9)
    _bare(axes)


def _filmstrips(part: Any, pseudo: PASet, kind: str) -> None:
    """Rows in pairs: every other frame of the normal clip, and below it of the pseudo-anomalous one."""
    part.suptitle(_title(pseudo, kind), x=0.01, ha="left", fontsize=11)
    axes = part.subplots(2 * _ROWS, _STRIP, squeeze=False)
    for index, (item, clip) in enumerate(_chosen(pseudo, kind)):
        stride = item.parameters["stride"]
        for row, frames, step, label in ((0, clip.target, 1, "normal"), (1, clip.pseudo, stride, f"stride {stride}")):
            strip = axes[2 * index + row]
            for place, axis in enumerate(strip):
                t = min(place * len(frames) // _STRIP, len(frames) - 1)
                axis.imshow(_shown(frames[t]), cmap="gray", vmin=0, vmax=255, interpolation="none")
                axis.set_title(str(item.start + t * step), fontsize=6, pad=2)
            strip[0].set_ylabel(label, fontsize=7)
    _bare(axes)


def _chosen(pseudo: PASet, kind: str) -> Iterator[tuple[Item, Pseudo]]:
    """Items spread evenly over the set."""
    length = pseudo.folder.config["length"]
    items = pseudo.items(kind, length)
    for place in np.linspace(0, len(items) - 1, _ROWS + 2).astype(int)[1:-1]:
        item = items[place]
        yield item, pseudo.render(item, length)


def _pictures(clip: Pseudo, kind: str) -> list[Picture]:
    middle = len(clip.pseudo) // 2
    normal, made = clip.target[middle], clip.pseudo[middle]
    assert clip.mask is not None
    mask = (np.asarray(clip.mask[middle], np.float32) * 255).astype(np.uint8)
    if kind == "temporal":
        radius = max(float(np.quantile(np.hypot(normal[0], normal[1]).astype(np.float32), 0.998)), 1.0)
        return [
            colour_wheel(normal, radius),
            mask,
            colour_wheel(made, radius),
            colour_wheel(made.astype(np.float32) - normal, radius),
        ]
    difference = np.abs(made.astype(np.int16) - normal).astype(np.uint8)
    return [_shown(normal), mask, _shown(made), _shown(difference)]


def _shown(frame: Picture) -> Picture:
    return frame[..., 0] if frame.shape[-1] == 1 else frame


def _title(pseudo: PASet, kind: str) -> str:
    config = pseudo.folder.config
    how = {
        "spatial": f"{config['inpainter']}, masks: {config['masks']}",
        "temporal": f"{config['flow']} flow mixed in the {config['region']}, masks: {config['masks']}",
        "skip": "every s-th frame; the numbers are the video's frames",
        "patch": "SmoothMixS; an intruder seen through a window that wanders",
    }
    return f"{kind}: {how[kind]}"


def _bare(axes: Any) -> None:
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        for side in axis.spines.values():
            side.set_visible(False)
