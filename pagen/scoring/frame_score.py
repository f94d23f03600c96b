"""The score of one frame: a number, and where in the frame it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Heat = npt.NDArray[np.float64]
Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the source."""
Mask = npt.NDArray[np.bool_]
Frame = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FrameScore:
    """The score of a frame, higher = more abnormal, NaN for none; and the heat (h, w) of where it errs, if known.

    Example:
        >>> FrameScore(1.5).heat is None
        True
    """

    value: float
    heat: Heat | None = None


def region_of(heat: Heat | None, size: tuple[int, int], window: int = 12) -> Box | None:
    """The bounding box, in pixels of frames of `size` (H, W), of the hottest part of a map (h, w).

    The map is averaged over `window` pixels, as the local maximum is; the part is what is connected with the
    highest mean and reaches half of it. None where nothing is hot.

    Example:
        >>> heat = np.zeros((20, 20))
        >>> heat[4:8, 10:14] = 1
        >>> region_of(heat, (40, 40), window=1)
        (20, 8, 8, 8)
    """
    if heat is None or heat.max() <= 0:
        return None
    means = np.asarray(cv2.blur(heat, (window, window), borderType=cv2.BORDER_REFLECT))
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((means >= means.max() / 2).astype(np.uint8), connectivity=8)
    x, y, width, height, _ = boxes[parts[np.unravel_index(np.argmax(means), means.shape)]].tolist()
    rows, columns = size[0] / heat.shape[0], size[1] / heat.shape[1]
    left, top = int(x * columns), int(y * rows)
    return left, top, int(np.ceil((x + width) * columns)) - left, int(np.ceil((y + height) * rows)) - top
