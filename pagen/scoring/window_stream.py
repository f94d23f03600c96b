"""Scores by networks over clips, of frames that come one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pagen.device import exact, rounding
from pagen.footage.clip_input import open_input
from pagen.footage.resize import resized_frame
from pagen.models.clip_network import Answer
from pagen.models.speed import fast_clips
from pagen.options import Precision
from pagen.scoring.answers import Answers
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.window_scores import measured


class WindowStream:
    """Scores frames that come one by one, each as the last of its window; holds what its network
    knows of one window, and nothing else.

    The numbers are those of policy `last`, rounded otherwise, as frames run one by one. What the network predicted of
    a frame is kept from the pass before. The network is of `ClipNetwork`'s kind, in evaluation mode on the device; of
    the recipe `size`, `colour`, `window` and what `open_input` looks at count; `precision` is what it multiplies.
    Raises PagenError: flow that cannot be computed of a stream.

    Example:
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> recipe = {"source": "frames", "size": (32, 32), "colour": False, "window": 8}
        >>> stream = WindowStream(ConvAE3d(1, "tiny").eval(), recipe, "cpu")
        >>> sorted(stream(np.zeros((48, 48, 3), np.uint8)))
        ['psnr', 'psnr_local']
    """

    def __init__(self, network: Any, recipe: Mapping[str, Any], device: str, precision: Precision = "fp32") -> None:
        self._network, self._recipe, self._device, self._precision = network, recipe, device, precision
        self._size = (int(recipe["size"][0]), int(recipe["size"][1]))
        self._input = open_input(recipe, None)
        self._input.newest([self._resized(np.zeros(self._size, np.uint8))])  # refuses before the first frame comes
        self._frames: deque[Frame] = deque(maxlen=self._input.late + 1)
        self._answers = Answers(network, recipe["window"])
        self._before: Answer | None = None

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """Indicator -> score of the newest frame; none where it needs one more before it."""
        self._frames.append(self._resized(frame))
        newest = self._input.newest(list(self._frames))
        if newest is None:
            return {}
        shown = torch.from_numpy(newest)[None]
        with torch.inference_mode(), exact(), rounding(self._precision, self._device):
            answer = self._answers(fast_clips(shown.to(self._device)), [self._recipe["window"] - 1])
        before, self._before = self._before or answer, answer
        answer = replace(answer, after=before.after)
        scores = measured(answer, shown, shown, self._input.rebuilt, self._network.measure)
        heats = {name: errors[0, 0].numpy() for name, errors in scores.maps.items()}
        values = {**scores.frames, **scores.after, **scores.window}
        return {name: FrameScore(float(value), heats.get(name)) for name, value in values.items()}

    def _resized(self, frame: Frame) -> Frame:
        return resized_frame(frame, self._size, self._recipe["colour"])
