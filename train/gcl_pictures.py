"""What GCL shows of its training and of its scores: the pictures of the paper's figures, and frames behind labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from pagen.arrays import Frames

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
History = Sequence[Mapping[str, Any]]
NAMES = {"G": "generator", "D": "discriminator"}
SAID = {"G": "error of the generator", "D": "probability of the discriminator"}
PHASES = {"generator": "G alone", "discriminator": "D alone", "both": "both", "own": "G by its own labels"}
COLOURS = {"G": "tab:blue", "D": "tab:orange"}
RED, GREEN = "tab:red", "tab:green"
ACROSS, SHOWN, OF_ONE = 4, 12, 3
"""Frames side by side in a sheet, on all of it, and of one video at most."""


@dataclass(frozen=True)
class Moment:
    """What a network said of the segments of one video in an epoch: scores (n,) and pseudo-labels (n,)."""

    phase: str
    epoch: int
    scores: Floats
    labels: Truth


@dataclass(frozen=True)
class Segment:
    """A segment of a clip, frames [first, last), whether it is abnormal indeed, and its score."""

    clip: str
    first: int
    last: int
    abnormal: bool
    score: float


def label_curves(history: History, share: float) -> Figure:
    """Precision and share of the pseudo-labels over the epochs against what chance would give; and AUROC below.

    Args:
        history: `GCL.history`, of a training that was told the truth.
        share: of the segments that hold an anomaly.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    for letter, name in NAMES.items():
        for what, line in (("precision", "-"), ("share", ":")):
            _line(above, history, f"{what}_{letter}", line, COLOURS[letter], f"{what} of the {name}'s labels")
        _line(below, history, f"auroc_{letter}", "-", COLOURS[letter], SAID[letter])
    above.axhline(share, color="dimgray", linewidth=1, label="share of abnormal segments")
    below.axhline(0.5, color="dimgray", linewidth=1, label="chance")
    for place, (before, row) in enumerate(pairwise([{"phase": ""}, *history])):
        if before["phase"] != row["phase"]:
            for axis in (above, below):
                axis.axvline(place - 0.5, color="lightgray", linewidth=1)
            below.text(place - 0.3, 0.02, PHASES[row["phase"]], color="dimgray", fontsize="small")
    above.set(ylim=(0, 1.02), title="pseudo-labels of GCL, training segments", xlim=(-0.5, len(history) - 0.5))
    below.set(xlabel="epoch", ylim=(0, 1.02), ylabel="AUROC of training segments")
    for axis in (above, below):
        axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _line(axis: Any, history: History, key: str, line: str, colour: str, label: str) -> None:
    if points := [(place, row[key]) for place, row in enumerate(history) if row.get(key) is not None]:
        axis.plot(*zip(*points, strict=True), line, color=colour, label=label)


