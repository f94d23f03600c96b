"""Masks of one's own: of each clip one file or one folder of images, made by whatever means.

`DIR/CLIP.npy`, bool or uint8 (T, H, W), or `DIR/CLIP/`, images in numerical order, one for each frame.
What is not 0 is replaced, all of it: objects are not told apart. The masks have the size of the
prepared frames; they are not resized here, since that would lose thin ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pagen.arrays import Frames, Masks, read_array
from pagen.errors import PagenError
from pagen.folders import fingerprint
from pagen.footage.images import image_size, mask_frames
from pagen.footage.listing import IMAGES, listing
from pagen.generate.masks import bounded

Source = tuple[Path, ...] | Frames
"""The masks of one clip: images, or an array (T, H, W)."""


@dataclass(frozen=True)
class FileMasks:
    """The masks of a folder, with the methods of `MaskKind`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/train_01.npy", np.eye(16, dtype=np.uint8)[None])
        ...     masks, frames = FileMasks(Path(folder)), np.zeros((1, 16, 16, 1), np.uint8)
        ...     state = masks.prepare(frames, "train_01")
        ...     int(masks.segment(frames, state, np.random.default_rng(0), start=0)[0].sum())
        16
    """

    directory: Path

    def prepare(self, frames: Frames, name: str) -> Source:
        """Where the clip's masks lie. Raises PagenError: none, another number, another size, or damaged ones."""
        array, images = self.directory / f"{name}.npy", self.directory / name
        if array.is_file():
            masks = _read(array)
            _refuse_other(array, len(masks), {masks.shape[1:]}, frames.shape[:3])
            return masks
        if images.is_dir():
            files = listing(images, IMAGES)
            _refuse_other(images, len(files), {image_size(file) for file in files}, frames.shape[:3])
            return files
        raise PagenError(
            f"expected masks of the clip {name} in {self.directory}, found neither {name}.npy nor a folder {name}; "
            "give masks of every training clip, under its name"
        )

    def segment(self, frames: Frames, state: Source, rng: np.random.Generator, start: int) -> tuple[Masks, int]:
        part = state[start : start + len(frames)]
        masks: Iterable[Masks] = mask_frames(part) if isinstance(part, tuple) else (mask != 0 for mask in part)
        return bounded(masks, rng)

    def origin(self) -> tuple[str, str]:
        """The folder, and a fingerprint of the names and bytes of all masks in it."""
        folders = sorted(path for path in self.directory.iterdir() if path.is_dir())
        images = [image for folder in folders for image in listing(folder, IMAGES)]
        return str(self.directory), fingerprint(self.directory, [*listing(self.directory, (".npy",)), *images])


def open_mask_folder(option: str) -> FileMasks:
    """The masks of a folder. Raises PagenError: no such folder.

    Example:
        >>> try:
        ...     open_mask_folder("nowhere")
        ... except PagenError as error:
        ...     print(str(error).partition("; ")[0])
        expected masks 'file:DIR' with a folder of masks, found 'file:nowhere'
    """
    directory = Path(option).expanduser().absolute()
    if not option or not directory.is_dir():
        raise PagenError(
            f"expected masks 'file:DIR' with a folder of masks, found 'file:{option}'; give one that there is"
        )
    return FileMasks(directory)


def _read(path: Path) -> Frames:
    masks = read_array(path)
    if masks.dtype not in (np.bool_, np.uint8) or masks.ndim != 3:
        raise PagenError(
            f"expected masks bool or uint8 (T, H, W) in {path}, found {masks.dtype} {masks.shape}; save them as such"
        )
    return masks.view(np.uint8)


def _refuse_other(path: Path, count: int, sizes: set[tuple[int, ...]], shape: tuple[int, ...]) -> None:
    frames, *size = shape
    if count != frames:
        raise PagenError(
            f"expected {frames} masks in {path}, one for each frame of the clip, found {count}; "
            "leave none out: a frame where nothing is replaced has a black one"
        )
    others = sorted(sizes - {tuple(size)})
    if others:
        raise PagenError(
            f"expected masks of {size[0]} x {size[1]} (height x width) in {path}, as the frames, "
            f"found {others[0][0]} x {others[0][1]}; resize the masks (nearest neighbour), or give another --size"
        )
