"""Indicators: what a network says of a window of frames, higher = more abnormal.

| name | of | network | what |
|---|---|---|---|
| `psnr` | a frame | autoencoders of frames | -PSNR of the reconstruction, dB |
| `flow` | a flow map | autoencoders of flow | mean length of the difference |
| `vcr` | a frame | LUSS-AE | -PSNR of the reconstruction by its blur-pooled error (BPE), dB |
| `ffp` | the next frame | LUSS-AE | the same of the predicted frame |
| `prp` | the window | LUSS-AE | log-odds of having been accelerated |
| `semantic` | a frame | discriminator | log-odds of being painted |

`_local`: at the worst place instead of over the whole frame (ours: a sum follows how crowded a video is).
Errors of pixels are given in dB and probabilities as log-odds, in which they can be added up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.errors import unknown_name
from pagen.footage.windows import Windows
from pagen.models.conv_ae import reconstruct, reconstruct_frame
from pagen.models.luss import LUSSAE, predict
from pagen.scoring.errors import (
    flow_error_map,
    frame_bpe,
    frame_means,
    frame_mse,
    frame_pse,
    local_max,
    pooled_error_map,
    psnr,
)
from pagen.scoring.policies import IN_DECIBELS

POOLED, AT_ONCE = 16, 16
"""Frames that a discriminator pools, where it does; and feature vectors that it is shown at once, always as many,
the last ones repeated: a library's products of matrices round by the number of rows."""
PEAK = 2.0
"""Width of the range [-1, 1]."""


@dataclass(frozen=True)
class Indicated:
    """What is said of B windows.

    Attributes:
        frames: name -> (B, P), of the P asked frames of each window.
        window: name -> (B,), of the window as a whole.
        after: name -> (B,), of the frame after the window.
    """

    frames: dict[str, Tensor] = field(default_factory=dict)
    window: dict[str, Tensor] = field(default_factory=dict)
    after: dict[str, Tensor] = field(default_factory=dict)


Indicator = Callable[[Any, Tensor, Sequence[int]], Indicated]


MEASURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": frame_mse, "pse": frame_pse, "bpe": frame_bpe}
"""How a whole frame errs. `_local` is always of the blur-pooled map."""


def frame_errors(network: Any, clips: Tensor, frames: Sequence[int], measure: str = "mse") -> Indicated:
    """Of an autoencoder of frames, on clips (B, C, T, H, W)."""
    values, _ = errors("psnr", clips[:, :, frames], rebuilt(network, clips, frames), measure)
    return Indicated(values)


def flow_errors(network: Any, clips: Tensor, frames: Sequence[int]) -> Indicated:
    """Of an autoencoder of encoded flow, on clips (B, C, T, H, W)."""
    values, _ = errors("flow", clips[:, :, frames], rebuilt(network, clips, frames))
    return Indicated(values)


def rebuilt(network: Any, clips: Tensor, frames: Sequence[int]) -> Tensor:
    """The frames of the reconstruction; where one is asked for, no more is decoded than it depends on."""
    if len(frames) == 1:
        return reconstruct_frame(network, clips, frames[0])
    return reconstruct(network, clips)[:, :, frames]


def luss(network: Any, clips: Tensor, frames: Sequence[int], measure: str = "bpe") -> Indicated:
    """Of LUSS-AE, on clips (B, C, T + 1, H, W): the frame after the window is what is predicted."""
    found = predict(network, clips[:, :, :-1])
    whole, _ = errors("vcr", clips[:, :, frames], found.vcr[:, :, frames], measure)
    coming, _ = errors("ffp", clips[:, :, -1:], found.ffp, measure)
    after = {name: each[:, 0] for name, each in coming.items()}
    return Indicated(whole, {"prp": accelerated(found)}, after)


def accelerated(found: Any) -> Tensor:
    """What LUSS-AE told of windows -> (B,) the log-odds of having been accelerated."""
    logits = found.logits.cpu().double()
    odds: Tensor = logits[:, 1] - logits[:, 0]
    return odds


def indicator_of(network: Any, source: str, measure: str | None = None) -> tuple[Indicator, int]:
    """What a network over clips indicates, and how many frames beyond its window that needs.

    Args:
        measure: a name of `MEASURES`; by default MSE, and for LUSS-AE BPE. Flow has its own.

    Raises:
        PagenError: no such measure.
    """
    if measure is not None and measure not in MEASURES:
        raise unknown_name("error measure", measure, MEASURES)
    if isinstance(network, LUSSAE):
        return partial(luss, measure=measure or "bpe"), 1
    return (flow_errors, 0) if source == "flow" else (partial(frame_errors, measure=measure or "mse"), 0)


def errors(name: str, shown: Tensor, found: Tensor, measure: str = "bpe") -> tuple[dict[str, Tensor], Tensor]:
    """How frames (B, C, P, H, W) err, by the indicator `name`, and at the worst place, by `name`_local: (B, P) each.

    Beside them the map (B, P, h, w) that the worst place is of. `measure` is that of the whole frame; flow has its own.
    """
    shown, found = shown.cpu(), found.cpu()
    maps = (flow_error_map if name == "flow" else pooled_error_map)(shown, found)
    whole = frame_means(maps) if name == "flow" or measure == "bpe" else MEASURES[measure](shown, found)
    return {name: _told(name, whole), f"{name}_local": worst(name, maps)}, maps


def worst(name: str, maps: Tensor) -> Tensor:
    """Maps (B, P, h, w) of errors -> (B, P), what an indicator says of the worst place of each."""
    return _told(name, local_max(maps))


def _told(name: str, errors: Tensor) -> Tensor:
    return -psnr(errors, PEAK) if name.partition("_")[0] in IN_DECIBELS else errors


def log_odds(network: Any, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Of the discriminator: features (T, D) of a clip -> (T,), higher = painted.

    One that pools judges each frame with the 15 before it; the first frame is repeated at the start.
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
