"""`gallery.png`: what a PA set looks like, a few rows of every kind.

A row is the most visible of some clips, since many pseudo-anomalies hardly differ from what they were made of (lambda
near 1, a walker filled with a walker).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pagen.arrays import Frames
from pagen.figures import save_figure
from pagen.footage.flow import colour_wheel
from pagen.generate.pa_set import Item, PASet, Pseudo
from pagen.generate.temporal import bounding_box

_TRIED, _STRIP, _INCHES = 5, 8, 1.9
_COLUMNS = ("normal, whole", "normal", "mask", "pseudo-anomaly")
_DIFFERENCE = {"spatial": (3, "difference x3"), "temporal": (1, "difference"), "patch": (1, "difference")}


def gallery(pseudo: PASet, path: Path, rows: int = 3) -> None:
    """Draw `rows` clips of each kind: normal, mask, pseudo, difference; flow as a colour wheel; filmstrips for skip.

    Example:
        >>> import tempfile
        >>> from dataclasses import asdict
        >>> from pagen.folders import Folder
        >>> from pagen.footage.prepare import Prepared
        >>> from pagen.generate.config import Generate
        >>> config = {**asdict(Generate("mine", kinds=("skip",), length=4)), "clips": [["a", "train"]]}
        >>> items = {"a": {"files": {}, "shape": [9, 32, 32, 1]}, "skip/a": {"files": {}}}
        >>> with tempfile.TemporaryDirectory() as top:
        ...     for folder in ("clips", "skip"):
        ...         Path(top, folder).mkdir()
        ...     np.save(f"{top}/clips/a.npy", np.zeros((9, 32, 32, 1), np.uint8))
        ...     _ = Path(top, "skip/a.jsonl").write_text('{"start": 0, "stride": 2}')
        ...     folder = Folder(Path(top), "pa_set", config, {}, items)
        ...     gallery(PASet(folder, Prepared(folder)), Path(top, "gallery.png"))
        ...     Path(top, "gallery.png").is_file()
        True
    """
    height, width = pseudo.prepared.size
    across = width / height + 4
    chosen = {kind: list(_chosen(pseudo, kind, rows)) for kind in pseudo.kinds}
    unit = {kind: 2 * across / _STRIP + 0.05 if kind == "skip" else 1 for kind in chosen}
    heights = [_INCHES * len(clips) * unit[kind] + 0.6 for kind, clips in chosen.items()]
    figure = Figure(figsize=(_INCHES * across, sum(heights) + 0.4), layout="constrained")
    figure.suptitle(f"{pseudo.prepared.dataset}: each row is that of {_TRIED} clips which differs most", fontsize=9)
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (kind, clips) in zip(parts, chosen.items(), strict=True):
        part.suptitle(_title(pseudo, kind), x=0.01, ha="left", fontsize=11)
        draw = _filmstrips if kind == "skip" else _close_ups
        draw(part, clips, width / height)
    save_figure(figure, path)


def _chosen(pseudo: PASet, kind: str, rows: int) -> Iterator[tuple[Item, Pseudo]]:
    """From each part of the set the clip that differs most in its middle, out of a few spread over the part."""
    items = pseudo.items(kind, pseudo.length)
    for part in np.array_split(np.arange(len(items)), min(rows, len(items))):
        tried = part[np.linspace(0, len(part) - 1, _TRIED).astype(int)]
        clips = [(items[index], pseudo.render(items[index], pseudo.length)) for index in tried]
        yield max(clips, key=lambda pair: _difference(pair[1])[len(pair[1].pseudo) // 2].mean())


def _close_ups(part: Any, chosen: list[tuple[Item, Pseudo]], ratio: float) -> None:
    """Rows of the middle of a clip: the whole normal frame, and close-ups of normal, mask, pseudo, difference."""
    axes = part.subplots(len(chosen), 5, squeeze=False, width_ratios=[ratio, 1, 1, 1, 1])
    for row, (item, clip) in zip(axes, chosen, strict=True):
        middle = len(clip.pseudo) // 2
        assert clip.mask is not None
        close_up = _around(clip.mask[middle] >= 0.5)
        normal, *others = _pictures(item.kind, clip, middle)
        for axis, picture in zip(row, [normal, *(picture[close_up] for picture in (normal, *others))], strict=True):
            _show(axis, picture)
        corner, side = (close_up[1].start - 0.5, close_up[0].start - 0.5), close_up[0].stop - close_up[0].start
        row[0].add_patch(Rectangle(corner, side, side, fill=False, edgecolor="tab:orange", clip_on=False))
        row[0].set_ylabel(f"{item.clip}  frame {item.start + middle}", fontsize=7)
    for axis, title in zip(axes[0], (*_COLUMNS, _DIFFERENCE[chosen[0][0].kind][1]), strict=True):
        axis.set_title(title, fontsize=9)


def _filmstrips(part: Any, chosen: list[tuple[Item, Pseudo]], ratio: float) -> None:
    """Rows in pairs: every other frame of the normal clip, below it of the pseudo one, where they differ most."""
    axes = part.subplots(2 * len(chosen), _STRIP, squeeze=False)
    for index, (item, clip) in enumerate(chosen):
        stride, busiest = item.parameters["stride"], _busiest(_difference(clip).mean(axis=0))
        strips = ((clip.target, 1, f"{item.clip}\nnormal"), (clip.pseudo, stride, f"{item.clip}\nstride {stride}"))
        for strip, (frames, step, label) in zip(axes[2 * index : 2 * index + 2], strips, strict=True):
            for axis, t in zip(strip, np.linspace(0, len(frames) - 1, _STRIP).astype(int), strict=True):
                _show(axis, frames[t][busiest])
                axis.set_title(str(item.start + t * step), fontsize=6, pad=2)
            strip[0].set_ylabel(label, fontsize=7)


def _around(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """A square around a mask (H, W), about twice its size and a third of the frame at least."""
    top, left, height, width = bounding_box(mask)
    side = min(max(2 * max(height, width), min(mask.shape) // 3), *mask.shape)
    return _square(mask.shape, top + height // 2 - side // 2, left + width // 2 - side // 2, side)


def _busiest(difference: npt.NDArray[np.float32]) -> tuple[slice, slice]:
    """The square half as high as the frame in which a difference (H, W) is largest."""
    side = min(difference.shape) // 2
    sums = cv2.boxFilter(difference, -1, (side, side), anchor=(0, 0))[: 1 - side, : 1 - side]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return _square(difference.shape, int(top), int(left), side)


def _square(shape: tuple[int, ...], top: int, left: int, side: int) -> tuple[slice, slice]:
    top, left = (min(max(first, 0), n - side) for first, n in zip((top, left), shape, strict=True))
    return slice(top, top + side), slice(left, left + side)


def _difference(clip: Pseudo) -> npt.NDArray[np.float32]:
    """How far pseudo and normal are apart in each pixel, (T, H, W)."""
    channels = 1 if clip.pseudo.dtype == np.float16 else -1
    return np.asarray(np.abs(clip.pseudo.astype(np.float32) - clip.target).mean(axis=channels))


def _pictures(kind: str, clip: Pseudo, t: int) -> list[Frames]:
    """Frame t as pictures: normal, mask, pseudo, difference."""
    normal, made = clip.target[t], clip.pseudo[t]
    assert clip.mask is not None
    mask = (np.asarray(clip.mask[t], np.float32) * 255).astype(np.uint8)
    change = made.astype(np.float32) - normal
    if kind == "temporal":
        radius = max(float(np.hypot(*normal.astype(np.float32)).max()), 1.0)
        return [colour_wheel(normal, radius), mask, colour_wheel(made, radius), colour_wheel(change, radius)]
    return [normal, mask, made, np.minimum(_DIFFERENCE[kind][0] * np.abs(change), 255).astype(np.uint8)]


def _show(axis: Any, picture: Frames) -> None:
    grey = picture.ndim == 3 and picture.shape[2] == 1
    axis.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=255, interpolation="none")
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set_visible(False)


def _title(pseudo: PASet, kind: str) -> str:
    config = pseudo.folder.config
    masks, varied = f"masks: {config['masks']}", ", varied," if config["vary"] else ""
    descriptions = {
        "spatial": f"{config['inpainter']}, {masks}",
        "temporal": f"{config['flow']} flow mixed in the {config['region']}, {masks}; hue is direction, white is rest",
        "skip": "every s-th frame, where that shows most; the numbers are the video's frames",
        "patch": f"{config['intruders']}{varied} seen through a window that wanders, masks: {config['patch']}",
    }
    return f"{kind}: {descriptions[kind]}"
