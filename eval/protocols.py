"""Protocols: which frames count, under which window policy, rescaled and smoothed how.

The choice moves Ped2's AUROC by more than ten points, so it has a name and a line of its own that is
printed above every table. The headline protocol is `causal`: nothing but the past is used, and no
video is stretched to fit. The others repeat what was published.

What compares two frames (flow, the trivial baselines) knows nothing of a video's first frame, which gets
the value of the second: the one look ahead of `causal`, by one frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.rescale import causal_smooth, min_max
from pagen.registry import Registry

Array = npt.NDArray[Any]
ByVideo = Mapping[str, Array]
Change = Callable[[Array], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Protocol:
    """A way of evaluating."""

    name: str
    policy: str
    """`last` or `ninth`: the frame of a window that gets its score."""
    title: str
    """Which frames are scored, and why: the line above the table."""
    looks_ahead: bool
    """Later frames than the scored one play a part."""
    dropped_first: int = 0
    """Frames at the start of each video that do not count."""
    dropped_last: int = 0
    """Frames at the end of each video that do not count."""
    rescale: Change | None = None
    """Applied to the frames of one video that count."""
    smooth: Change | None = None
    """Applied after rescaling."""

    def raw(self) -> Protocol:
        """The same frames, neither rescaled nor smoothed."""
        return replace(self, rescale=None, smooth=None)


CAUSAL = Protocol(
    "causal",
    "last",
    "raw scores, causal smoothing sigma 2 frames; every frame is scored as the last of its 16-frame window "
    "(the first frame is repeated at a video's start), so that nothing looks ahead; what compares two frames "
    "gives frame 0, which has no predecessor, the value of frame 1",
    looks_ahead=False,
    smooth=partial(causal_smooth, sigma=2.0),
)
LNTRA = Protocol(
    "lntra",
    "ninth",
    "min-max of each video, no smoothing; the 9th frame of each 16-frame window inside the video is scored, frames "
    "[8 : L-7] of L, as LNTRA's released code does; it needs the whole video and looks ahead",
    looks_ahead=True,
    dropped_first=8,
    dropped_last=7,
    rescale=min_max,
)
PROTOCOLS: Registry[Protocol] = Registry("protocol", "pagen.protocols", {"causal": CAUSAL, "lntra": LNTRA})


def apply(
    protocol: Protocol, scores: ByVideo, labels: ByVideo
) -> tuple[dict[str, npt.NDArray[np.float64]], dict[str, Array]]:
    """Scores and labels under a protocol.

    Args:
        scores: video -> (L,) raw, of every frame, under the protocol's window policy.
        labels: video -> (L,).

    Returns:
        video -> (kept,) of both; frames are dropped first, then a video is rescaled, then smoothed.
        A video with no frame that counts is left out.

    Raises:
        PagenError: a video whose scores and labels differ in number.
    """
    kept_scores, kept_labels = {}, {}
    for name, values in scores.items():
        if len(values) != len(labels[name]):
            raise PagenError(
                f"video {name}: expected a label for each of {len(values)} scores, found {len(labels[name])}"
            )
        kept = slice(protocol.dropped_first, max(len(values) - protocol.dropped_last, 0))
        if len(range(len(values))[kept]):
            kept_scores[name] = _changed(protocol, np.asarray(values[kept], np.float64))
            kept_labels[name] = labels[name][kept]
    return kept_scores, kept_labels


def _changed(protocol: Protocol, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    for change in (protocol.rescale, protocol.smooth):
        scores = scores if change is None else change(scores)
    return scores


def frames_of_maps(scores: Array) -> npt.NDArray[np.float64]:
    """Scores (T - 1,) of flow maps as scores (T,) of frames.

    Map t leads from frame t to t + 1 and is known when frame t + 1 has come: it scores frame t + 1.
    Frame 0 has no map and takes the score of the first one, which is the one look ahead, by one frame.
    """
    return np.concatenate([scores[:1], scores]).astype(np.float64)
