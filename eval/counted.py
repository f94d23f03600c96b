"""Which frames figures are of: those with a score and a label, without those that the labels leave out.

A label of `LEFT_OUT` marks a frame that counts in no figure, as HR-Avenue has it of anomalies that are no people's. A
protocol takes such frames away last of all, so that scores are rescaled and smoothed over every frame; what lies
before and after them are neighbours from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, require_name
from pagen.eval.metrics.roc import ByVideo
from pagen.footage.clips import LEFT_OUT


def matched(scores: ByVideo, labels: ByVideo) -> ByVideo:
    """The scores, video -> (T,), each known to be finite and to have a label.

    Raises PagenError: a video without labels, a number of labels that differs, or a score that is not finite.
    """
    for name, values in scores.items():
        require_name("labelled video", name, labels)
        if len(values) != len(labels[name]):
            lengths = f"{len(values)} scores, found {len(labels[name])}"
            raise PagenError(f"video {name}: expected a label for each of {lengths}")
        odd = np.flatnonzero(~np.isfinite(values))
        if len(odd):
            shown = "NaN" if np.isnan(values[odd[0]]) else values[odd[0]]
            raise PagenError(
                f"video {name}: expected finite scores, one for each of {len(values)} frames, found {shown} at frame "
                f"{odd[0]}; mend it, or leave the video out"
            )
    return scores


def without_left_out(values: ByVideo, labels: ByVideo) -> dict[str, npt.NDArray[Any]]:
    """Values, video -> (T,), of the frames that labels, video -> (T,), do not leave out; videos with none are gone."""
    counted = {name: np.asarray(labels[name]) != LEFT_OUT for name in values}
    return {name: np.asarray(values[name])[counts] for name, counts in counted.items() if counts.any()}


def require_classes(labels: Mapping[str, Any], what: str) -> None:
    """Raise PagenError for labels of one class: AUROC compares abnormal frames with normal ones."""
    marks = np.concatenate([np.asarray(each) for each in labels.values()])
    frames, left = int((marks != LEFT_OUT).sum()), int((marks == LEFT_OUT).sum())
    if int((marks == 1).sum()) in (0, frames):
        which = "abnormal" if (marks == 1).any() else "normal"
        aside = f" ({left} more are left out: label {LEFT_OUT})" if left else ""
        raise PagenError(
            f"AUROC is undefined: all {frames} {what} are labelled {which}{aside}; expected both classes, check the "
            "labels"
        )
