"""The verb `datasets`: what data sets are known, where they lie, and whether they are whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, MIXED, DataSet

if TYPE_CHECKING:
    from pagen.footage.locate import Footage

T = TypeVar("T")


@dataclass(frozen=True)
class Datasets:
    """List the data sets that are known, or check one: `pagen datasets check NAME`."""

    action: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Nothing to list all, or `check NAME` to look whether one is whole."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Datasets) -> None:
    """The verb `datasets`. Raises PagenError for another action, and when the checked data set is not whole."""
    match config.action:
        case ():
            rows = [_row(DATASETS[name], config.root) for name in DATASETS.names()]
            console.result(rows, config.json, _listed(rows))
        case ("check", name):
            _check(name, config)
        case other:
            raise PagenError(f"expected 'pagen datasets' or 'pagen datasets check NAME', found {' '.join(other)!r}")


def _row(dataset: DataSet, root: Path | None) -> dict[str, Any]:
    from pagen.footage.locate import find

    place = find(dataset, root, marked=True)
    return {
        "name": dataset.name,
        "what": dataset.what,
        "layouts": [layout.name for layout in dataset.layouts],
        "clips": {"train": len(dataset.train), "test": len(dataset.test)},
        "frames": {"train": sum(dataset.train), "test": sum(dataset.test)},
        "abnormal": dataset.abnormal,
        "size": dataset.size,
        "fps": dataset.fps,
        "licence": dataset.licence,
        "obtain": dataset.obtain,
        "found": "built in" if dataset.scenes else str(place.root) if place else None,
        "layout": place.layout.name if place else None,
    }


def _listed(rows: list[dict[str, Any]]) -> str:
    headers = ("name", "clips", "frames", "size", "licence", "found")
    cells = [
        (row["name"], _pair(row["clips"]), _pair(row["frames"]), _size(row["size"]), row["licence"], _found(row))
        for row in rows
    ]
    about = "\n".join(f"{row['name']}: {row['what']}; {row['obtain']}" for row in rows)
    mixed = f"NAME{MIXED}: any of them with half of its test clips, drawn by seed, among the training clips"
    return f"{console.table(headers, cells)}\n\n{about}\n{mixed}\n\nclips and frames: train + test"


def _pair(counts: dict[str, int]) -> str:
    return f"{counts['train']:,} + {counts['test']:,}" if any(counts.values()) else "any"


def _size(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else "any"


def _found(row: dict[str, Any]) -> str:
    layout = f" ({row['layout']} layout)" if row["layout"] else ""
    return f"{row['found'] or 'not found'}{layout}"


def _check(name: str, config: Datasets) -> None:
    from pagen.footage.locate import locate

    footage = locate(name, config.root)
    value: dict[str, Any] = {
        "name": name,
        "root": str(footage.root) if footage.root else None,
        "layout": footage.layout,
        "label_edition": footage.label_edition,
        "expected": _expected(footage.dataset),
        "found": _counted(footage),
        "problems": footage.check(decode=True),
    }
    console.result(value, config.json, _report(value))
    if count := len(value["problems"]):
        shown = "1 problem" if count == 1 else f"{count} problems"
        raise PagenError(
            f"expected {name} to be whole, found {shown}, listed above; mend them, or obtain the data set anew"
        )


def _expected(dataset: DataSet) -> dict[str, Any]:
    """What the catalogue says; None where it takes anything."""
    splits = {"train": dataset.train, "test": dataset.test}
    clips = {f"{split} clips": len(lengths) or None for split, lengths in splits.items()}
    frames = {f"{split} frames": sum(lengths) or None for split, lengths in splits.items()}
    return {**clips, **frames, "abnormal frames": dataset.abnormal}


def _counted(footage: Footage) -> dict[str, Any]:
    """What is there; an unreadable label file counts as no labels, for it is among the problems."""
    from pagen.footage.locate import SPLITS

    clips = {split: [clip for clip in footage.clips if clip.split == split] for split in SPLITS}
    labels = [found for clip in clips["test"] if (found := _readable(clip.labels)) is not None]
    return {
        **{f"{split} clips": len(clips[split]) for split in SPLITS},
        **{f"{split} frames": sum(_readable(clip.length) or 0 for clip in clips[split]) for split in SPLITS},
        "abnormal frames": sum(int(found.sum()) for found in labels),
        "labelled clips": len(labels),
        "clips with masks": sum(clip.has_masks for clip in clips["test"]),
    }


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except PagenError:
        return None


def _report(value: dict[str, Any]) -> str:
    head = (
        f"{value['name']}: {value['layout']} layout in {value['root'] or 'no folder'}, labels: {value['label_edition']}"
    )
    counts = [
        (what, "" if value["expected"].get(what) is None else f"{value['expected'][what]:,}", f"{found:,}")
        for what, found in value["found"].items()
    ]
    problems = "\n".join(f"problem: {problem}" for problem in value["problems"]) or "nothing missing, nothing odd"
    return f"{head}\n\n{console.table(('', 'expected', 'found'), counts)}\n\n{problems}"
