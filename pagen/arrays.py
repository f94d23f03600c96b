"""Arrays on disk that are larger than memory: written slice by slice, read by memmap; masks as bits."""

from __future__ import annotations

import io
import math
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from pagen.errors import PagenError
from pagen.folders import atomic
from pagen.texts import NPY

Array = npt.NDArray[Any]
Frames = npt.NDArray[np.uint8]
"""Pictures, mostly (T, H, W, C)."""
Masks = npt.NDArray[np.bool_]
"""Masks, mostly (T, H, W)."""
UNREADABLE = (
    OSError, ValueError, TypeError, EOFError, LookupError, MemoryError, OverflowError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What scipy raises for files of others that are damaged, lie about their size, or hold something else."""
NUMBERS, NAMES = "biuf", "U"
"""Kinds of numpy's types that are read: truth values, whole numbers and floats; names in archives."""
_MOST_AXES = 8
_MOST_DEFLATED = 1032
"""How many bytes one byte of deflate stands for at most."""


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
    """A read-only memmap of a .npy file of numbers; nothing is unpickled.

    Raises PagenError: it cannot be opened, is damaged, declares more than it holds, or holds something else.
    """
    try:
        with open(path, "rb") as file:
            shape, fortran, dtype = _declared(file, os.fstat(file.fileno()).st_size, NUMBERS)
            return np.memmap(file, dtype, "r", file.tell(), shape, "F" if fortran else "C")
    except Exception as error:  # of a damaged header numpy lets through whatever its parser meets
        raise PagenError(
            f"damaged file {path}: expected an array of numbers, found {_found(error)}; remove it, and make it again"
        ) from error


def read_foreign(path: Path) -> Array | dict[str, Array]:
    """The array of somebody else's .npy, or the arrays of an .npz by their names, all of them read; never unpickled.

    Raises ValueError: a file that holds none, in words of its own, since numpy's advise to unpickle it; OSError: it
    cannot be opened.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/a.npz", rows=[1, 2])
        ...     read_foreign(Path(folder, "a.npz"))
        {'rows': array([1, 2])}
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
        if not zipped:
            file.seek(0)
            try:
                return _read(file, os.fstat(file.fileno()).st_size, NUMBERS)
            except Exception as error:  # of a damaged header numpy lets through whatever its parser meets
                raise ValueError(_found(error)) from error
    with opened_archive(path) as archive:
        return {name: archive(name) for name in archive.names}


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of an .npz of pagen's own. Raises PagenError: it is damaged, or holds something else."""
    try:
        with opened_archive(path) as archive:
            return {name: archive(name) for name in archive.names}
    except (OSError, ValueError) as error:
        raise PagenError(f"damaged file {path}: found {error}; remove it and make it again") from error


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """An .npz, open for as long as arrays are read out of it. Raises ValueError as `read_foreign`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(f"{folder}/a.npz", a=[0, 1], b=[1, 0])
        ...     with opened_archive(Path(folder, "a.npz")) as archive:
        ...         archive.names, archive("b").tolist()
        (['a', 'b'], [1, 0])
    """
    with open(path, "rb") as file, ExitStack() as opened:
        try:
            members = opened.enter_context(zipfile.ZipFile(file))
        except Exception as error:  # zipfile lets through whatever the directory at a file's end leads it to
            raise ValueError(_found(error)) from error
        yield Archive(members)


@dataclass(frozen=True)
class Archive:
    """The arrays in an .npz; numbers, or names."""

    members: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        """What the arrays are called."""
        return [name.removesuffix(".npy") for name in self.members.namelist()]

    def __call__(self, name: str) -> Array:
        """An array. Raises ValueError: it is damaged, no array, or one of objects, structures or complex numbers."""
        info = next(one for one in self.members.infolist() if one.filename.removesuffix(".npy") == name)
        if info.file_size > _MOST_DEFLATED * (info.compress_size + 1):
            raise ValueError(f"{name} that are declared as {info.file_size} bytes in {info.compress_size}")
        try:
            with self.members.open(info) as file:
                return _read(file, info.file_size, NUMBERS + NAMES)
        except Exception as error:  # zipfile and its decompressors raise of their own what they meet
            raise ValueError(f"{name} that are {_found(error)}") from error


class _NoArrayError(ValueError):
    """What stands in place of an array of the kinds that are read, in words of pagen's own."""


def _read(file: IO[bytes], size: int, kinds: str) -> Array:
    """The array in a file of so many bytes. Raises whatever numpy or the file meets."""
    shape, fortran, dtype = _declared(file, size, kinds)
    data = bytearray(file.read(math.prod(shape) * dtype.itemsize))
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _declared(file: IO[bytes], size: int, kinds: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type, by the header of an array, which this reads.

    Raises ValueError: not of these kinds of numpy's types, or more than `size` bytes hold; and whatever numpy meets.
    """
    if not (start := file.read(npy.MAGIC_LEN)).startswith(NPY):
        raise _NoArrayError("a pickle or something else that is no array") if start else EOFError()
    with warnings.catch_warnings(action="error"):
        version = npy.read_magic(io.BytesIO(start))
        header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if header is None:  # 3.0 is that of structures whose names are not Latin
            raise ValueError(f"version {version[0]}.{version[1]} of the format")
        shape, fortran, dtype = header(file)
    if dtype.hasobject:
        raise _NoArrayError("pickled objects")
    if dtype.kind not in kinds:
        raise _NoArrayError(f"{'structures' if dtype.kind == 'V' else dtype} in place of numbers")
    if min(shape, default=0) < 0 or len(shape) > _MOST_AXES:
        raise ValueError(f"shape {shape}"[:80])
    declared, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if declared > there:
        raise ValueError(f"it declares {declared} bytes and holds {there}")
    return shape, fortran, dtype


def _found(error: Exception) -> str:
    """What numpy found in place of an array."""
    text = " ".join(str(error).partition("\n")[0].split())[:120] or type(error).__name__
    if isinstance(error, EOFError):
        return "an empty file"
    return text if isinstance(error, _NoArrayError) else f"a damaged one ({text})"


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
