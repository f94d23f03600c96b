"""Several runs side by side: short names, the series that each leads with, and scores that one axis can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.results import BAR, TRIVIAL, Series, leads
from pagen.models.runs import read_recipe


def names_of(runs: Sequence[Path]) -> list[str]:
    """The shortest ends of the runs' paths that tell them apart: `skip`, or `ped2/skip` and `street/skip`.

    Example:
        >>> names_of([Path("runs/a/skip"), Path("runs/b/skip"), Path("runs/luss")])
        ['a/skip', 'b/skip', 'luss']
    """
    parts = [path.resolve().parts for path in runs]
    lengths = [1] * len(parts)
    while True:
        names = ["/".join(path[-length:]) for path, length in zip(parts, lengths, strict=True)]
        again = Counter(names)
        longer = [
            length + (again[name] > 1 and length < len(path))
            for name, path, length in zip(names, parts, lengths, strict=True)
        ]
        if longer == lengths:
            return names
        lengths = longer


def compared(series: Sequence[Series]) -> list[Series]:
    """The headline of each run, in the order of the runs, and last the trivial baseline that they have to beat."""
    first = [*leads(series)]
    return [*(one for one in first if one.run != TRIVIAL), next(one for one in first if one.indicator == BAR)]


def on_one_axis(scores: ByVideo) -> dict[str, npt.NDArray[np.float64]]:
    """Scores of a run, video -> (T,), brought to [0, 1] from its lowest to its highest over all videos.

    One line for all of its videos: neither the order of frames nor any AUROC changes. A constant becomes 0.

    Example:
        >>> on_one_axis({"a": np.array([-10.0, 0.0]), "b": np.array([-5.0])})
        {'a': array([0., 1.]), 'b': array([0.5])}
    """
    together = np.concatenate([*scores.values()])
    low, high = float(together.min()), float(together.max())
    return {name: (np.asarray(values, np.float64) - low) / ((high - low) or 1.0) for name, values in scores.items()}


ALIKE = "each run from its lowest (0) to its highest score (1) over all test videos"
"""What `on_one_axis` does, for a caption."""


def labels_of(runs: Sequence[Path], dataset: str) -> list[str]:
    """What the runs are called beside each other: their names, and what they were trained on where that is another set.

    Raises PagenError: a run that is given twice.
    """
    if len({path.resolve() for path in runs}) < len(runs):
        raise PagenError(f"expected each run once, found {' '.join(map(str, runs))}; leave one out")
    trained = [read_recipe(path).get("dataset", dataset) for path in runs]
    pairs = zip(names_of(runs), trained, strict=True)
    return [name if other == dataset else f"{name} (trained on {other})" for name, other in pairs]
