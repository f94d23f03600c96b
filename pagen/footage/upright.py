"""Display matrices: how a decoded picture is turned and mirrored before anybody looks at it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

_TURNS = (1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0)
"""Matrices of quarter turns against the clock."""


def upright(array: npt.NDArray[Any], frame: Any) -> npt.NDArray[Any]:
    """The picture (H, W) or (H, W, 3) of a frame of PyAV as the frame's display matrix asks, by quarter turns.

    Example:
        >>> import av, numpy as np
        >>> picture = np.zeros((16, 32), "uint8")
        >>> upright(picture, av.VideoFrame.from_ndarray(picture, format="gray")).shape
        (16, 32)
    """
    import numpy as np

    across, down, right, below = _matrix(frame)
    if abs(down) > abs(across):  # columns become rows
        array, across, below = array.swapaxes(0, 1), right, down
    return np.ascontiguousarray(array[:: -1 if below < 0 else 1, :: -1 if across < 0 else 1])


def _matrix(frame: Any) -> tuple[int, int, int, int]:
    """Where a step along a row of the decoded picture goes, (across, down), and one along a column, (right, below)."""
    from av.sidedata.sidedata import SideDataContainer

    try:  # frame.side_data and the frame would hold each other: memory, and the decoder's threads
        sides = SideDataContainer(frame)  # type: ignore[call-arg]  # PyAV's stub leaves its argument out
        side = next((each for each in sides if each.type.name == "DISPLAYMATRIX"), None)
    except ValueError:  # PyAV hands out none where one is of a kind that it does not know; the turn it tells otherwise
        return _TURNS[round(frame.rotation / 90) % 4]
    if side is None:
        return 1, 0, 0, 1
    across, down, _, right, below, *_ = struct.unpack("=9i", bytes(side)[:36])
    return across, down, right, below
