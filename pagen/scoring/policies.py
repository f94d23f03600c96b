"""Window policies: which windows say what of a frame, so that every frame of a clip gets one number.

| policy | frame t is scored | by whom |
|---|---|---|
| `last` | as the last of the window that ends with it | nothing looks ahead |
| `ninth` | as the ninth of its window | LNTRA, STEAL Net |
| `window` | by all frames of the window before it | LUSS-AE, equation 12; nothing looks ahead |
| `mean` | in every window that holds it, and the mean is taken | smoothest |
| `block` | in the one window that holds it, windows not overlapping | a sixteenth of the work |
| `ninth_block` | by the ninth frame of the one window that holds it | the unified PA paper |

What concerns a window as a whole (LUSS-AE's playback rate) goes to the frames that the window scores. What concerns
the frame after it (LUSS-AE's prediction) goes to that frame, but where windows do not overlap and few frames follow
one: there it goes to the frames of the window.

Flow map t leads from frame t to t + 1. It scores frame t + 1 (`sliding.frames_of_maps`), so that nothing looks ahead.
Under `ninth_block` all frames of a window have one score, so that the ninth frame of 16, index 8, gets the window's
ninth map, which leads from it to frame 9.

Where a window reaches beyond the clip, its first or last frame is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, require_name
from pagen.scoring.indicator_table import indicator_named

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Policy:
    """Which windows say what of a frame: `one` frame of each, all those `before`, or `all` that hold it.

    `frame` is the index in the window of the `one`; a `causal` policy does not look ahead. Windows `apart` do not
    overlap: one holds a frame, and its `one` frame speaks for all of them.

    Example:
        >>> list(POLICIES["block"].starts(16, 40)), list(POLICIES["ninth"].asked(16))
        ([0, 16, 32], [8])
    """

    by: Literal["one", "before", "all"]
    frame: int
    title: str
    causal: bool = False
    apart: bool = False

    def asked(self, window: int) -> range:
        """The indices of the frames that are looked at in a window of so many."""
        return range(window)[self.frame :][:1] if self.by == "one" else range(window)

    def starts(self, window: int, count: int) -> range:
        """The windows for a clip of `count` frames; all but those apart begin with the one before frame 0."""
        return range(0, count, window) if self.apart else range(-window, count - self._back(window))

    def of_frames(self, name: str, values: Values, window: int, count: int) -> Values:
        """An indicator of the frames looked at, (windows, asked) -> (count,)."""
        if self.apart:
            return np.repeat(values.reshape(-1), window // values.shape[1])[:count]
        if self.by == "all":
            rows = np.arange(count)[:, None] + window - np.arange(window)
            return mean_of(name, values[rows, np.arange(window)])
        return mean_of(name, values)[window - self._back(window) :][:count]

    def of_windows(self, name: str, values: Values, window: int, count: int) -> Values:
        """An indicator of windows as a whole, (windows,) -> (count,)."""
        return self.of_frames(name, np.repeat(values[:, None], len(self.asked(window)), axis=1), window, count)

    def of_next(self, values: Values, window: int, count: int) -> Values:
        """An indicator of the frames after the windows, (windows,) -> (count,)."""
        return np.repeat(values, window)[:count] if self.apart else values[:count]

    def _back(self, window: int) -> int:
        """How many frames before the one that it scores the last window begins."""
        return {"one": self.asked(window).start, "before": window, "all": 0}[self.by]


POLICIES = {
    "last": Policy("one", -1, "each as the last of its window, the first one repeated at a video's start", True),
    "ninth": Policy("one", 8, "each as the ninth of its window"),
    "window": Policy("before", 0, "each by all frames of the window before it", True),
    "mean": Policy("all", 0, "each in the mean over all windows that hold it"),
    "block": Policy("all", 0, "each in its window of a row that does not overlap", apart=True),
    "ninth_block": Policy("one", 8, "each by the ninth of its window of a row that does not overlap", apart=True),
}


def policy_named(name: str, window: int) -> Policy:
    """A policy. Raises PagenError for an unknown name, or windows that are too short for it.

    Example:
        >>> policy_named("last", 16).causal
        True
    """
    require_name("window policy", name, POLICIES)
    if not POLICIES[name].asked(window):
        raise PagenError(
            f"expected windows of {POLICIES[name].frame + 1} frames and more for policy {name}, found {window}; "
            "choose another protocol"
        )
    return POLICIES[name]


def mean_of(name: str, values: Values) -> Values:
    """Means (N,) of an indicator (N, K): errors that are given in dB are averaged as errors.

    Example:
        >>> mean_of("prp", np.array([[-10.0, -20.0]])), mean_of("psnr", np.array([[-10.0, -20.0]])).round(2)
        (array([-15.]), array([-12.6]))
    """
    if values.shape[1] == 1:
        return values[:, 0]
    decibels = indicator_named(name).unit == "dB"
    means: Values = 10 * np.log10((10 ** (values / 10)).mean(axis=1)) if decibels else values.mean(axis=1)
    return means
