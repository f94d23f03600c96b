"""Scores of a clip: a window moves over it by one frame, and every frame gets one number an indicator and policy.

Where a window reaches beyond the clip, its first or last frame is repeated. Policy `last`: a frame is scored as
the last of its window, so that nothing looks ahead; `ninth`: as the ninth. What concerns the frame after a window
belongs to that frame under either.

No setting changes a byte: windows are run `WINDOWS_AT_ONCE` by that many, counted from the clip's start, the last
ones filled up by repetition. Only another device rounds otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.device import exact
from pagen.footage.windows import Windows, as_input

Values = npt.NDArray[np.float64]
Take = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
"""Indices (T,) of frames or flow maps -> the network's input (C, T, H, W)."""
WINDOWS_AT_ONCE = 4
POLICIES = {"last": -1, "ninth": 8}
"""Window policy -> index in the window of the frame that is scored."""


@dataclass(frozen=True)
class Slider:
    """A network that is moved over clips.

    Attributes:
        network: over clips, in evaluation mode on the device.
        source: `frames` or `flow`.
        window: its frames.
        device: of torch's.
    """

    network: Any
    source: str
    window: int
    device: str = "cpu"

    @property
    def policies(self) -> dict[str, int]:
        """The policies that its window is long enough for -> the index of the frame that is scored."""
        return {name: range(self.window)[index] for name, index in POLICIES.items() if index < self.window}

    def scores(self, take: Take, count: int) -> dict[str, Values]:
        """`indicator@policy`, or the indicator alone where no policy plays a part -> (count,).

        Args:
            take: indices -> input.
            count: how many frames or maps there are to take from.
        """
        first, last = -self.window, count - 1 - min(self.policies.values())
        starts = range(first, last + 1)
        rows = [
            self.indicated(take, starts[i : i + WINDOWS_AT_ONCE], count) for i in range(0, len(starts), WINDOWS_AT_ONCE)
        ]
        whole = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
        return {key: values[self._offset(key) :][:count] for key, values in whole.items()}

    def _offset(self, key: str) -> int:
        """Which of the windows, the first of which starts `window` frames before the clip, scores frame 0."""
        policy = key.partition("@")[2]
        return self.window - self.policies[policy] if policy else 0

    def indicated(self, take: Take, starts: Sequence[int], count: int) -> dict[str, Values]:
        """`indicator@policy` -> (len(starts),), of the windows at these starts."""
        import torch

        from pagen.models.layout import fast_clips
        from pagen.scoring.indicators import indicator_of

        indicate, beyond = indicator_of(self.network, self.source)
        full = [*starts, *[starts[-1]] * (WINDOWS_AT_ONCE - len(starts))]
        windows = Windows(self.window + beyond)
        clips = torch.from_numpy(np.stack([take(windows.indices(start, count)) for start in full]))
        with torch.inference_mode(), exact():
            found = indicate(self.network, fast_clips(clips.to(self.device)), list(self.policies.values()))
        kept = slice(0, len(starts))
        values = {name: each.numpy()[kept] for name, each in found.after.items()}
        for column, policy in enumerate(self.policies):
            values |= {f"{name}@{policy}": each.numpy()[kept, column] for name, each in found.frames.items()}
            values |= {f"{name}@{policy}": each.numpy()[kept] for name, each in found.window.items()}
        return values


def frames_in(frames: npt.NDArray[np.uint8], indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Frames (T, H, W, C) uint8 -> those of the indices, (C, T, H, W) in [-1, 1]."""
    return as_input(frames[indices])


def maps_in(
    flow: npt.NDArray[np.float16], encoding: str, radius: float, indices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Flow (T, 2, H, W) -> the maps of the indices, encoded, (C, T, H, W) in [-1, 1]."""
    from pagen.footage.flow import encode

    return encode(flow[indices], encoding, radius)
