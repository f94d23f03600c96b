"""Where a density run finds anomalies: scored boxes of objects, and maps of scores.

The scores of an object's kinds of features are added up as MULDE's supplement does for frames: less the training mean,
over the training deviation, not below 0. Features that belong to no place (of frames, and poses out of a file) take no
part. A map holds at each pixel the highest score of the boxes that lie over it, less the training median, not below 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.regions import Detections
from pagen.eval.rescale import z_positive
from pagen.eval.row_scores import RowScores, row_scores
from pagen.footage.prepare import Prepared
from pagen.models.runs import Run

Known = Mapping[str, float]


@dataclass(frozen=True)
class Placed:
    """Scores of parts of frames.

    Attributes:
        rows: the scores.
        known: what is known of the training frames' scores.
    """

    rows: RowScores
    known: Known

    def __call__(self, prepared: Prepared, name: str) -> Iterator[npt.NDArray[np.float32]]:
        """Maps (H, W) of the frames of a clip, one at a time.

        Args:
            prepared: at the footage's own size.
        """
        boxes: Any = self.rows.features.boxes(name)
        frames, scores = self.rows.features.frames(name), self.rows.scores(name)
        heights = np.maximum(scores - self.known["median"], 0).astype(np.float32)
        ends = np.searchsorted(frames, np.arange(prepared.length(name) + 1))
        for first, last in pairwise(ends):
            yield painted(prepared.size, boxes[first:last], heights[first:last])


def painted(size: tuple[int, int], boxes: npt.NDArray[Any], heights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A map (H, W) of boxes (n, 4), half-open, each as high as its height (n,); the highest counts, 0 beside them."""
    canvas = np.zeros(size, np.float32)
    order = np.argsort(heights, kind="stable")
    edges = np.rint(np.clip(boxes[order], 0, [size[1], size[0]] * 2)).astype(int)
    for (left, top, right, bottom), height in zip(edges, heights[order], strict=True):
        canvas[top:bottom, left:right] = height
    return canvas


def placed_of(
    run: Run, native: Prepared, root: Path | None, device: str, workers: int | None
) -> list[tuple[str, Placed]]:
    """Indicator and scores of each detector of a run whose features are of parts of frames; none of other runs.

    Args:
        native: the data set at the footage's own size.
        root, device, workers: as `row_scores` takes them.
    """
    found, names = list[tuple[str, Placed]](), native.clips("test")
    for single in run.single():
        if single.detector is None:
            continue
        rows = row_scores(single, native.dataset, root, names, device, workers)
        if all(rows.features.boxes(name) is not None for name in names):
            found.append((rows.indicator, Placed(rows, single.calibration[rows.indicator])))
    return found


def detections_of(placed: Sequence[tuple[str, Placed]], name: str) -> Detections:
    """The scored boxes of a clip's frames, both ends inside.

    Raises:
        PagenError: kinds of features whose boxes differ.
    """
    first = placed[0][1].rows.features
    frames, boxes = first.frames(name), np.asarray(first.boxes(name), np.float64)
    total = np.zeros(len(frames))
    for indicator, each in placed:
        others: Any = each.rows.features.boxes(name)
        if not np.array_equal(others, boxes):
            raise PagenError(f"clip {name}: expected the boxes of {placed[0][0]} for {indicator}, found others")
        scores = each.rows.scores(name)
        total += z_positive(scores, each.known) if len(placed) > 1 else scores
    return Detections(frames, np.hstack([boxes[:, :2], np.maximum(boxes[:, 2:] - 1, boxes[:, :2])]), total)
