"""Scores by detectors that know the density of normal features: of recorded clips, and of frames as they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.features.open import open_stream
from pagen.features.spec import is_of_objects, spec_of
from pagen.footage.prepare import Prepared
from pagen.footage.resize import resized_frame
from pagen.models.runs import Run
from pagen.scoring.density import highest, indicator_of, painted
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.row_scores import RowScores, row_scores, scores_of
from pagen.scoring.sources import Size, Source, Task

Known = dict[str, float]


@dataclass(frozen=True)
class OverDensity:
    """A run of a detector over the clips of a task: scores of vectors, and what is `known` of those of training frames.

    `mapped` is the indicator, where all vectors are of parts of frames.

    Example:
        >>> from pathlib import Path
        >>> rows = RowScores(Path(), None, "velocity", 0.0)
        >>> OverDensity(None, rows, {"median": 0.0}, "velocity").of_objects
        True
    """

    prepared: Prepared
    rows: RowScores
    known: Known
    mapped: str | None
    instant: ClassVar[bool] = True

    @property
    def of_objects(self) -> bool:
        """The boxes count as such; cells and pixels are first joined in a map."""
        return self.mapped is not None and (is_of_objects(self.rows.indicator) or self.rows.features.objects)

    @property
    def ahead(self) -> int | None:
        """As far as its features look."""
        return self.rows.ahead

    def scores(self, clip: str) -> dict[str, npt.NDArray[np.float64]]:
        """The score (T,) of each frame's most abnormal vector."""
        return {self.rows.indicator: self.rows.of_frames(clip, self.prepared.length(clip))}

    def maps(self, clip: str, size: Size) -> Iterator[npt.NDArray[np.float32]]:
        """Maps (H, W) of `size`: each part of a frame as high as its score lies above the training median."""
        boxes: Any = self.rows.features.boxes(clip)
        frames, scores = self.rows.features.frames(clip), self.rows.scores(clip)
        heights = np.maximum(scores - self.known["median"], 0).astype(np.float32)
        ends = np.searchsorted(frames, np.arange(self.prepared.length(clip) + 1))
        for first, last in pairwise(ends):
            yield painted(size, boxes[first:last], heights[first:last])


def _open(run: Run, task: Task) -> OverDensity:
    """A detector over a task's clips, whose vectors are scored where they have not been. Errors as `row_scores`."""
    prepared = task.prepared(run.recipe) if spec_of(run.recipe).decoded else task.outline()
    names = prepared.clips(task.split)
    rows = row_scores(run, task.dataset, names, task.compute)
    placed = all(rows.features.boxes(name) is not None for name in names)
    return OverDensity(prepared, rows, run.calibration[rows.indicator], rows.indicator if placed else None)


class DensityStream:
    """Scores frames that come one by one: the last few are held, and a detector judges the newest one's features.

    Example:
        >>> from types import SimpleNamespace
        >>> recipe = {"features": "velocity", "boxes": "motion"}
        >>> run = SimpleNamespace(recipe=recipe, calibration={"velocity": {"p0": -2.5, "median": 0.0}})
        >>> DensityStream(run, None, "cpu")(np.zeros((48, 64), np.uint8))["velocity"].value
        -2.5
    """

    def __init__(self, run: Run, detector: Any, device: str) -> None:
        self._spec, self._detector, self._device = spec_of(run.recipe), detector, device
        self._indicator = indicator_of(run.recipe["features"])
        self._known = run.calibration[self._indicator]
        self._source: Any = None
        self._held: deque[Frame] = deque()

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """The score of the newest frame; the lowest of training where it shows nothing."""
        size = frame.shape[0], frame.shape[1]
        if self._source is None:
            self._source = open_stream(self._spec, size, self._device)
            self._held = deque(maxlen=self._source.context)
        prepared = self._source.prepared
        self._held.append(resized_frame(frame, prepared.size, prepared.colour))
        newest = self._source.newest(np.stack(self._held))
        scores = scores_of(self._detector, newest.vectors)
        value = highest(scores, np.zeros(len(scores), np.int64), 1, self._known["p0"])[0]
        heights = np.maximum(scores - self._known["median"], 0)
        heat = None if newest.boxes is None else painted(size, newest.boxes, heights).astype(np.float64)
        return {self._indicator: FrameScore(float(value), heat)}


def _stream(run: Run, compute: Compute) -> Callable[[], DensityStream]:
    return partial(DensityStream, run, run.on(compute.place), compute.place)


SOURCE = Source(_open, _stream, windows=False)
