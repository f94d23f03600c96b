"""GCL's training on footage that holds anomalies: segments of its clips, and how good its own labels are.

A segment is what the features of its last frame are of: with `--pool 16` the mean over its 16 frames. Which clips are
known to be normal (for OCC and WS) is what the data set calls training clips before clips of its test split were mixed
in (`NAME:mixed`). Labels of these clips are looked at for the plot alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from accelerate import Accelerator
from matplotlib.figure import Figure

from pagen.figures import save_figure
from pagen.folders import write_text
from pagen.models.density.gcl import GCL
from pagen.train.config import Train
from pagen.train.density_batches import FeatureClips
from pagen.train.state import Row, as_csv


def fit_segments(
    detector: GCL, clips: FeatureClips, config: Train[Any], path: Path, accelerator: Accelerator
) -> list[Row]:
    """Train on segments of `--pool` frames, as `GCL.fit`; leave `pseudo_labels.csv` and `.png` in the folder."""
    length = config.recipe.pool
    ends = [segment_ends(clips.prepared.length(name), length) for name in clips.names]
    labels = [abnormal(clips.prepared.labels(name), last, length) for name, last in zip(clips.names, ends, strict=True)]
    videos = [np.asarray(video)[last] for video, last in zip(clips.videos, ends, strict=True)]
    normal = np.array([name.startswith("train_") for name in clips.names])
    detector.fit(videos, normal, np.concatenate(labels))
    columns = list(dict.fromkeys(key for row in detector.history for key in row))
    write_text(path / "pseudo_labels.csv", as_csv(detector.history, columns))
    save_figure(label_curves(detector.history, float(np.concatenate(labels).mean())), path / "pseudo_labels.png")
    return []


def segment_ends(frames: int, length: int) -> npt.NDArray[np.int64]:
    """The last frames of the segments that a clip is cut into; a clip shorter than one is one segment."""
    return np.arange(min(length, frames) - 1, frames, length)


def label_curves(history: Sequence[dict[str, Any]], share: float) -> Figure:
    """Precision and share of the pseudo-labels over the epochs, against what chance would give.

    Args:
        history: `GCL.history`, of a training that was told the truth.
        share: of the segments that hold an anomaly.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axis = figure.subplots()
    for letter, name, colour in (("G", "generator", "tab:blue"), ("D", "discriminator", "tab:orange")):
        for what, line in (("precision", "-"), ("share", ":")):
            key = f"{what}_{letter}"
            if points := [(place, row[key]) for place, row in enumerate(history) if key in row]:
                axis.plot(*zip(*points, strict=True), line, color=colour, label=f"{what} of the {name}'s labels")
    axis.axhline(share, color="dimgray", linewidth=1, label="share of abnormal segments")
    both = next(place for place, row in enumerate(history) if row["phase"] == "both")
    if both:
        axis.axvline(both - 0.5, color="lightgray")
        axis.annotate("pre-training", (both - 0.5, 1.0), ha="right", va="top", color="dimgray")
    axis.set(xlabel="epoch", ylim=(0, 1.02), title="pseudo-labels of GCL")
    axis.legend(fontsize="small")
    return figure


def abnormal(labels: npt.NDArray[np.uint8] | None, ends: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.bool_]:
    """Whether each segment holds an abnormal frame, by the labels (T,) of a clip; one without labels is normal."""
    if labels is None:
        return np.zeros(len(ends), np.bool_)
    return np.array([labels[max(end - length + 1, 0) : end + 1].any() for end in ends], np.bool_)
