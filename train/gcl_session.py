"""GCL's training on footage that holds anomalies: segments of its clips, and how good its own labels are.

Segments are what the features are of: the means over `--segment` frames, or the snippets of a file. Labels of the
training clips are looked at for the history and its pictures alone, but for the variants that are told some.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from accelerate import Accelerator

from pagen.errors import PagenError
from pagen.figures import save_figure
from pagen.folders import write_text
from pagen.footage.clips import ClipSource
from pagen.footage.locate import locate
from pagen.models.density.gcl import GCL
from pagen.models.density.gcl_training import Seen
from pagen.train.config import Train
from pagen.train.density_batches import FeatureClips
from pagen.train.gcl_clips import known, told_normal
from pagen.train.gcl_pictures import Moment, Segment, evolution, label_curves, strongest
from pagen.train.state import Row, as_csv

SHEET = "strongest.png"
Truth = npt.NDArray[np.bool_]


def fit_segments(
    detector: GCL, clips: FeatureClips, config: Train[Any], path: Path, accelerator: Accelerator
) -> list[Row]:
    """Train on segments, as `GCL.fit`; leave tables and pictures of the pseudo-labels in the folder.

    Raises PagenError as `GCL.fit`, and for features that know no segments.
    """
    if clips.features.span == 1 != config.recipe.segment:
        found = f"{config.recipe.features}, which have a vector a frame and do not look at --segment"
        raise PagenError(f"expected features of segments, found {found}; give --segment 1 to train on frames")
    told = told_normal(clips.names, known(config, clips.prepared), config)
    truth = [abnormal(clips, name) for name in clips.names]
    follow = _Follow(detector, truth)
    detector.fit(clips.videos, np.array([name in told for name in clips.names]) if told else None, truth, follow)
    _leave(detector, clips, truth, follow, path)
    if follow.last is not None:
        segments = _labelled(clips, truth, follow.last, follow.network)
        footage = {clip.name: clip for clip in locate(config.dataset, config.root).clips}
        save_figure(strongest(segments, lambda one: _middle(footage[one.clip], one), follow.network), path / SHEET)
    return []


def abnormal(clips: FeatureClips, name: str) -> Truth:
    """Whether each segment of a clip holds an abnormal frame, by its labels; one without labels is normal."""
    labels, firsts = clips.prepared.labels(name), clips.features.frames(name)
    if labels is None or not len(firsts):
        return np.zeros(len(firsts), np.bool_)
    return np.logical_or.reduceat(labels == 1, firsts)


class _Follow:
    """Keeps, of every epoch, what was said of one video: of the one that has most of both kinds of segments."""

    def __init__(self, detector: GCL, truth: list[Truth]) -> None:
        self.network = detector.scored_by
        self.video = int(np.argmax([min(marks.sum(), (~marks).sum()) for marks in truth]))
        start = sum(map(len, truth[: self.video]))
        self.rows = slice(start, start + len(truth[self.video]))
        self.moments = list[Moment]()
        self.last: Seen | None = None

    def __call__(self, row: dict[str, Any], seen: Seen) -> None:
        scores = seen.scores[self.network][self.rows].copy()
        if np.isfinite(scores).all():
            self.moments.append(Moment(row["phase"], row["epoch"], scores, seen.labels[self.network][self.rows].copy()))
        self.last = seen


def _leave(detector: GCL, clips: FeatureClips, truth: list[Truth], follow: _Follow, path: Path) -> None:
    """The history as a table and as a curve, and one video over the epochs."""
    columns = list(dict.fromkeys(key for row in detector.history for key in row))
    write_text(path / "pseudo_labels.csv", as_csv(detector.history, columns))
    save_figure(label_curves(detector.history, float(np.concatenate(truth).mean())), path / "pseudo_labels.png")
    name, marks = clips.names[follow.video], truth[follow.video]
    if marks.any() and follow.moments:
        firsts = np.append(clips.features.frames(name), clips.prepared.length(name))
        save_figure(evolution(name, follow.moments, firsts, marks, follow.network), path / "evolution.png")


def _labelled(clips: FeatureClips, truth: list[Truth], seen: Seen, network: str) -> list[Segment]:
    """The segments that a network labelled abnormal in the last epoch, the highest score first."""
    offsets = np.cumsum([0, *map(len, truth)])
    segments = list[Segment]()
    for name, marks, offset in zip(clips.names, truth, offsets[:-1], strict=True):
        firsts, lasts = _bounds(clips, name)
        for place in np.flatnonzero(seen.labels[network][offset : offset + len(marks)]):
            score = float(seen.scores[network][offset + place])
            segments.append(Segment(name, firsts[place], lasts[place], bool(marks[place]), score))
    return sorted(segments, key=lambda segment: -segment.score)


def _middle(clip: ClipSource, segment: Segment) -> Any:
    """The middle frame of a segment, as the footage has it; what is before it in a video is decoded for that."""
    return next(islice(clip.frames(), (segment.first + segment.last) // 2, None))


def _bounds(clips: FeatureClips, name: str) -> tuple[list[int], list[int]]:
    """First frames of a clip's segments, and the frames behind their last ones."""
    firsts, length = clips.features.frames(name).tolist(), clips.prepared.length(name)
    return firsts, [*firsts[1:], length][: len(firsts)]
