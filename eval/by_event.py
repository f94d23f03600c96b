"""Which events a run finds: the AUROC of the frames of one kind of anomaly against all normal frames.

Abnormal frames of other kinds are left out, so that each kind is measured on its own; the normal frames are the same
for all. Intervals come of draws of whole videos; there is none where one video alone shows the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.eval.metrics.bootstrap import bootstrap_interval
from pagen.eval.metrics.roc import ByVideo, micro_auroc
from pagen.eval.metrics.undefined import Undefined
from pagen.eval.protocol import Protocol
from pagen.eval.results import EventArea, Events, Series, leads
from pagen.footage.anomalies import NORMAL
from pagen.seeds import generator

ALL = "all"
"""Every kind together: the micro AUROC."""
Kinds = Mapping[str, npt.NDArray[np.str_]]
"""Video -> the kind (T,) of anomaly that each frame shows, as `pagen.footage.anomalies.kinds_of` says."""


def events_of(protocol: Protocol, series: Sequence[Series], kinds: Kinds, seed: int) -> Events:
    """The areas of every kind, of the trivial baselines and the headline of each run, whose series a protocol gave."""
    of_frames = {name: kinds[name][frames] for name, frames in series[0].frames.items()}
    names = sorted({str(kind) for frames in of_frames.values() for kind in np.unique(frames)} - {NORMAL})
    normal = sum(int((frames == NORMAL).sum()) for frames in of_frames.values())
    areas = [area for one in leads(series) for area in _areas(one, of_frames, [*names, ALL], seed)]
    return Events(protocol.name, normal, tuple(areas))


def _areas(series: Series, kinds: Kinds, names: Sequence[str], seed: int) -> Iterator[EventArea]:
    for kind in names:
        scores, labels = frames_against_normal(series.final, kinds, kind)
        frames = [int(marks.sum()) for marks in labels.values()]
        videos = sum(count > 0 for count in frames)
        nothing = Undefined("one video alone shows it")
        low, high = (
            bootstrap_interval(scores, labels, generator(seed, "bootstrap")) if videos > 1 else (nothing, nothing)
        )
        yield EventArea(series.run, series.indicator, kind, micro_auroc(scores, labels), low, high, sum(frames), videos)


def frames_against_normal(
    scores: ByVideo, kinds: Kinds, kind: str
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[np.uint8]]]:
    """Scores and labels of the normal frames and of those that show `kind`, or `ALL`; video -> (those frames,).

    Example:
        >>> kinds = {"a": np.array(["", "cart", "fall"])}
        >>> frames_against_normal({"a": np.array([0.1, 0.9, 0.4])}, kinds, "fall")
        ({'a': array([0.1, 0.4])}, {'a': array([0, 1], dtype=uint8)})
    """
    shows = {name: (frames != NORMAL) if kind == ALL else (frames == kind) for name, frames in kinds.items()}
    counts = {name: shows[name] | (frames == NORMAL) for name, frames in kinds.items()}
    labels = {name: shows[name][counted].astype(np.uint8) for name, counted in counts.items()}
    return {name: np.asarray(scores[name])[counted] for name, counted in counts.items()}, labels
