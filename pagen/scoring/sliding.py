"""Scores of a clip: a window moves over it, and every frame gets one number an indicator (`pagen.scoring.policies`).

No setting changes a byte: windows are run `WINDOWS_AT_ONCE` by that many, counted from the clip's start, the last
ones filled up. Windows that move by one frame share what they can (`pagen.models.streaming`), by a stream that knows
its clip alone. Only another device rounds otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product, repeat
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.device import exact, rounding
from pagen.footage.clip_input import ClipInput, Take, taker
from pagen.models.speed import fast_clips
from pagen.options import Precision
from pagen.scoring.answers import Answers
from pagen.scoring.policies import Policy, policy_named
from pagen.scoring.window_scores import WindowScores, measured

Values = npt.NDArray[np.float64]
Shown = Callable[[Sequence[int]], Tensor]
"""P places of windows -> what B windows show there, (B, C, P, H, W)."""
Look = tuple[tuple[int, ...], str | None]
"""The frames of a window that are looked at, and how errors of whole frames are measured."""
WINDOWS_AT_ONCE = 4
LAST = "last"
"""The policy under which maps are made: nothing looks ahead."""


@dataclass(frozen=True)
class Slider:
    """A network of `ClipNetwork`'s kind, in evaluation mode on the device, that is moved over clips.

    `window` counts frames or flow maps, `policy` is the name of a window policy, `measure` of `errors.MEASURES`;
    `precision` is what the network multiplies.

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
    precision: Precision = "fp32"

    def scores(self, clip: str) -> dict[str, Values]:
        """Indicator -> (T,), a number for every frame of a clip.

        Raises PagenError: no such policy or measure, or windows that are too short for the policy.
        """
        (scores,) = slide([self], clip)
        return scores

    def windows(self, clip: str, starts: Sequence[int]) -> WindowScores[Values]:
        """Scores of the windows of a clip at these starts, without maps."""
        (found,) = self.looked_at(clip, starts, [self.look])
        return found

    @property
    def look(self) -> Look:
        """What its policy and measure ask of a window."""
        return tuple(self.rule.asked(self.window)), self.measure

    @property
    def rule(self) -> Policy:
        """Its policy. Raises PagenError as `policy_named`."""
        return policy_named(self.policy, self.window)

    def looked_at(self, clip: str, starts: Sequence[int], looks: Sequence[Look]) -> list[WindowScores[Values]]:
        """Scores of the windows of a clip at these starts, without maps, for each look at them."""
        wholes = [WindowScores[Values]() for _ in looks]
        for first, each in self._batches(clip, starts, looks):
            place = slice(first, first + min(len(starts) - first, WINDOWS_AT_ONCE))
            for (whole, few), kind in product(zip(wholes, each, strict=True), ("frames", "window", "after")):
                _put(getattr(whole, kind), getattr(few, kind), place, len(starts))
        return wholes

    def maps(self, clip: str, indicator: str) -> Iterator[Values]:
        """Maps (h, w) of the errors that an indicator at the worst place is read off, one for every frame of a clip.

        Windows are those of policy `last`, whatever the slider's own.
        """
        late, count = self.clip_input.late, len(self.clip_input.source(clip))
        last = replace(self, policy=LAST)
        for first, (few,) in self._batches(clip, last.rule.starts(self.window, count), [last.look]):
            begin = first if indicator in few.after else first - 1  # the first window lies before the first frame
            for frame, errors in enumerate(few.maps[indicator][:, 0].numpy(), begin):
                if 0 <= frame < count:
                    yield from repeat(errors, late + 1 if frame == 0 else 1)

    def _batches(
        self, clip: str, starts: Sequence[int], looks: Sequence[Look]
    ) -> Iterator[tuple[int, list[WindowScores[Tensor]]]]:
        """Index of the first window, and the scores of `WINDOWS_AT_ONCE` windows, filled up at the end, by look."""
        take, count = taker(self.clip_input, clip)
        moves = _moves(starts, self.window)
        answers = Answers(self.network, self.window) if moves else None
        for first in range(0, len(starts), WINDOWS_AT_ONCE):
            few = list(starts[first : first + WINDOWS_AT_ONCE])
            few += [few[-1] + moves * more for more in range(1, WINDOWS_AT_ONCE - len(few) + 1)]
            yield first, self._few(partial(_shown, take, few, count), looks, answers)

    def _few(self, shown: Shown, looks: Sequence[Look], answers: Answers | None) -> list[WindowScores[Tensor]]:
        network, window = self.network, self.window
        frames = {asked: shown(asked) for asked, _ in looks}
        following = shown(range(window, window + network.beyond)) if network.beyond else None
        with torch.inference_mode(), exact(), rounding(self.precision, self.device):
            if answers is not None:
                found = answers.each(fast_clips(shown([window - 1]).to(self.device)), frames)
            else:
                clips = fast_clips(shown(range(window)).to(self.device))
                found = [network.answer(clips, asked) for asked in frames]
            answered, how = dict(zip(frames, found, strict=True)), (self.clip_input.rebuilt, network.measure)
            return [
                measured(answered[asked], frames[asked], frames[asked] if following is None else following, *how, asks)
                for asked, asks in looks
            ]


def slide(sliders: Sequence[Slider], clip: str) -> list[dict[str, Values]]:
    """What each slider's `scores` gives, of sliders that differ in policy and measure alone.

    What several of them ask of a window is answered once. Raises PagenError as `Slider.scores`.

    Example:
        >>> from pagen.footage.clip_input import FrameInput
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> class Grey(FrameInput):
        ...     def source(self, clip):
        ...         return np.zeros((3, 32, 32, 1), np.uint8)
        >>> network = ConvAE3d(1, "tiny").eval()
        >>> both = slide([Slider(network, Grey(), 16, policy) for policy in ("last", "mean")], "any")
        >>> [sorted(scores) for scores in both]
        [['psnr', 'psnr_local'], ['psnr', 'psnr_local']]
    """
    one, count = sliders[0], len(sliders[0].clip_input.source(clip))
    rows = [slider.rule.starts(one.window, count) for slider in sliders]
    found = dict[int, WindowScores[Values]]()
    for begin in {(row.start, row.step) for row in rows}:
        alike = [place for place, row in enumerate(rows) if (row.start, row.step) == begin]
        longest = max((rows[place] for place in alike), key=len)
        found |= zip(alike, one.looked_at(clip, longest, [sliders[place].look for place in alike]), strict=True)
    return [_of_frames(slider, found[place], rows[place], count) for place, slider in enumerate(sliders)]


def _of_frames(slider: Slider, found: WindowScores[Values], row: range, count: int) -> dict[str, Values]:
    """Indicator -> (T,), of the windows of a row, and maybe more."""
    policy, window, own = slider.rule, slider.window, slice(len(row))
    scores = {name: policy.of_frames(name, values[own], window, count) for name, values in found.frames.items()}
    scores |= {name: policy.of_windows(name, values[own], window, count) for name, values in found.window.items()}
    scores |= {name: policy.of_next(values[own], window, count) for name, values in found.after.items()}
    return {name: frames_of_maps(values, slider.clip_input.late) for name, values in scores.items()}


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
