"""Scores of single vectors: of every object, place or frame that a density run's features are of, kept on disk.

They lie in RUN/scores/DATASET/rows, which grows by the clips that are asked for; frame scores, boxes and maps are made
of them. Each clip is scored with one thread, so that no number of workers changes a byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pagen.arrays import read_array, write_array
from pagen.compute import Compute
from pagen.features.extract import FeatureFolder, extract
from pagen.features.open import open_source
from pagen.features.source import ahead_of
from pagen.features.spec import spec_of
from pagen.fill import fill
from pagen.folders import Folder, digests, folder_name
from pagen.models.runs import Run, opened
from pagen.scoring.density import Scores, highest, indicator_of
from pagen.scoring.sources import from_files

if TYPE_CHECKING:
    from pagen.models.density.detector import Detector


@dataclass(frozen=True)
class RowScores:
    """Scores of the vectors of clips, in a folder; frame scores made of them are called as the indicator.

    A frame without any vector scores `without`, the lowest of training; `ahead` is how many frames after its own a
    vector is made of, None where nobody knows.

    Example:
        >>> from types import SimpleNamespace
        >>> features = SimpleNamespace(frames=lambda clip: np.array([0, 0]), span=1)
        >>> class Given(RowScores):
        ...     def scores(self, clip):
        ...         return np.array([1.0, 2.0])
        >>> Given(Path(), features, "deep", 0.0).of_frames("any", 2)
        array([2., 0.])
    """

    path: Path
    features: FeatureFolder
    indicator: str
    without: float
    ahead: int | None = 0

    def scores(self, clip: str) -> Scores:
        """(N,), higher = more abnormal."""
        return read_array(self.path / f"rows/{clip}.npy")

    def of_frames(self, clip: str, count: int, scores: Scores | None = None) -> Scores:
        """The highest of each frame, (count,); of other `scores` (N,) in place of those of the folder, where given."""
        features, rows = self.features, self.scores(clip) if scores is None else scores
        return highest(rows, features.frames(clip), count, self.without, features.span)


def row_scores(run: Run, dataset: str, names: Sequence[str], compute: Compute) -> RowScores:
    """Score those vectors of the named clips that have not been scored by a detector; features are computed likewise.

    Raises PagenError as `open_source` and `extract`; vectors of another length; scores of another detector.

    Example:
        >>> from types import SimpleNamespace
        >>> row_scores(SimpleNamespace(recipe={"features": "velocty"}), "street", [], Compute())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        pagen.errors.PagenError: no features named 'velocty'; did you mean 'velocity'? known: ...
    """
    source = open_source(spec_of(run.recipe), dataset, compute)
    features = extract(source, names, compute)
    inputs = {**features.folder.inputs, "model": run.weights}
    path = run.path / "scores" / folder_name(dataset) / "rows"
    folder = Folder.begin(path, "rows", {"features": run.recipe["features"]}, inputs, {})
    store = partial(_store, path, features, run.path, run.weights, compute.place)
    fill(folder, names, store, compute, f"score {run.path.name}")
    indicator = indicator_of(run.recipe["features"])
    known = None if from_files(run.recipe) else ahead_of(source)
    ahead = None if known is None else known + features.span - 1
    return RowScores(path, features, indicator, run.calibration[indicator]["p0"], ahead)


def scores_of(detector: Detector, vectors: Any) -> Scores:
    """Anomaly scores (N,) of vectors (N, D), which may be none. Raises PagenError as `anomaly_score`.

    Example:
        >>> scores_of(None, np.empty((0, 4)))
        array([], dtype=float64)
    """
    return detector.anomaly_score(vectors) if len(vectors) else np.empty(0)


def _store(path: Path, features: FeatureFolder, run: Path, weights: str, device: str, clip: str) -> dict[str, Any]:
    out = path / f"rows/{clip}.npy"
    write_array(out, scores_of(opened(run, weights, device), features.features(clip)))
    return digests(path, [out])
