"""Prepared clips: footage decoded once, resized, as uint8 arrays that are read by memmap."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import Frames, pack, read_array, unpack, write_array, write_slices
from pagen.errors import PagenError
from pagen.fill import Made, add
from pagen.folders import Folder, digests, folder_name
from pagen.footage.check import PATIENCE, require
from pagen.footage.clips import ClipSource, Footage
from pagen.footage.frame_files import few
from pagen.footage.joined import differing_rates, require_one_size
from pagen.footage.locate import locate
from pagen.footage.prepared_form import require_clips
from pagen.footage.resize import resized_frame, resized_mask
from pagen.footage.stretches import section_of, stretches_of
from pagen.manifest import cache_folder
from pagen.options import SIZE, SMALLEST_SIDE
from pagen.spread import Workers

Size = tuple[int, int]
_CHUNK = 32


def prepare(
    dataset: str,
    root: Path | None = None,
    size: Size | None = SIZE,
    colour: bool = False,
    out: Path | None = None,
    workers: Workers = None,
    overwrite: bool = False,
    partial: bool = False,
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
        partial: clips may be missing; how many are there is kept in the folder's configuration.

    Raises:
        PagenError: the footage is missing or damaged, a side under 16 pixels, or `out` holds something else.

    Example:
        >>> prepare("street", size=(8, 8))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a --size of 16 pixels and more a side, found 8x8
    """
    if size is not None and min(size) < SMALLEST_SIDE:
        raise PagenError(f"expected a --size of {SMALLEST_SIDE} pixels and more a side, found {size[0]}x{size[1]}")
    footage = locate(dataset, root)
    require(footage, partial)
    if size is None:
        require_one_size(footage)
    shown = "native" if size is None else f"{size[0]}x{size[1]}"
    form, config = f"{shown}-{'colour' if colour else 'grey'}", {"size": size, "colour": colour}
    folder = begun(footage, form, config, out, overwrite)
    if (told := differing_rates(footage)) and not folder.complete:
        console.say(told)
    make = functools.partial(_prepare_clip, folder.path, size, colour)
    made = folder.pending([clip.name for clip in footage.clips])
    add(folder, {clip.name: clip for clip in footage.clips}, make, workers, f"prepare {footage.name}")
    _tell(folder, made)
    _refuse_mixed_sizes(folder)  # which leaves it unfinished
    folder.finish()
    return open_prepared(folder.path)


def begun(
    footage: Footage, form: str, config: Mapping[str, Any], out: Path | None = None, overwrite: bool = False
) -> Folder:
    """A folder of located footage's clips, not filled yet, by default in the cache by data set, form and footage.

    `config` says of what form the clips are, as `form` does in the folder's name. Raises PagenError as `Folder.begin`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as out:
        ...     begun(locate("street"), "small", {"size": [16, 16]}, Path(out)).config["size"]
        [16, 16]
    """
    clips = console.progress(footage.clips, f"read {footage.name}", len(footage.clips), delay=PATIENCE)
    sources = "\n".join(f"{clip.name} {clip.identity()}" for clip in clips)
    identity = hashlib.sha256(sources.encode()).hexdigest()[:32]
    path = out or cache_folder() / f"{folder_name(footage.name)}-{form}-{identity[:8]}"
    volatile = {"root": str(footage.root), "layout": footage.layout}
    config = {"dataset": footage.name, **config, **_about(footage)}
    return Folder.begin(path, "prepared", config, {"footage": identity}, volatile, overwrite)


def _about(footage: Footage) -> dict[str, Any]:
    """What a folder of clips keeps of the footage; `missing` and `scenes` only where there are any."""
    scenes = {clip.name: clip.scene for clip in footage.clips if clip.scene}
    more = {"missing": footage.missing, "scenes": scenes}
    return {
        "fps": footage.fps,
        "label_edition": footage.label_edition,
        "clips": [[clip.name, clip.split] for clip in footage.clips],
        **{name: value for name, value in more.items() if value},
    }


def open_prepared(path: Path, verify: bool = True) -> Prepared:
    """Open a folder of prepared clips. Raises PagenError when it is missing, unfinished or damaged.

    Example:
        >>> try:
        ...     open_prepared(Path("nowhere"))
        ... except PagenError as error:
        ...     print(str(error).partition(", ")[0])
        expected a prepared folder of pagen at nowhere
    """
    folder = Folder.open(Path(path), "prepared", verify)
    require_clips(folder)
    return Prepared(folder)


