"""A cell array of masks out of a MATLAB file, one cell at a time.

scipy opens a variable whole: Avenue's first `volLabel` is 332 MB of masks in a file of 1.3 MB, and more while it is
read. Here the elements of the cell are inflated and handed out one by one. The form is that of "MAT-File Format",
MathWorks, level 5: an element is its type, its size, and its bytes up to a multiple of eight.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.labels.mat import DAMAGE, damaged, refuse_foreign

_COMPRESSED = 15
_CELL, _CLASSES_OF_NUMBERS = 1, range(6, 16)
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Type of an element -> that of its numbers."""
_PIECE = 1 << 16


def cells(path: Path, name: str) -> Iterator[npt.NDArray[Any]]:
    """The arrays of numbers in the cells of the variable `name`, column by column, each with its own shape.

    Raises PagenError: no MATLAB file of version 5 to 7, cut short, no cell of that name, or a cell without numbers.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     masks = np.empty((1, 2), object)
        ...     masks[0, :] = [np.zeros((2, 3), "uint8"), np.ones((2, 3), "uint8")]
        ...     scipy.io.savemat(f"{folder}/1_label.mat", {"volLabel": masks})
        ...     [int(mask.sum()) for mask in cells(Path(folder, "1_label.mat"), "volLabel")]
        [0, 6]
    """
    refuse_foreign(path)
    try:
        with path.open("rb") as file:
            yield from _cells(file, name, path)
    except DAMAGE as error:
        raise damaged(path, error) from error


def _cells(file: BinaryIO, name: str, path: Path) -> Iterator[npt.NDArray[Any]]:
    order = {b"IM": "<", b"MI": ">"}[file.read(128)[126:]]
    others = []
    while tag := file.read(8):
        kind, size = struct.unpack(f"{order}II", tag)
        after = file.tell() + size
        source = _Inflated(file) if kind == _COMPRESSED else _Plain(file)
        if kind == _COMPRESSED:
            source.take(8)
        kind, shape, found = _head(source, order)
        if found == name and kind == _CELL:
            for _ in range(math.prod(shape)):
                yield _numbers(_element(source, order)[1], order)
            return
        others.append(f"{found!r} {'x'.join(map(str, shape))}")
        file.seek(after)
    raise PagenError(f"expected a cell array {name} in {path}, found {', '.join(others) or 'nothing'}; another file?")


class _Plain:
    """The bytes of a file as they are."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises EOFError when there are fewer."""
        data = self.file.read(size)
        if len(data) < size:
            raise EOFError("it ends too early")
        return data


class _Inflated(_Plain):
    """The bytes of a file that are compressed by zlib; no more is inflated than is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.inflate = zlib.decompressobj()

    def take(self, size: int) -> bytes:
        """As above, of what is inflated."""
        parts = list[bytes]()
        while size:
            deflated = self.inflate.unconsumed_tail or self.file.read(_PIECE)
            inflated = self.inflate.decompress(deflated, size)
            if not inflated and (not deflated or self.inflate.eof):
                raise EOFError("it ends too early")
            parts.append(inflated)
            size -= len(inflated)
        return b"".join(parts)


def _element(source: _Plain, order: str) -> tuple[int, bytes]:
    """Type and bytes of the next element; one of at most four bytes has them in its tag."""
    tag = source.take(8)
    kind, size = struct.unpack(f"{order}II", tag)
    if kind >> 16:
        return kind & 0xFFFF, tag[4 : 4 + (kind >> 16)]
    data = source.take(size)
    source.take(-size % 8)
    return kind, data


def _head(source: _Plain, order: str) -> tuple[int, tuple[int, ...], str]:
    """Class, shape and name of a matrix."""
    flags, shape, name = (_element(source, order)[1] for _ in range(3))
    kind = struct.unpack(f"{order}I", flags[:4])[0] & 0xFF
    return kind, struct.unpack(f"{order}{len(shape) // 4}i", shape), name.decode("latin-1")


def _numbers(matrix: bytes, order: str) -> npt.NDArray[Any]:
    """A matrix of numbers; what MATLAB leaves empty has no bytes at all."""
    if not matrix:
        return np.zeros((0, 0), np.uint8)
    source = _Plain(io.BytesIO(matrix))
    kind, shape, _ = _head(source, order)
    if kind not in _CLASSES_OF_NUMBERS:
        raise ValueError(f"a cell of class {kind}, which has no numbers")
    stored, data = _element(source, order)
    return np.frombuffer(data, f"{order}{_NUMBERS[stored]}").reshape(shape, order="F")
