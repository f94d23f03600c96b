"""Scores by networks over clips: of recorded clips, and of frames that come one by one, out of the same windows.

What does the work is imported where there is some: scores that lie ready are found without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.footage.clip_input import ClipInput, open_input
from pagen.footage.prepare import Prepared
from pagen.footage.stretches import joined
from pagen.models.runs import Run, opened
from pagen.scoring.indicator_table import indicator_named, order_of
from pagen.scoring.sources import FrameScorer, Size, Source, Task, from_files

if TYPE_CHECKING:
    from pagen.scoring.sliding import Slider

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
        from pagen.scoring.sliding import Slider  # as the head says

        task, device = self.task, self.task.compute.place
        network = opened(self.path, self.weights, device)
        how = task.policy, device, task.measure, task.compute.rounding
        return Slider(network, self.clip_input, self.window, *how)


def _at_once(scorers: Sequence[OverClips], clip: str) -> list[dict[str, Values]]:
    """The scores of a clip by scorers of a run whose tasks differ in policy and measure alone."""
    prepared, sliders = scorers[0].prepared, [scorer.slider() for scorer in scorers]
    found = [_slid(sliders, stretch, prepared.length(stretch)) for stretch in prepared.stretches_of(clip)]
    return [joined(of_scorer) for of_scorer in zip(*found, strict=True)]


def _slid(sliders: Sequence[Slider], stretch: str, count: int) -> list[dict[str, Values]]:
    """Those of a single frame, of which flow makes two, are cut to its own."""
    from pagen.scoring.sliding import slide  # as the head says

    return [{name: values[:count] for name, values in scores.items()} for scores in slide(sliders, stretch)]


def _open(run: Run, task: Task) -> OverClips:
    """A run over the clips of a task; flow is computed where it has not been."""
    recipe, prepared = run.recipe, task.prepared(run.recipe)
    clip_input = open_input(recipe, prepared, prepared.stretches(task.split), task.compute.workers)
    mapped = (name for name in sorted(run.calibration, key=order_of) if indicator_named(name).mapped)
    about = recipe["window"], next(mapped, None), task, None if from_files(recipe) else 0
    return OverClips(run.path, run.weights, prepared, clip_input, *about)


def _stream(run: Run, compute: Compute) -> Callable[[], FrameScorer]:
    from pagen.scoring.window_stream import WindowStream  # what is known of kept scores is read without torch

    device = compute.place
    return partial(WindowStream, run.on(device), run.recipe, device, compute.rounding)


SOURCE = Source(_open, _stream, at_once=_at_once)
