"""Pixel masks of one clip: a folder of one image a frame, or an array (T, H, W)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pagen.errors import PagenError
from pagen.footage.images import mask_frames
from pagen.footage.labels.arrays import opened
from pagen.footage.labels.said import Vector, from_masks
from pagen.footage.listing import IMAGES, listing

if TYPE_CHECKING:
    from pagen.arrays import Masks


def read_masks(path: Path, key: str) -> Vector:
    """What a folder of masks says, one image a frame: a frame with any pixel that is not black is abnormal.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for index in range(2):
        ...         _ = cv2.imwrite(f"{folder}/{index}.png", numpy.full((2, 2), 255 * index, "uint8"))
        ...     read_masks(Path(folder), "a").fit(2).labels.tolist()
        [0, 1]
    """
    return Vector(from_masks(mask_frames(listing(path, IMAGES))))


def array_masks(files: tuple[Path, ...]) -> Iterator[Masks]:
    """The pixel masks (H, W) bool in an array (T, H, W) of one file, as ShanghaiTech's `test_pixel_mask`.

    The array stays on disk. Raises PagenError: no array, or of another shape.

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.save(f"{folder}/01_0014.npy", numpy.eye(2, dtype="uint8")[None])
        ...     [mask.tolist() for mask in array_masks((Path(folder, "01_0014.npy"),))]
        [[[True, False], [False, True]]]
    """
    (path,) = files
    array = opened(path)
    if array.ndim != 3 or array.dtype.kind not in "biuf":
        raise PagenError(f"expected masks (T, H, W) in {path}, found {array.dtype} {array.shape}; write them so")
    for mask in array:
        if array.dtype.kind == "f" and (mask != mask).any():
            raise PagenError(f"expected masks of numbers in {path}, found NaN; mend them")
        yield mask != 0
