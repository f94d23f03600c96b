"""Arrays on disk that are larger than memory: written slice by slice, read by memmap; masks as bits."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from pagen.errors import PagenError
from pagen.folders import atomic

Array = npt.NDArray[Any]
Frames = npt.NDArray[np.uint8]
"""Pictures, mostly (T, H, W, C)."""
Masks = npt.NDArray[np.bool_]
"""Masks, mostly (T, H, W)."""
UNREADABLE = (
    OSError, ValueError, TypeError, EOFError, LookupError, MemoryError, OverflowError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What numpy raises for files of others that are damaged, encrypted, lie about their size, or hold something else."""


@contextmanager
def growing(path: Path) -> Iterator[Callable[[Array], None]]:
    """A .npy file (T, ...) that grows by the arrays (n, ...) that the yielded function is given, one and more.

    Raises PagenError for none, or for arrays that differ in shape or type.
    """
    total, first = 0, list[Array]()
    with atomic(path) as temporary, open(temporary, "wb") as file:

        def append(piece: Array) -> None:
            nonlocal total
            if not first:
                first.append(piece[:0])
                _header(file, piece, 0)
            here, usual = (f"{array.dtype} {array.shape[1:]}" for array in (piece, first[0]))
            if here != usual:
                raise PagenError(f"expected {usual} all through {path}, found {here}; give frames of one size")
            file.write(np.ascontiguousarray(piece).data)
            total += len(piece)

        yield append
        if not first:
            raise PagenError(f"nothing to write to {path}: expected at least one frame, found none")
        file.seek(0)
        _header(file, first[0], total)  # numpy leaves room for the first axis to grow


def write_slices(path: Path, slices: Iterable[Array]) -> int:
    """Write arrays (n, ...) of one shape and type one after the other; returns the sum of the n."""
    total = 0
    with growing(path) as append:
        for piece in slices:
            append(piece)
            total += len(piece)
    return total


def write_array(path: Path, array: Array) -> None:
    """Write an array as .npy, whole or not at all."""
    write_slices(path, [array])


def read_array(path: Path) -> Array:
    """A read-only memmap of a .npy file; nothing is unpickled. Raises PagenError where numpy cannot map it."""
    try:
        return npy.open_memmap(path, mode="r")
    except ValueError as error:
        raise PagenError(
            f"damaged file {path}: expected a .npy array, found {_found(error)}; remove it and make it again"
        ) from error


def read_foreign(path: Path) -> Array | dict[str, Array]:
    """The array of somebody else's .npy, or the arrays of an .npz by their names, all of them read; never unpickled.

    Raises ValueError: a file that holds none, in words of its own, since numpy's advise to unpickle it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/a.npz", rows=[1, 2])
        ...     read_foreign(Path(folder, "a.npz"))
        {'rows': array([1, 2])}
    """
    with open(path, "rb") as file:  # numpy would leave a damaged one open
        try:
            content: Any = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return content
            arrays = {name: content[name] for name in content.files}
        except UNREADABLE as error:
            raise ValueError(_found(error)) from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # a file in the archive that is no .npy
            raise ValueError(f"{name} that are no array")
    return arrays


def _found(error: Exception) -> str:
    """What numpy found in place of an array."""
    text = str(error).partition("\n")[0]
    if "Object arrays" in text or "Python objects" in text:
        return "pickled objects"
    if "pickle" in text or "magic string is" in text:  # all that does not begin like an array is taken for one
        return "a pickle or something else that is no array"
    return "an empty file" if isinstance(error, EOFError) else f"a damaged one ({text})"


def pack(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Masks (..., H, W) as bits (..., H, ceil(W / 8))."""
    return np.packbits(masks, axis=-1)


def unpack(bits: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.bool_]:
    """Bits (..., H, ceil(W / 8)) as masks (..., H, W)."""
    return np.unpackbits(np.asarray(bits), axis=-1, count=width).astype(bool)


def _header(file: Any, piece: Array, total: int) -> None:
    shape = (total, *piece.shape[1:])
    npy.write_array_header_1_0(file, {"descr": npy.dtype_to_descr(piece.dtype), "fortran_order": False, "shape": shape})


def runs(marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The maximal runs of True among marks (T,), half-open, (N, 2).

    Example:
        >>> runs(np.array([False, True, True]))
        array([[1, 3]])
    """
    steps = np.diff(marks.astype(np.int8), prepend=0, append=0)
    return np.column_stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)])
