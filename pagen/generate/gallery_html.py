"""`gallery.html`: pseudo-anomalies that move, in one file that asks the network for nothing.

The clips are drawn from equal parts of the set, not picked by their looks (`gallery.png` does that), so that
near-copies show as often as they are.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
import numpy.typing as npt

from pagen.arrays import Frames
from pagen.folders import write_text
from pagen.footage.flow import colour_wheel
from pagen.generate.pa_set import Item, PASet, Pseudo
from pagen.generate.strength import UNITS, is_near_copy, measure
from pagen.html import rendered
from pagen.seeds import generator

_QUALITIES = (85, 70, 50, 30, 10)
SHOWN, FRAMES, SIDE = 6, 16, 192
LARGEST = 6_000_000
"""Bytes that the page stays under."""
_ORANGE, _DARK = (14, 127, 255, 255), (30, 30, 30, 255)


def gallery_html(pseudo: PASet, path: Path, shown: int = SHOWN) -> None:
    """Write the page: `shown` clips of each kind, normal beside pseudo; the best JPEG quality that fits.

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
        ...     gallery_html(PASet(folder, Prepared(folder)), Path(top, "gallery.html"))
        ...     Path(top, "gallery.html").is_file()
        True
    """
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = page.from_string(Path(__file__).with_name("gallery.html.jinja").read_text(encoding="utf-8"))
    chosen = {kind: list(_chosen(pseudo, kind, shown)) for kind in pseudo.kinds}
    for quality in _QUALITIES:
        kinds = [
            {"name": kind, "about": _about(pseudo, kind), "cards": [_card(pseudo, *pair, quality) for pair in pairs]}
            for kind, pairs in chosen.items()
        ]
        text = rendered(
            template, dataset=pseudo.prepared.dataset, size=pseudo.prepared.size, kinds=kinds, wheel=_wheel()
        )
        if len(text.encode()) < LARGEST:
            break
    write_text(path, text)


def _chosen(pseudo: PASet, kind: str, shown: int) -> Iterator[tuple[Item, Pseudo]]:
    """A clip from each of so many equal parts of the set."""
    items = pseudo.items(kind, pseudo.length)
    rng = generator(pseudo.folder.config["seed"], "gallery", kind)
    for part in np.array_split(np.arange(len(items)), min(shown, len(items))):
        item = items[int(rng.choice(part))]
        yield item, pseudo.render(item, pseudo.length)


def _card(pseudo: PASet, item: Item, clip: Pseudo, quality: int) -> dict[str, Any]:
    """What the template shows of a clip."""
    change = measure(clip, item.kind)
    by = f" by {change.strength:.3g} {UNITS[item.kind]}" if change.share else ""
    normal, made = (_pictures(item.kind, frames[:FRAMES], clip.target) for frames in (clip.target, clip.pseudo))
    assert clip.mask is not None
    outlined = item.kind != "skip"  # all of the frame is replaced
    return {
        "title": f"{item.clip}, frames {item.start} to {item.start + pseudo.length - 1}",
        "frames": len(made),
        "normal": _sprite(normal, ".jpg", quality),
        "pseudo": _sprite(made, ".jpg", quality),
        "mask": _sprite(_outlines(np.asarray(clip.mask[:FRAMES]) >= 0.5, item.kind), ".png") if outlined else None,
        "near_copy": is_near_copy(pseudo, item, change),
        "parameters": {**_parameters(pseudo, item), "changed": f"{100 * change.share:.2g} % of the pixels{by}"},
    }


def _pictures(kind: str, frames: npt.NDArray[Any], normal: npt.NDArray[Any]) -> list[Frames]:
    """Frames as small BGR or grey pictures; flow in the colour wheel, its radius the largest normal speed."""
    if kind == "temporal":
        radius = max(float(np.hypot(*np.moveaxis(normal.astype(np.float32), 1, 0)).max()), 1.0)
        frames = np.stack([colour_wheel(flow, radius) for flow in frames])
    return [_small(np.ascontiguousarray(frame[..., ::-1])) for frame in frames]


def _small(picture: Frames) -> Frames:
    """The longer side at most SIDE pixels, (h, w, C)."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small.reshape(*small.shape[:2], -1)


def _outlines(masks: npt.NDArray[np.bool_], kind: str) -> list[Frames]:
    """Transparent pictures (h, w, 4) with a line around the outside of each mask."""
    pictures = []
    for mask in masks:
        inside = (_small((mask * np.uint8(255))[..., None])[..., 0] > 0).astype(np.uint8)
        line = cv2.dilate(inside, np.ones((3, 3), np.uint8)) > inside
        pictures.append((line[..., None] * np.array(_DARK if kind == "temporal" else _ORANGE)).astype(np.uint8))
    return pictures


def _sprite(pictures: list[Frames], ending: str, quality: int = 0) -> str:
    """The pictures side by side as a data URI, through which the page steps."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if ending == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, content = cv2.imencode(ending, np.concatenate(pictures, axis=1), settings)
    kind = {".jpg": "jpeg", ".png": "png"}[ending]
    return f"data:image/{kind};base64,{b64encode(content.tobytes()).decode()}"


def _wheel() -> str:
    """The colour wheel, as a legend."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    picture = colour_wheel(np.stack([x, y]), 1)
    picture[np.hypot(x, y) > 1] = 255
    return _sprite([np.ascontiguousarray(picture[..., ::-1])], ".png")


def _parameters(pseudo: PASet, item: Item) -> dict[str, str]:
    """What the clip was made with."""
    if item.kind == "skip":
        return {"stride": str(item.parameters["stride"])}
    if item.kind == "patch":
        height, width = item.parameters["size"]
        patch = f"{height} x {width} pixels, {item.parameters['mask']}"
        return {"intruder": item.parameters["intruder"], "patch": patch}
    record = next(line for line in pseudo.records(item.kind, item.clip) if line["start"] == item.start)
    random = record["random_instead"]
    parameters = {"mask": record["mask"] + (f", random in {random} frames" if random else "")}
    if item.kind == "temporal":
        parameters["lambda"] = f"{np.mean(record['lambda']):.3f}"
    return parameters


def _about(pseudo: PASet, kind: str) -> str:
    config = pseudo.folder.config
    return {
        "spatial": f"A region is painted over by {config['inpainter']}; masks: {config['masks']}.",
        "temporal": f"Optical flow ({config['flow']}): a region is mixed with another one, "
        f"lambda p + (1 - lambda) p'. Hue is direction, white is rest.",
        "skip": "Every s-th frame: normal looks, too fast.",
        "patch": "Something foreign, seen through a window that wanders.",
    }[kind]
