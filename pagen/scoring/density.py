"""Frame scores out of the scores of vectors: the most abnormal of a frame's objects or places speaks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.features.extract import FeatureFolder, extract
from pagen.features.open import open_source
from pagen.features.spec import is_of_objects, spec_of
from pagen.models.density.detector import Detector, Scores
from pagen.spread import Workers


def indicator_of(features: str) -> str:
    """What the score of features is called: their kind where they are of objects, else `density`."""
    return features.partition(":")[0] if is_of_objects(features) else "density"


def features_of(
    recipe: Mapping[str, Any], dataset: str, root: Path | None, names: Sequence[str], device: str, workers: Workers
) -> FeatureFolder:
    """The features that a run's recipe names, of clips of a data set. Raises PagenError as `extract`."""
    compute = Compute(root, device, workers)
    return extract(open_source(spec_of(recipe), dataset, compute), names, compute)


def scores_of(detector: Detector, folder: FeatureFolder, clip: str) -> Scores:
    """Anomaly scores (N,) of a clip's vectors, which may be none. Raises PagenError as `anomaly_score`."""
    vectors = folder.features(clip)
    return detector.anomaly_score(vectors) if len(vectors) else np.empty(0)


def highest(scores: Scores, frames: npt.NDArray[np.int64], count: int, without: float) -> Scores:
    """The highest score of each frame, (count,).

    Args:
        scores, frames: (N,), and the frame that each belongs to.
        without: score of a frame that has none: the lowest known of normal frames, for nothing is not abnormal.
    """
    found = np.full(count, -np.inf)
    np.maximum.at(found, frames, scores)
    return np.where(np.isneginf(found), without, found)
