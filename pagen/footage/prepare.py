"""Prepared clips: footage decoded once, resized, as uint8 arrays that are read by memmap."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pagen import console
from pagen.errors import PagenError
from pagen.folders import Folder, digests
from pagen.spread import Workers, spread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pagen.footage.locate import ClipSource, Footage

    Frames = npt.NDArray[np.uint8]

Size = tuple[int, int]
SMALLEST = 16
"""Pixels a side, which optical flow and masks need."""
_CHUNK = 32


@dataclass(frozen=True)
class Prepare:
    """Decode and resize a data set once; the other verbs do it on first use."""

    dataset: str
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    size: Size | Literal["native"] = (256, 256)
    """Height and width of the prepared frames; `native` keeps the footage's own."""
    colour: bool = False
    """Keep three colour channels instead of one grey."""
    out: Path | None = None
    """Folder to write; by default one in the user's cache folder (or in PAGEN_CACHE)."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    overwrite: bool = False
    """Start again instead of resuming or refusing."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Prepare) -> None:
    """The verb `prepare`."""
    size = None if config.size == "native" else config.size
    prepared = prepare(config.dataset, config.root, size, config.colour, config.out, config.workers, config.overwrite)
    frames = {split: sum(prepared.length(name) for name in prepared.clips(split)) for split in ("train", "test")}
    result = {"path": str(prepared.path), "size": prepared.size, "channels": prepared.channels, "frames": frames}
    console.result(result, config.json, f"{prepared}\n{prepared.path}")


def prepare(
    dataset: str,
    root: Path | None = None,
    size: Size | None = (256, 256),
    colour: bool = False,
    out: Path | None = None,
    workers: Workers = None,
    overwrite: bool = False,
) -> Prepared:
    """Prepare a data set, or open it where that has been done before.

    Args:
        dataset: a name of the catalogue.
        root: the data set's folder or one above it.
        size: (H, W) of the frames, resized bilinearly (by areas where they shrink to less than half);
            None keeps the footage's own size.
        colour: three channels (RGB) instead of one (grey).
        out: the folder; by default one in the cache, named after the data set, size and footage.
        workers: as `spread` takes them.

    Raises:
        PagenError: the footage is missing or damaged, a side under 16 pixels, or `out` holds something else.
    """
    from pagen.folders import folder_name
    from pagen.footage.locate import locate

    if size is not None and min(size) < SMALLEST:
        raise PagenError(f"expected a --size of {SMALLEST} pixels and more a side, found {size[0]}x{size[1]}")
    footage = locate(dataset, root)
    footage.require()
    identity = _identity(footage)
    shown = "native" if size is None else f"{size[0]}x{size[1]}"
    path = out or cache_folder() / f"{folder_name(dataset)}-{shown}-{'colour' if colour else 'grey'}-{identity[:8]}"
    config = {
        "dataset": dataset,
        "size": size,
        "colour": colour,
        "fps": footage.fps,
        "label_edition": footage.label_edition,
        "clips": [[clip.name, clip.split] for clip in footage.clips],
    }
    where = {"root": str(footage.root), "layout": footage.layout}
    folder = Folder.begin(path, "prepared", config, {"footage": identity}, where, overwrite)
    _fill(folder, footage, size, colour, workers)
    return open_prepared(path)


def open_prepared(path: Path, verify: bool = True) -> Prepared:
    """Open a folder of prepared clips. Raises PagenError when it is missing, unfinished or damaged."""
    return Prepared(Folder.open(Path(path), "prepared", verify))


