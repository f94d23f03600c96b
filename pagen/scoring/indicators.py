"""Indicators: what a network says of a window of frames, higher = more abnormal.

| name | of | network | what |
|---|---|---|---|
| `psnr` | a frame | autoencoders of frames | -PSNR of the reconstruction, dB |
| `flow` | a flow map | autoencoders of flow | mean length of the difference |
| `vcr` | a frame | LUSS-AE | -PSNR of the blur-pooled error (BPE) of the reconstruction, dB |
| `ffp` | the next frame | LUSS-AE | the same of the predicted frame |
| `prp` | the window | LUSS-AE | log-odds of having been accelerated |
| `semantic` | a frame | discriminator | log-odds of being painted |

`_local`: at the worst place instead of over the whole frame (ours: a sum follows how crowded a video is).
Errors are given in dB and probabilities as log-odds, in which they can be averaged and added up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pagen.models.conv_ae import reconstruct
from pagen.models.luss import LUSSAE, predict
from pagen.scoring.errors import flow_l2, frame_bpe, frame_mse, local_max, pooled_error_map, psnr

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


def frame_errors(network: Any, clips: Tensor, frames: Sequence[int]) -> Indicated:
    """Of an autoencoder of frames, on clips (B, C, T, H, W)."""
    rebuilt = reconstruct(network, clips).cpu()
    pair = clips.cpu()[:, :, frames], rebuilt[:, :, frames]
    return Indicated({"psnr": _decibels(frame_mse(*pair)), "psnr_local": _worst(*pair)})


def flow_errors(network: Any, clips: Tensor, frames: Sequence[int]) -> Indicated:
    """Of an autoencoder of encoded flow, on clips (B, C, T, H, W)."""
    rebuilt = reconstruct(network, clips).cpu()
    return Indicated({"flow": flow_l2(clips.cpu()[:, :, frames], rebuilt[:, :, frames])})


def luss(network: Any, clips: Tensor, frames: Sequence[int]) -> Indicated:
    """Of LUSS-AE, on clips (B, C, T + 1, H, W): the frame after the window is what is predicted."""
    found = predict(network, clips[:, :, :-1])
    shown, coming = clips.cpu()[:, :, frames], clips.cpu()[:, :, -1:]
    rebuilt, predicted = found.vcr.cpu()[:, :, frames], found.ffp.cpu()
    logits = found.logits.cpu().double()
    return Indicated(
        {"vcr": _decibels(frame_bpe(shown, rebuilt)), "vcr_local": _worst(shown, rebuilt)},
        {"prp": logits[:, 1] - logits[:, 0]},
        {"ffp": _decibels(frame_bpe(coming, predicted))[:, 0], "ffp_local": _worst(coming, predicted)[:, 0]},
    )


def indicator_of(network: Any, source: str) -> tuple[Indicator, int]:
    """What a network over clips indicates, and how many frames beyond its window that needs."""
    if isinstance(network, LUSSAE):
        return luss, 1
    return (flow_errors if source == "flow" else frame_errors), 0


def _decibels(errors: Tensor) -> Tensor:
    return -psnr(errors, PEAK)


def _worst(shown: Tensor, rebuilt: Tensor) -> Tensor:
    return _decibels(local_max(pooled_error_map(shown, rebuilt)))


def log_odds(network: Any, features: Tensor) -> Indicated:
    """Of the discriminator, on features (B, D), one frame each, or (B, T, D) where it pools."""
    logits = network(features).double().cpu()
    return Indicated(window={"semantic": logits}) if features.ndim == 3 else Indicated({"semantic": logits[:, None]})


def exact() -> Any:
    """A context in which a GPU rounds as it should: no short cuts in convolutions."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
