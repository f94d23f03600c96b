"""Windows of clips as numbers: what a network answers, held against what it was shown (`indicator_table` names it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.errors import require_name
from pagen.footage.windows import Windows
from pagen.models.clip_network import REBUILT, Answer
from pagen.options import POOLED
from pagen.scoring.errors import MEASURES, flow_error_map, frame_means, local_max, pooled_error_map, psnr
from pagen.scoring.indicator_table import LOCAL, indicator_named

AT_ONCE = 16
"""Feature vectors that a discriminator is shown at once, always as many, the last ones repeated: a library's products
of matrices round by the number of rows."""
PEAK = 2.0
"""Width of the range [-1, 1]."""
LENGTH = "length"
"""How errors of flow are measured where nothing else is asked for: by the mean length of the difference of vectors."""
Numbers = TypeVar("Numbers", Tensor, npt.NDArray[np.float64])


@dataclass(frozen=True)
class WindowScores(Generic[Numbers]):
    """Scores of B windows, as tensors or arrays.

    Attributes:
        frames: indicator -> (B, P), of the P asked frames of each window.
        window: indicator -> (B,), of the window as a whole.
        after: indicator -> (B,), of the frame after the window.
        maps: indicator at the worst place -> (B, P, h, w), the errors that it is read off; P is 1 of the frame after.

    Example:
        >>> WindowScores[Tensor](window={"prp": torch.zeros(2)}).frames
        {}
    """

    frames: dict[str, Numbers] = field(default_factory=dict)
    window: dict[str, Numbers] = field(default_factory=dict)
    after: dict[str, Numbers] = field(default_factory=dict)
    maps: dict[str, Numbers] = field(default_factory=dict)


def score_windows(
    network: Any, clips: Tensor, frames: Sequence[int], rebuilt: str = "psnr", measure: str | None = None
) -> WindowScores[Tensor]:
    """Scores of the windows that clips begin with, by any network of `ClipNetwork`'s kind.

    Raises PagenError: no such measure, or clips that the network does not take.

    Args:
        clips: (B, C, T + `network.beyond`, H, W) in [-1, 1].
        frames: the P frames of each window that are looked at.
        rebuilt: the indicator of a plain reconstruction.
        measure: a name of `MEASURES`, of whole frames; by default the network's own, and of flow the length of errors.

    Example:
        >>> from pagen.models.conv_ae import ConvAE3d
        >>> scores = score_windows(ConvAE3d(1, "tiny").eval(), torch.zeros(2, 1, 16, 32, 32), [15])
        >>> {name: tuple(values.shape) for name, values in scores.frames.items()}
        {'psnr': (2, 1), 'psnr_local': (2, 1)}
    """
    if measure is not None:
        require_name("error measure", measure, MEASURES)
    length = clips.shape[2] - network.beyond
    answer = network.answer(clips[:, :, :length], frames)
    return measured(answer, clips[:, :, frames], clips[:, :, length:], rebuilt, network.measure, measure)


def measured(
    answer: Answer,
    shown: Tensor,
    following: Tensor,
    rebuilt: str = "psnr",
    own: str = "mse",
    asked: str | None = None,
) -> WindowScores[Tensor]:
    """Scores out of a network's answer on windows, whose looked-at frames were `shown` (B, C, P, H, W).

    The content of `following` (B, C, 1, H, W), the frame after each window, plays no part where none is predicted.
    Whole frames are measured as `asked`, else by the network's `own` measure, and flow by the length of errors.

    Example:
        >>> zeros, ones = torch.zeros(1, 1, 1, 32, 32), torch.ones(1, 1, 1, 32, 32)
        >>> scores = measured(Answer({"vcr": zeros}), ones, ones)
        >>> round(float(scores.frames["vcr"]), 2), tuple(scores.maps["vcr_local"].shape)
        (-6.02, (1, 1, 16, 16))
    """
    frames, maps = _errors(answer.frames, shown, rebuilt, own, asked)
    after, following_maps = _errors(answer.after, following, rebuilt, own, asked)
    odds = {name: each.cpu().double() for name, each in answer.odds.items()}
    return WindowScores(frames, odds, {name: each[:, 0] for name, each in after.items()}, maps | following_maps)


def _errors(
    answers: Mapping[str, Tensor], shown: Tensor, rebuilt: str, own: str, asked: str | None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Scores (B, P) of all answers of one kind, and the maps (B, P, h, w) of those at the worst place."""
    scores, maps = dict[str, Tensor](), dict[str, Tensor]()
    for answered, frames in answers.items():
        name = rebuilt if answered == REBUILT else answered
        whole, errors = errors_of(name, shown, frames, asked or (LENGTH if _is_length(name) else own))
        scores |= {name: whole, name + LOCAL: worst(name, errors)}
        maps[name + LOCAL] = errors
    return scores, maps


def errors_of(name: str, shown: Tensor, answered: Tensor, measure: str) -> tuple[Tensor, Tensor]:
    """The score (B, P) of whole frames by an indicator, and the map (B, P, h, w) of where they err; of (B, C, P, H, W).

    The measure is of whole frames: a name of `MEASURES`, or `LENGTH`. The map is of lengths for flow, and blur-pooled
    else.

    Example:
        >>> shown, answered = torch.zeros(1, 2, 1, 4, 4), torch.ones(1, 2, 1, 4, 4)
        >>> [round(float(errors_of("flow", shown, answered, measure)[0]), 3) for measure in (LENGTH, "mse")]
        [1.414, 1.0]
    """
    shown, answered = shown.cpu(), answered.cpu()
    lengths = _is_length(name)
    errors = (flow_error_map if lengths else pooled_error_map)(shown, answered)
    of_map = measure == (LENGTH if lengths else "bpe")
    whole = frame_means(errors) if of_map else MEASURES[measure](shown, answered)
    return _in_unit(name, whole), errors


def worst(name: str, errors: Tensor) -> Tensor:
    """The score (B, P) by an indicator at the worst place of maps (B, P, h, w) of errors.

    Example:
        >>> errors = torch.ones(1, 1, 24, 24)
        >>> float(worst("flow_local", errors)), round(float(worst("psnr_local", errors)), 2)
        (1.0, -6.02)
    """
    return _in_unit(name, local_max(errors))


def _is_length(name: str) -> bool:
    return indicator_named(name).unit == "length"


def _in_unit(name: str, errors: Tensor) -> Tensor:
    return -psnr(errors, PEAK) if indicator_named(name).unit == "dB" else errors


def log_odds(network: Any, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Log-odds (T,) of having been painted, of the frames whose features (T, D) a discriminator judges.

    One that pools judges each frame with the 15 before it; the first frame is repeated at the start.

    Example:
        >>> from pagen.models.discriminator import Discriminator
        >>> log_odds(Discriminator(4, 8).eval(), np.ones((3, 4), np.float32)).shape
        (3,)
    """
    device, pools = next(network.parameters()).device, network.config["pool"] == "mean"
    windows, count = Windows(POOLED), len(features)
    starts, odds = windows.starts(count), []
    with torch.inference_mode():
        for first in range(0, count, AT_ONCE):
            rows = np.minimum(np.arange(first, first + AT_ONCE), count - 1)
            shown = np.stack([windows.indices(starts[row], count) for row in rows]) if pools else rows
            odds.append(network(torch.from_numpy(features[shown]).to(device)).double().cpu().numpy())
    return np.concatenate(odds)[:count]
