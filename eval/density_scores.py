"""Scores of single vectors: of every object, place or frame that a density run's features are of, kept on disk.

They lie in RUN/scores/DATASET/rows, which grows by the clips that are asked for; frame scores, boxes and maps are made
of them. Each clip is scored with one thread, so that no number of workers changes a byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import read_array, write_array
from pagen.features.extract import FeatureFolder
from pagen.folders import Folder, digest, digests, folder_name
from pagen.models.pretrained import WEIGHTS
from pagen.models.runs import MODEL, Run, open_run
from pagen.scoring.density import features_of, highest, indicator_of, scores_of
from pagen.spread import spread

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RowScores:
    """Scores of the vectors of clips.

    Attributes:
        path: the folder.
        features: the vectors.
        indicator: what frame scores made of them are called.
        without: score of a frame that has none: the lowest of training.
    """

    path: Path
    features: FeatureFolder
    indicator: str
    without: float

    def scores(self, clip: str) -> Values:
        """(N,), higher = more abnormal."""
        return read_array(self.path / f"rows/{clip}.npy")

    def of_frames(self, clip: str, count: int) -> Values:
        """The highest of each frame, (count,)."""
        return highest(self.scores(clip), self.features.frames(clip), count, self.without)


def row_scores(
    run: Run,
    dataset: str,
    root: Path | None,
    names: Sequence[str],
    device: str,
    workers: int | None,
) -> RowScores:
    """Score the vectors of the named clips that have not been scored.

    Args:
        run: of a detector.
        device: a name of torch's; on another than the CPU this process does all.

    Raises:
        PagenError: as `features_of`; vectors of another length; scores of another detector.
    """
    features = features_of(run.recipe, dataset, root, names, device, workers)
    path = run.path / "scores" / folder_name(dataset) / "rows"
    weights = digest(run.path / MODEL / WEIGHTS)["sha256"]
    inputs = {**features.folder.inputs, "model": weights}
    folder = Folder.begin(path, "rows", {"features": run.recipe["features"]}, inputs, {})
    pending = folder.pending(list(names))
    done = spread(
        partial(_store, path, features, run.path, weights, device), pending, workers if device == "cpu" else 0
    )
    for name, files in console.progress(done, f"score {run.path.name}", len(pending)):
        folder.record(name, files)
    folder.finish()
    indicator = indicator_of(run.recipe["features"])
    return RowScores(path, features, indicator, run.calibration[indicator]["p0"])


def _store(path: Path, features: FeatureFolder, run: Path, weights: str, device: str, name: str) -> dict[str, Any]:
    out = path / f"rows/{name}.npy"
    write_array(out, scores_of(_detector(run, weights, device), features, name))
    return digests(path, [out])


@lru_cache(maxsize=3)
def _detector(run: Path, weights: str, device: str) -> Any:
    """Opened once in a process; `weights` tells a retrained one apart."""
    detector: Any = open_run(run).detector
    return detector.to(device)