def cache_folder() -> Path:
    """Where prepared clips and flow lie by default: PAGEN_CACHE, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("PAGEN_CACHE") or platformdirs.user_cache_path("pagen")).absolute()


@dataclass(frozen=True)
class Prepared:
    """A data set's clips, ready to be read."""

    folder: Folder

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder.path

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return str(self.folder.config["dataset"])

    @property
    def fps(self) -> float:
        """Frames per second."""
        return float(self.folder.config["fps"])

    @property
    def size(self) -> Size:
        """(H, W)."""
        _, height, width, _ = self.folder.items[self.clips()[0]]["shape"]
        return height, width

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return 3 if self.folder.config["colour"] else 1

    def clips(self, split: str | None = None) -> list[str]:
        """Names of the clips of a split (`"train"`, `"test"`), or of all, in the data set's order."""
        return [name for name, of in self.folder.config["clips"] if split in (None, of)]

    def length(self, name: str) -> int:
        """Number of frames T."""
        return int(self.folder.items[name]["shape"][0])

    def frames(self, name: str) -> Frames:
        """Frames (T, H, W, C) uint8, a read-only memmap."""
        from pagen.arrays import read_array

        return read_array(self.path / f"clips/{name}.npy")

    def labels(self, name: str) -> Frames | None:
        """Frame labels (T,) uint8, 1 = abnormal, or None where there are none."""
        return self._marks("labels", name)

    def masks(self, name: str) -> npt.NDArray[np.bool_] | None:
        """Pixel labels (T, H, W) bool, True = abnormal, or None where there are none."""
        from pagen.arrays import unpack

        bits = self._marks("masks", name)
        return None if bits is None else unpack(bits, self.size[1])

    def each_mask(self, name: str) -> Iterator[npt.NDArray[np.bool_]] | None:
        """The masks (H, W) of `masks`, one at a time, however long the clip is; or None."""
        from pagen.arrays import unpack

        bits, width = self._marks("masks", name), self.size[1]
        return None if bits is None else (unpack(each, width) for each in bits)

    def _marks(self, kind: str, name: str) -> Frames | None:
        from pagen.arrays import read_array

        path = self.path / kind / f"{name}.npy"
        return read_array(path) if path.exists() else None

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()

    def __str__(self) -> str:
        frames = sum(self.length(name) for name in self.clips())
        colour = "grey" if self.channels == 1 else "colour"
        height, width = self.size
        return f"{self.dataset}: {len(self.clips())} clips, {frames:,} frames, {colour}, prepared at {height}x{width}"


@dataclass(frozen=True)
class _Job:
    clip: ClipSource
    path: Path
    size: Size | None
    colour: bool


def _fill(folder: Folder, footage: Footage, size: Size | None, colour: bool, workers: Workers) -> None:
    pending = set(folder.pending([clip.name for clip in footage.clips]))
    jobs = [_Job(clip, folder.path, size, colour) for clip in footage.clips if clip.name in pending]
    if jobs or not folder.complete:
        done = console.progress(spread(_prepare_clip, jobs, workers), f"prepare {footage.name}", len(jobs))
        for job, (files, info) in done:
            folder.record(job.clip.name, files, **info)
        _refuse_mixed_sizes(folder)
        folder.finish()


def _prepare_clip(job: _Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Write the frames, labels and masks of one clip; returns the digests and what is known of it."""
    from pagen.arrays import pack, read_array, write_array, write_slices
    from pagen.footage.resize import resized_frame, resized_mask

    name = job.clip.name
    paths = {kind: job.path / kind / f"{name}.npy" for kind in ("clips", "labels", "masks")}
    chunks = _chunks(resized_frame(frame, job.size, job.colour) for frame in job.clip.frames())
    frames = write_slices(paths["clips"], chunks)
    shape = read_array(paths["clips"]).shape
    labels, masks = job.clip.labels(), job.clip.masks()
    if labels is not None:
        if len(labels) != frames:
            raise PagenError(
                f"clip {name}: expected {frames} labels, one a frame, found {len(labels)}; mend the labels"
            )
        write_array(paths["labels"], labels)
    if masks is not None:
        count = write_slices(paths["masks"], (pack(m) for m in _chunks(resized_mask(m, shape[1:3]) for m in masks)))
        if count != frames:
            raise PagenError(f"clip {name}: expected {frames} masks, one a frame, found {count}; mend the masks")
    files = digests(job.path, [path for path in paths.values() if path.exists()])
    return files, {"shape": shape}


def _chunks(frames: Iterator[Any]) -> Iterator[Any]:
    """Frames stacked by `_CHUNK`, so that writing is not a call for each."""
    import itertools

    import numpy as np

    while chunk := list(itertools.islice(frames, _CHUNK)):
        yield np.stack(chunk)


def _refuse_mixed_sizes(folder: Folder) -> None:
    shapes = {name: tuple(item["shape"][1:3]) for name, item in folder.items.items()}
    first = next(iter(shapes.values()))
    for name, shape in shapes.items():
        if shape != first:
            raise PagenError(
                f"expected clips of one size, found {first[0]}x{first[1]} and {shape[0]}x{shape[1]} ({name}); "
                "prepare them at a --size, or encode them alike"
            )


def _identity(footage: Footage) -> str:
    text = "\n".join(f"{clip.name} {clip.identity()}" for clip in footage.clips)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
