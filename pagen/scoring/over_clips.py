"""Scores by networks over clips: of recorded clips, and of frames that come one by one, out of the same windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from pagen.device import exact
from pagen.footage.clip_input import ClipInput, open_input
from pagen.footage.prepare import Prepared
from pagen.footage.resize import resized_frame
from pagen.footage.stretches import joined
from pagen.models.clip_network import Answer
from pagen.models.runs import Run, opened
from pagen.models.speed import fast_clips
from pagen.scoring.answers import Answers
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.indicator_table import indicator_named, order_of
from pagen.scoring.sliding import Slider, slide
from pagen.scoring.sources import Size, Source, Task, from_files
from pagen.scoring.window_scores import measured

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OverClips:
    """A run of a network, which every process opens for itself, over the clips of a task.

    `window` counts frames or flow maps; `mapped` is the first indicator at the worst place; `ahead` is 0, but for flow
    out of files, of which nothing is known.

    Example:
        >>> from pagen.footage.clip_input import FrameInput
        >>> where = Path("run"), "a SHA-256", None
        >>> OverClips(*where, FrameInput(), 16, "psnr_local", Task("street")).instant
        False
    """

    path: Path
    weights: str
    prepared: Prepared
    clip_input: ClipInput
    window: int
    mapped: str | None
    task: Task
    ahead: int | None = 0
    instant: ClassVar[bool] = False

    def scores(self, clip: str) -> dict[str, Values]:
        """Indicator -> (T,)."""
        (scores,) = _at_once([self], clip)
        return scores

    def maps(self, clip: str, size: Size) -> Iterator[Values]:
        """Maps (h, w) of errors, at the network's own size."""
        assert self.mapped is not None  # who asks has looked
        for stretch in self.prepared.stretches_of(clip):
            yield from islice(self.slider().maps(stretch, self.mapped), self.prepared.length(stretch))

    def slider(self) -> Slider:
        """What moves over its clips."""
        task, device = self.task, self.task.compute.place
        network = opened(self.path, self.weights, device)
        return Slider(network, self.clip_input, self.window, task.policy, device, task.measure)


def _at_once(scorers: Sequence[OverClips], clip: str) -> list[dict[str, Values]]:
    """The scores of a clip by scorers of a run whose tasks differ in policy and measure alone."""
    prepared, sliders = scorers[0].prepared, [scorer.slider() for scorer in scorers]
    found = [_slid(sliders, stretch, prepared.length(stretch)) for stretch in prepared.stretches_of(clip)]
    return [joined(of_scorer) for of_scorer in zip(*found, strict=True)]


def _slid(sliders: Sequence[Slider], stretch: str, count: int) -> list[dict[str, Values]]:
    """Those of a single frame, of which flow makes two, are cut to its own."""
    return [{name: values[:count] for name, values in scores.items()} for scores in slide(sliders, stretch)]


def _open(run: Run, task: Task) -> OverClips:
    """A run over the clips of a task; flow is computed where it has not been."""
    recipe, prepared = run.recipe, task.prepared(run.recipe)
    clip_input = open_input(recipe, prepared, prepared.stretches(task.split), task.compute.workers)
    mapped = (name for name in sorted(run.calibration, key=order_of) if indicator_named(name).mapped)
    about = recipe["window"], next(mapped, None), task, None if from_files(recipe) else 0
    return OverClips(run.path, run.weights, prepared, clip_input, *about)


class WindowStream:
    """Scores frames that come one by one, each as the last of its window; holds what its network
    knows of one window, and nothing else.

    The numbers are those of policy `last`, rounded otherwise, as frames run one by one. What the network predicted of
    a frame is kept from the pass before. The network is of `ClipNetwork`'s kind, in evaluation mode on the device; of
    the recipe `size`, `colour`, `window` and what `open_input` looks at count. Raises PagenError: flow that cannot be
    computed of a stream.

    Example:
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> recipe = {"source": "frames", "size": (32, 32), "colour": False, "window": 8}
        >>> stream = WindowStream(ConvAE3d(1, "tiny").eval(), recipe, "cpu")
        >>> sorted(stream(np.zeros((48, 48, 3), np.uint8)))
        ['psnr', 'psnr_local']
    """

    def __init__(self, network: Any, recipe: Mapping[str, Any], device: str) -> None:
        self._network, self._recipe, self._device = network, recipe, device
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
        with torch.inference_mode(), exact():
            answer = self._answers(fast_clips(shown.to(self._device)), [self._recipe["window"] - 1])
        before, self._before = self._before or answer, answer
        answer = replace(answer, after=before.after)
        scores = measured(answer, shown, shown, self._input.rebuilt, self._network.measure)
        heats = {name: errors[0, 0].numpy() for name, errors in scores.maps.items()}
        values = {**scores.frames, **scores.after, **scores.window}
        return {name: FrameScore(float(value), heats.get(name)) for name, value in values.items()}

    def _resized(self, frame: Frame) -> Frame:
        return resized_frame(frame, self._size, self._recipe["colour"])


SOURCE = Source(_open, lambda run, device: partial(WindowStream, run.on(device), run.recipe, device), at_once=_at_once)
