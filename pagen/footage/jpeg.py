"""JPEG files looked at fast: data sets of hundreds of thousands of frames are made of them.

Pillow sets up an image, its tables and its metadata for every file, which takes longer than decoding a small frame.
What is no JPEG, or an odd one, is left to Pillow, which says what is wrong with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_START, _END, _PADDING = b"\xff\xd8", b"\xff\xd9", b"\xff"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of segments that tell the size."""
_TAIL = 1024


def jpeg_shape(path: Path, whole: bool) -> tuple[int, int, int] | None:
    """(H, W, 1 or 3) of a JPEG file that has its end, by its head, and decoded too where `whole` is asked for.

    None for everything else.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("a.jpg", "a.png"):
        ...         _ = cv2.imwrite(f"{folder}/{name}", numpy.zeros((48, 64, 3), "uint8"))
        ...     jpeg_shape(Path(folder, "a.jpg"), whole=True), jpeg_shape(Path(folder, "a.png"), whole=True)
        ((48, 64, 3), None)
    """
    with open(path, "rb") as file:
        shape = _shape(file)
        if shape is None:
            return None
        file.seek(0 if whole else -min(_TAIL, file.seek(0, 2)), 0 if whole else 2)
        data = file.read()
    ended = _END in data[-_TAIL:]
    return shape if ended and (not whole or _decodes(data)) else None


def _shape(file: BinaryIO) -> tuple[int, int, int] | None:
    """What the head of a JPEG file says, segment by segment; None where it is none."""
    if file.read(2) != _START:
        return None
    while (head := file.read(4))[:1] == _PADDING and len(head) == 4:
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker in _SIZES:
            body = file.read(6)
            height, width = (int.from_bytes(body[start : start + 2], "big") for start in (1, 3))
            return (height, width, 1 if body[5:] == b"\x01" else 3) if len(body) == 6 and height and width else None
        file.seek(length - 2, 1)
    return None


def _decodes(data: bytes) -> bool:
    """Whether all of it decodes; at an eighth of its size, which spares what is not needed for that."""
    import cv2
    import numpy as np

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8) is not None
