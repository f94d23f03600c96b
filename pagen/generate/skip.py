"""Skip-frame pseudo-anomalies: a clip played too fast.

After LNTRA (Astrid et al., "Learning Not to Reconstruct Anomalies", BMVC 2021); what a model is to give back is the
clip of stride 1 from the same start.

Deviation: LNTRA redraws a start that does not fit at most ten times and clamps what still runs over the end, so that
some clips stand still. Here only strides that fit are drawn, and a start that does not fit among those that do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError


@dataclass(frozen=True)
class Skip:
    """Where a pseudo clip starts, and how many frames it goes on at each step.

    Example:
        >>> Skip(start=2, stride=3).indices(4).tolist()
        [2, 5, 8, 11]
    """

    start: int
    stride: int

    def indices(self, length: int) -> npt.NDArray[np.int64]:
        """Frames of the pseudo clip, (length,)."""
        return self.start + self.stride * np.arange(length, dtype=np.int64)


def strides_that_fit(frames: int, length: int, strides: Sequence[int]) -> tuple[int, ...]:
    """The strides above 1 at which `length` frames fit into a video of `frames` frames.

    Example:
        >>> strides_that_fit(frames=50, length=16, strides=(2, 3, 4, 5))
        (2, 3)
    """
    return tuple(stride for stride in strides if stride > 1 and (length - 1) * stride < frames)


def draw_skip(frames: int, start: int, length: int, strides: Sequence[int], rng: np.random.Generator) -> Skip:
    """Draw the stride, uniformly over those that fit; keep `start` if it fits, or else draw it uniformly.

    The clip has `length` frames, the video `frames`. Of the strides (LNTRA: 2 3 4 5), 1 is normal motion and never
    chosen. Raises PagenError: no stride above 1 is given, or the video is too short for each of them.

    Example:
        >>> draw_skip(50, start=40, length=16, strides=(2, 3), rng=np.random.default_rng(0)).start < 40
        True
    """
    usable = [stride for stride in strides if stride > 1]
    if not usable:
        raise PagenError(f"expected strides of 2 and more, found {list(strides)}; give for example 2 3 4 5")
    fitting = strides_that_fit(frames, length, strides)
    if not fitting:
        raise PagenError(
            f"expected a video of at least {(length - 1) * min(usable) + 1} frames for {length} frames at stride "
            f"{min(usable)}, found {frames}; leave this video out, or take smaller strides"
        )
    stride = fitting[int(rng.integers(len(fitting)))]
    starts = frames - (length - 1) * stride
    if not 0 <= start < starts:
        start = int(rng.integers(starts))
    return Skip(start, stride)