def convergence(histories: Mapping[str, Sequence[History]]) -> Figure:
    """AUROC of either network over the epochs of cooperation, a line a history, a colour a name: figures 5 and 10."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, letter in zip(axes, "GD", strict=True):
        for number, (name, several) in enumerate(histories.items()):
            for place, history in enumerate(several):
                areas = [row[f"auroc_{letter}"] for row in history if row["phase"] == "both"]
                label = name if not place else None
                axis.plot(range(1, len(areas) + 1), areas, color=f"C{number}", label=label, linewidth=1.2)
        axis.axhline(0.5, color="lightgray", linewidth=1)
        axis.set(xlabel="epoch", title=SAID[letter])
    axes[0].set_ylabel("AUROC of training segments")
    axes[1].legend(fontsize="small")
    return figure


def evolution(
    clip: str, moments: Sequence[Moment], firsts: npt.NDArray[np.int64], marks: Truth, network: str
) -> Figure:
    """Scores and pseudo-labels of one video as training goes on, its abnormal segments shaded: figure 7.

    Args:
        moments: one an epoch; up to four of the last phase are shown.
        firsts: (n + 1,), the first frames of its segments, and its length.
        marks: (n,), whether they are abnormal.
    """
    last = [moment for moment in moments if moment.phase == moments[-1].phase]
    shown = [last[index] for index in np.unique(np.linspace(0, len(last) - 1, 4).round().astype(int))]
    figure = Figure(figsize=(7, 1.5 * len(shown) + 0.9), layout="constrained")
    figure.suptitle(f"{clip}: {SAID[network]} as training goes on", fontsize=10)
    axes = figure.subplots(len(shown), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, moment in zip(axes, shown, strict=True):
        axis.stairs(moment.scores, firsts, color=COLOURS[network], linewidth=1.5)
        for start, end, mark, label in zip(firsts[:-1], firsts[1:], marks, moment.labels, strict=True):
            if mark:
                axis.axvspan(start, end, color=RED, alpha=0.15, linewidth=0)
            if label:
                axis.axvspan(start, end, ymax=0.05, color="black", linewidth=0)
        axis.set_ylabel(f"epoch {moment.epoch + 1}")
        axis.margins(x=0)
    axis.set_ylim(0, 1.02 if network == "D" else None)
    axis.set_xlabel("frame; red: abnormal by its labels; black below: pseudo-label")
    return figure


def strongest(segments: Sequence[Segment], middle: Callable[[Segment], Frames], network: str) -> Figure:
    """The middle frames of the segments with the highest scores among those that got a pseudo-label.

    Red rims where there is an anomaly indeed, green ones where labels know of none.

    Args:
        segments: of which labels were made, the highest score first.
        middle: the middle frame (H, W) or (H, W, 3) of a segment.
    """
    counts, shown = dict[str, int](), list[Segment]()
    for segment in segments:
        counts[segment.clip] = counts.get(segment.clip, 0) + 1
        shown += [segment] if counts[segment.clip] <= OF_ONE else []
    shown = shown[:SHOWN]
    pictures, rows = list(map(middle, shown)), max(-(-len(shown) // ACROSS), 1)
    height, width = pictures[0].shape[:2] if shown else (1, 2)
    figure = Figure(figsize=(2.6 * ACROSS, rows * (2.55 * height / width + 0.27) + 0.6), layout="constrained")
    figure.suptitle(
        f"Segments that the {NAMES[network]} calls abnormal, the highest scores, {OF_ONE} a video at most\n"
        "red: abnormal by its labels; green: not"
        if shown
        else "no segment has a pseudo-label",
        fontsize=10,
    )
    for axis, place in zip(figure.subplots(rows, ACROSS, squeeze=False).flat, range(rows * ACROSS), strict=True):
        if place < len(shown):
            _frame(axis, shown[place], pictures[place])
        else:
            axis.axis("off")
    return figure


def _frame(axis: Any, segment: Segment, picture: Frames) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(f"{segment.clip}, {segment.first} to {segment.last - 1}: {segment.score:.3f}", fontsize=8)
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set(color=RED if segment.abnormal else GREEN, linewidth=3)


def histograms(scores: Mapping[str, Floats], truth: Truth) -> Figure:
    """Distributions of several scores (n,) of the same segments, normal and abnormal ones: figure 4.

    Each is stretched from its 1st to its 99th percentile, so that what counts is how far the two lie apart.
    """
    columns = min(len(scores), 3)
    rows = -(-len(scores) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.5 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (name, values) in zip(axes, scores.items(), strict=False):
        low, high = np.quantile(values, (0.01, 0.99))
        stretched, bins = ((values - low) / (high - low)).clip(0, 1), np.linspace(0, 1, 31)
        for label, of, colour in (("normal", ~truth, GREEN), ("abnormal", truth, RED)):
            axis.hist(stretched[of], bins, density=True, alpha=0.55, color=colour, label=label)
        axis.set(title=name, yticks=[])
    for axis in axes[len(scores) :]:
        axis.axis("off")
    figure.supxlabel("score, from its 1st to its 99th percentile", fontsize="medium")
    figure.supylabel("density of test segments", fontsize="medium")
    figure.axes[0].legend(fontsize="small")
    return figure


def embeddings(vectors: Mapping[str, Floats], truth: Truth, seed: int = 0) -> Figure:
    """Reconstructions (n, D) of the same segments by several generators in two dimensions by t-SNE: figure 6."""
    from sklearn.manifold import TSNE

    figure = Figure(figsize=(3.6 * len(vectors), 3.7), layout="constrained")
    for axis, (name, rows) in zip(figure.subplots(1, len(vectors), squeeze=False)[0], vectors.items(), strict=True):
        perplexity = min(30.0, (len(rows) - 1) / 3)
        places = TSNE(random_state=seed, perplexity=perplexity, init="pca").fit_transform(rows)
        for label, of, colour in (("normal", ~truth, GREEN), ("abnormal", truth, RED)):
            axis.scatter(*places[of].T, s=7, color=colour, alpha=0.6, linewidths=0, label=label)
        axis.set(title=name, xticks=[], yticks=[])
    figure.axes[0].legend(fontsize="small", markerscale=2)
    return figure
