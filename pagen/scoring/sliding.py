"""Scores of a clip: a window moves over it, and every frame gets one number an indicator (`pagen.scoring.policies`).

No setting changes a byte: windows are run `WINDOWS_AT_ONCE` by that many, counted from the clip's start, the last
ones filled up by repetition. Only another device rounds otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.device import exact
from pagen.footage.windows import Windows, as_input
from pagen.scoring.policies import policy_named

Values = npt.NDArray[np.float64]
Take = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
"""Indices (T,) of frames or flow maps -> the network's input (C, T, H, W)."""
WINDOWS_AT_ONCE = 4


@dataclass(frozen=True)
class Said:
    """What is said of N windows: name -> (N, P) of the frames looked at, (N,) of the window, (N,) of the next frame."""

    frames: Mapping[str, Values]
    window: Mapping[str, Values]
    after: Mapping[str, Values]


@dataclass(frozen=True)
class Slider:
    """A network that is moved over clips.

    Attributes:
        network: over clips, in evaluation mode on the device.
        source: `frames` or `flow`.
        window: its frames.
        policy: name of a window policy.
        device: of torch's.
        measure: of a whole frame's error; see `indicators.MEASURES`.
    """

    network: Any
    source: str
    window: int
    policy: str = "last"
    device: str = "cpu"
    measure: str | None = None

    def scores(self, take: Take, count: int) -> dict[str, Values]:
        """Indicator -> (count,).

        Args:
            take: indices -> input.
            count: how many frames or maps there are to take from.

        Raises:
            PagenError: no such policy, or windows that are too short for it.
        """
        policy = policy_named(self.policy, self.window)
        said = self.said(take, policy.starts(self.window, count), count)
        scores = {name: policy.of_frames(name, each, self.window, count) for name, each in said.frames.items()}
        scores |= {name: policy.of_windows(name, each, self.window, count) for name, each in said.window.items()}
        return scores | {name: policy.of_next(each, self.window, count) for name, each in said.after.items()}

    def said(self, take: Take, starts: Sequence[int], count: int) -> Said:
        """Of the windows at these starts."""
        kept: list[dict[str, Values]] = [{}, {}, {}]
        for first in range(0, len(starts), WINDOWS_AT_ONCE):
            few = self._few(take, starts[first : first + WINDOWS_AT_ONCE], count)
            for whole, part in zip(kept, few, strict=True):
                _put(whole, part, first, len(starts))
        return Said(*kept)

    def _few(self, take: Take, starts: Sequence[int], count: int) -> list[dict[str, Values]]:
        import torch

        from pagen.models.speed import fast_clips
        from pagen.scoring.window_scores import indicator_of

        indicate, beyond = indicator_of(self.network, self.source, self.measure)
        asked = policy_named(self.policy, self.window).asked(self.window)
        full = [*starts, *[starts[-1]] * (WINDOWS_AT_ONCE - len(starts))]
        windows = Windows(self.window + beyond)
        clips = torch.from_numpy(np.stack([take(windows.indices(start, count)) for start in full]))
        with torch.inference_mode(), exact():
            found = indicate(self.network, fast_clips(clips.to(self.device)), asked)
        kinds = (found.frames, found.window, found.after)
        return [{name: each.numpy()[: len(starts)] for name, each in kind.items()} for kind in kinds]


def _put(whole: dict[str, Values], part: Mapping[str, Values], first: int, count: int) -> None:
    """What is said of a few windows, among all `count`: arrays of their own for each would fragment the memory."""
    for name, values in part.items():
        if name not in whole:
            whole[name] = np.empty((count, *values.shape[1:]), values.dtype)
        whole[name][first : first + len(values)] = values


def frames_in(frames: npt.NDArray[np.uint8], indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Frames (T, H, W, C) uint8 -> those of the indices, (C, T, H, W) in [-1, 1]."""
    return as_input(frames[indices])


def maps_in(
    flow: npt.NDArray[np.float16], encoding: str, radius: float, indices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Flow (T, 2, H, W) -> the maps of the indices, encoded, (C, T, H, W) in [-1, 1]."""
    from pagen.footage.flow import encode

    return encode(flow[indices], encoding, radius)
