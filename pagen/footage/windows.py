"""Windows: which frames a model sees at once, and which of them it scores.

The rule for the ends: a window may reach beyond the video, where the first or last frame is repeated. With `scored` =
length - 1 no window looks ahead; with any `scored` every frame is scored exactly once, however short the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Windows:
    """Windows of `length` consecutive frames that move by one frame.

    Attributes:
        length: frames in a window.
        scored: index in the window of the frame that it scores (LNTRA: 8 of 16; causal: 15 of 16).

    Example:
        >>> windows = Windows(length=4, scored=3)
        >>> windows.indices(windows.starts(frames=10)[0], frames=10).tolist()  # the window that scores frame 0
        [0, 0, 0, 0]
        >>> list(windows.inside(frames=6))
        [0, 1, 2]
    """

    length: int = 16
    scored: int = 15

    def inside(self, frames: int) -> range:
        """Starts of the windows that lie wholly inside a video of so many frames."""
        return range(max(frames - self.length + 1, 0))

    def starts(self, frames: int) -> range:
        """Starts of the windows that score frames 0 .. frames - 1, in this order."""
        return range(-self.scored, frames - self.scored)

    def indices(self, start: int, frames: int) -> npt.NDArray[np.int64]:
        """The frames (length,) of the window at `start`, ends repeated."""
        return np.clip(np.arange(start, start + self.length), 0, frames - 1)


def as_input(frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Frames (T, H, W, C) from 0 to 255 as a model sees them: (C, T, H, W) in [-1, 1].

    Example:
        >>> as_input(np.array([[[[0]]], [[[255]]]])).ravel().tolist()
        [-1.0, 1.0]
    """
    return frames.transpose(3, 0, 1, 2).astype(np.float32) / np.float32(127.5) - np.float32(1)