@dataclass(frozen=True)
class Prepared:
    """A data set's clips, ready to be read.

    Example:
        >>> config = {"dataset": "street", "colour": False, "fps": 10, "clips": [["train_01", "train"]]}
        >>> items = {"train_01": {"files": {}, "shape": [120, 48, 64, 1]}}
        >>> print(Prepared(Folder(Path("street"), "prepared", config, {}, items)))
        street: 1 clips, 120 frames, grey, prepared at 48x64
    """

    folder: Folder

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def dataset(self) -> str:
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
        return [name for name, own_split in self.folder.config["clips"] if split in (None, own_split)]

    def stretches(self, split: str | None = None) -> list[str]:
        """Names of the stretches of a split's clips: what learns takes them as clips (`pagen.footage.stretches`)."""
        return [name for clip in self.clips(split) for name in self.stretches_of(clip)]

    def breaks(self, clip: str) -> list[int]:
        """The frames of a clip that do not go on from the one before."""
        return list(self.folder.items.get(clip, {}).get("breaks", ()))

    def stretches_of(self, clip: str) -> list[str]:
        """Names of the stretches of a clip, which `frames`, `length`, `labels` and `section` take as names of clips."""
        return stretches_of(clip, self.breaks(clip))

    def section(self, name: str) -> tuple[str, slice]:
        """The clip that a stretch, or a clip, is of, and which of its frames it has."""
        return section_of(name, self.folder.items)

    def scene(self, name: str) -> str:
        """The scene that a clip shows; empty where there are none."""
        return str(self.folder.config.get("scenes", {}).get(name, ""))

    @property
    def missing(self) -> dict[str, list[int]]:
        """Split -> how many clips are there, and of how many, where some are missing."""
        return dict(self.folder.config.get("missing", {}))

    @property
    def part(self) -> str:
        """How much of the test split there is, as `6 of 21 test clips`; empty where that is all, or is not known."""
        found, expected = self.missing.get("test", (0, 0))
        return f"{found} of {expected} test clips" if expected else ""

    def length(self, name: str) -> int:
        """Number of frames T."""
        _, section = self.section(name)
        return int(section.stop - section.start)

    def surplus(self, name: str) -> int:
        """By how many frames what is written did not fit the clip, as `labels.said.Fitted` counts them."""
        return int(self.folder.items[name].get("surplus", 0))

    def frames(self, name: str) -> Frames:
        """Frames (T, H, W, C) uint8, a read-only memmap."""
        clip, section = self.section(name)
        return read_array(self.path / f"clips/{clip}.npy")[section]

    def labels(self, name: str) -> Frames | None:
        """Frame labels (T,) uint8, 1 = abnormal, or None where there are none."""
        return self._marks("labels", name)

    def masks(self, name: str) -> npt.NDArray[np.bool_] | None:
        """Pixel labels (T, H, W) bool, True = abnormal, or None where there are none."""
        bits = self._marks("masks", name)
        return None if bits is None else unpack(bits, self.size[1])

    def each_mask(self, name: str) -> Iterator[npt.NDArray[np.bool_]] | None:
        """The masks (H, W) of `masks`, one at a time, however long the clip is; or None."""
        bits, width = self._marks("masks", name), self.size[1]
        return None if bits is None else (unpack(mask_bits, width) for mask_bits in bits)

    def _marks(self, kind: str, name: str) -> Frames | None:
        clip, section = self.section(name)
        path = self.path / kind / f"{clip}.npy"
        return read_array(path)[section] if path.exists() else None

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()

    def __str__(self) -> str:
        frames = sum(self.length(name) for name in self.clips())
        colour = "grey" if self.channels == 1 else "colour"
        height, width = self.size
        return f"{self.dataset}: {len(self.clips())} clips, {frames:,} frames, {colour}, prepared at {height}x{width}"


def _prepare_clip(path: Path, size: Size | None, colour: bool, clip: ClipSource) -> Made:
    """Write the frames, labels and masks of one clip; returns the digests and the shape of the frames."""
    paths = {kind: path / kind / f"{clip.name}.npy" for kind in ("clips", "labels", "masks")}
    count = write_slices(paths["clips"], _chunks(resized_frame(frame, size, colour) for frame in clip.frames()))
    shape = read_array(paths["clips"]).shape
    known = {"shape": shape, **write_labels(paths["labels"], clip, count)}
    masks = clip.masks()
    if masks is not None:
        bits = (pack(chunk) for chunk in _chunks(resized_mask(mask, shape[1:3]) for mask in masks))
        require_one_a_frame(clip.name, "masks", write_slices(paths["masks"], bits), count)
    more = {"notes": clip.notes(), "breaks": sorted(clip.breaks())}
    files = [file for file in paths.values() if file.exists()]
    return digests(path, files), {**known, **{name: value for name, value in more.items() if value}}


def _tell(folder: Folder, made: Iterable[str]) -> None:
    """Say what is worth telling of clips that were made, each thing once."""
    notes = [(note, name) for name in made for note in folder.items[name].get("notes", ())]
    for note in dict.fromkeys(note for note, _ in notes):
        console.say(f"{few([name for told, name in notes if told == note])}: {note}")


def write_labels(path: Path, clip: ClipSource, length: int) -> dict[str, int]:
    """Write the labels of a clip of that many frames, where it has any; returns their surplus, where they have one.

    Raises PagenError: labels that do not fit.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     clip = locate("street").split("test")[0]
        ...     write_labels(Path(folder, "a.npy"), clip, clip.length()), read_array(Path(folder, "a.npy")).shape
        ({}, (120,))
    """
    fitted = clip.fitted_labels(length=length)
    if fitted is None:
        return {}
    require_one_a_frame(clip.name, "labels", len(fitted.labels), length)
    write_array(path, fitted.labels)
    return {"surplus": fitted.surplus} if fitted.surplus else {}


def require_one_a_frame(name: str, what: str, count: int, frames: int) -> None:
    """Raise PagenError for labels or masks of a clip that are not as many as its frames.

    Example:
        >>> require_one_a_frame("test_01", "labels", count=9, frames=10)
        Traceback (most recent call last):
        pagen.errors.PagenError: clip test_01: expected 10 labels, one a frame, found 9; mend the labels
    """
    if count != frames:
        raise PagenError(f"clip {name}: expected {frames} {what}, one a frame, found {count}; mend the {what}")


def _chunks(frames: Iterable[npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
    """Frames stacked by `_CHUNK`, so that writing is not a call for each."""
    remaining = iter(frames)
    while chunk := list(islice(remaining, _CHUNK)):
        yield np.stack(chunk)


def _refuse_mixed_sizes(folder: Folder) -> None:
    sizes = {name: f"{item['shape'][1]}x{item['shape'][2]}" for name, item in folder.items.items()}
    first = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size != first:
            raise PagenError(
                f"expected clips of one size, found {first} and {size} ({name}); "
                "encode them alike, or prepare, generate or train with a --size"
            )
