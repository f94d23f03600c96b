"""Scores of a clip: a window moves over it, and every frame gets one number an indicator (`pagen.scoring.policies`).

No setting changes a byte: windows are run `WINDOWS_AT_ONCE` by that many, counted from the clip's start, the last
ones filled up. Windows that move by one frame share what they can (`pagen.models.streaming`), by a stream that knows
its clip alone. Only another device rounds otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.device import exact
from pagen.footage.clip_input import ClipInput, Take, taker
from pagen.models.speed import fast_clips
from pagen.scoring.answers import Answers
from pagen.scoring.policies import policy_named
from pagen.scoring.window_scores import WindowScores, measured

Values = npt.NDArray[np.float64]
Shown = Callable[[Sequence[int]], Tensor]
"""P places of windows -> what B windows show there, (B, C, P, H, W)."""
WINDOWS_AT_ONCE = 4
LAST = "last"
"""The policy under which maps are made: nothing looks ahead."""


@dataclass(frozen=True)
class Slider:
    """A network of `ClipNetwork`'s kind, in evaluation mode on the device, that is moved over clips.

    `window` counts frames or flow maps, `policy` is the name of a window policy, `measure` of `errors.MEASURES`.

    Example:
        >>> from pagen.footage.clip_input import FrameInput
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> class Noise(FrameInput):
        ...     def source(self, clip):
        ...         return np.random.default_rng(0).integers(0, 255, (3, 32, 32, 1), np.uint8)
        >>> scores = Slider(ConvAE3d(1, "tiny").eval(), Noise(), 8).scores("any")
        >>> {name: values.shape for name, values in scores.items()}
        {'psnr': (3,), 'psnr_local': (3,)}
    """

    network: Any
    clip_input: ClipInput
    window: int
    policy: str = LAST
    device: str = "cpu"
    measure: str | None = None

    def scores(self, clip: str) -> dict[str, Values]:
        """Indicator -> (T,), a number for every frame of a clip.

        Raises PagenError: no such policy or measure, or windows that are too short for the policy.
        """
        policy, window = policy_named(self.policy, self.window), self.window
        count = len(self.clip_input.source(clip))
        found = self.windows(clip, policy.starts(window, count))
        scores = {name: policy.of_frames(name, values, window, count) for name, values in found.frames.items()}
        scores |= {name: policy.of_windows(name, values, window, count) for name, values in found.window.items()}
        scores |= {name: policy.of_next(values, window, count) for name, values in found.after.items()}
        return {name: frames_of_maps(values, self.clip_input.late) for name, values in scores.items()}

    def windows(self, clip: str, starts: Sequence[int]) -> WindowScores[Values]:
        """Scores of the windows of a clip at these starts, without maps."""
        whole = WindowScores[Values]()
        for first, few in self._batches(clip, starts, self.policy):
            count = min(len(starts) - first, WINDOWS_AT_ONCE)
            for kind in ("frames", "window", "after"):
                _put(getattr(whole, kind), getattr(few, kind), slice(first, first + count), len(starts))
        return whole

    def maps(self, clip: str, indicator: str) -> Iterator[Values]:
        """Maps (h, w) of the errors that an indicator at the worst place is read off, one for every frame of a clip.

        Windows are those of policy `last`, whatever the slider's own.
        """
        late, count = self.clip_input.late, len(self.clip_input.source(clip))
        starts = policy_named(LAST, self.window).starts(self.window, count)
        for first, few in self._batches(clip, starts, LAST):
            begin = first if indicator in few.after else first - 1  # the first window lies before the first frame
            for frame, errors in enumerate(few.maps[indicator][:, 0].numpy(), begin):
                if 0 <= frame < count:
                    yield from repeat(errors, late + 1 if frame == 0 else 1)

    def _batches(self, clip: str, starts: Sequence[int], policy: str) -> Iterator[tuple[int, WindowScores[Tensor]]]:
        """Index of the first window, and the scores of `WINDOWS_AT_ONCE` windows, filled up at the end."""
        take, count = taker(self.clip_input, clip)
        asked = policy_named(policy, self.window).asked(self.window)
        moves = _moves(starts, self.window)
        answers = Answers(self.network, self.window) if moves else None
        for first in range(0, len(starts), WINDOWS_AT_ONCE):
            few = list(starts[first : first + WINDOWS_AT_ONCE])
            few += [few[-1] + moves * more for more in range(1, WINDOWS_AT_ONCE - len(few) + 1)]
            yield first, self._few(partial(_shown, take, few, count), asked, answers)

    def _few(self, shown: Shown, asked: Sequence[int], answers: Answers | None) -> WindowScores[Tensor]:
        network, window = self.network, self.window
        with torch.inference_mode(), exact():
            if answers is not None:
                answer = answers(fast_clips(shown([window - 1]).to(self.device)), asked)
            else:
                answer = network.answer(fast_clips(shown(range(window)).to(self.device)), asked)
            frames = shown(asked)
            following = shown(range(window, window + network.beyond)) if network.beyond else frames
            return measured(answer, frames, following, self.clip_input.rebuilt, network.measure, self.measure)


def _moves(starts: Sequence[int], window: int) -> bool:
    """Whether windows move by one frame, and the first one holds no frame but the clip's first."""
    return bool(starts) and starts[0] + window <= 1 and list(starts) == list(range(starts[0], starts[0] + len(starts)))


def _shown(take: Take, starts: Sequence[int], count: int, places: Sequence[int]) -> Tensor:
    """What lies at these P places of the windows at these starts, (B, C, P, H, W); the clip's ends are repeated."""
    indices = np.clip(np.add.outer(starts, places), 0, count - 1)
    return torch.from_numpy(np.stack([take(each) for each in indices]))


def _put(whole: dict[str, Values], part: Mapping[str, Tensor], place: slice, count: int) -> None:
    """Scores of a few windows, among all `count`: arrays of their own for each would fragment the memory."""
    for name, values in part.items():
        if name not in whole:
            whole[name] = np.empty((count, *values.shape[1:]))
        whole[name][place] = values[: place.stop - place.start].numpy()


def frames_of_maps(scores: npt.NDArray[Any], late: int = 1) -> Values:
    """Scores (T - late,) of inputs that belong to later frames as scores (T,) of frames.

    Flow map t leads from frame t to t + 1 and is known when frame t + 1 has come: it scores frame t + 1.
    Frame 0 has no map and takes the score of the first one, which is the one look ahead, by one frame.

    Example:
        >>> frames_of_maps(np.array([1.0, 2.0]))
        array([1., 1., 2.])
    """
    return np.concatenate([np.repeat(scores[:1], late), scores]).astype(np.float64)
