"""Encoders: each frame for itself, and its vector as the network gives it, neither normalised nor averaged over time.

By default the whole frame is squeezed into the network's square input, since a centre crop of a wide frame,
which these networks were trained on, loses the sides, where people come and go. The view `vifi` is that crop:
the short side to 8/7 of the input, then its middle. Resizing is bilinear with the filter widened where a frame
shrinks, as Pillow does it, and without rounding; ViFi-CLIP's own has no such filter.

Frames go through the network `FRAMES_AT_ONCE` by that many, counted from the first, the last ones filled up by
repetition: no batching changes a byte. Another number of threads or another device rounds otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pagen.batching import in_batches
from pagen.errors import PagenError

Colour = tuple[float, float, float]
FRAMES_AT_ONCE = 8
VIEWS, OWN = ("whole", "vifi"), "own"


@dataclass(frozen=True)
class Encoder:
    """A network as a function from frames to vectors.

    Attributes:
        name: the spec, without where its weights lie.
        features: length D of a vector.
        network: pictures float32 (N, 3, side, side), standardised, to (N, D).
        side: pixels a side of its input.
        mean, deviation: of red, green and blue, from 0 to 255, that its input is standardised by.
        place: what `origin` gives.
        view: `"whole"` or `"vifi"`; as a factory gives it, what the network was trained on.
        device: where the network lies.

    Example:
        >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> encoder = Encoder("mean", 3, network, side=8, mean=(0.0, 0.0, 0.0), deviation=(255.0, 255.0, 255.0))
        >>> encoder(np.full((2, 20, 30, 1), 51, np.uint8)).round(3)
        array([[0.2, 0.2, 0.2],
               [0.2, 0.2, 0.2]], dtype=float32)
    """

    name: str
    features: int
    network: nn.Module
    side: int
    mean: Colour
    deviation: Colour
    place: tuple[str, str] | None = None
    view: str = "whole"
    device: str = "cpu"

    def origin(self) -> tuple[str, str] | None:
        """The place of weights outside of pagen, as the option after the colon, and their fingerprint."""
        return self.place

    def __call__(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Vectors (N, D) of frames uint8 (N, H, W, C), C 1 (grey) or 3 (RGB). Raises PagenError: other frames."""
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] not in (1, 3):
            found = f"{frames.dtype} {frames.shape}; give prepared frames"
            raise PagenError(f"expected frames uint8 (N, H, W, C) with C 1 or 3 to encode, found {found}")

        def encode(batch: list[npt.NDArray[np.uint8]]) -> Tensor:
            return cast(Tensor, self.network(self.standardised(np.stack(batch))))

        return in_batches(encode, frames, FRAMES_AT_ONCE, (self.features,))

    def standardised(self, frames: npt.NDArray[np.uint8]) -> Tensor:
        """Standardised pictures (N, 3, side, side) of frames uint8 (N, H, W, C), on the network's device."""
        colours = torch.tensor((self.mean, self.deviation), device=self.device)
        mean, deviation = colours[..., None, None].unbind()
        return (pictures(torch.from_numpy(frames).to(self.device), self.side, self.view) - mean).div(deviation)


def pictures(frames: Tensor, side: int, view: str = "whole") -> Tensor:
    """Frames uint8 (N, H, W, C) as a network sees them: float32 (N, 3, side, side), from 0 to 255.

    Example:
        >>> pictures(torch.zeros(2, 20, 30, 1, dtype=torch.uint8), side=8).shape
        torch.Size([2, 3, 8, 8])
    """
    height, width = frames.shape[1:3]
    short, least = side * 8 // 7, min(height, width)
    factor = short / least  # divided first, as ViFi-CLIP's own resizing: the other order rounds some sides up
    around = int(height * factor + 0.5), int(width * factor + 0.5)
    size = (side, side) if view == "whole" else around
    resized = interpolate(frames.permute(0, 3, 1, 2).float(), size, mode="bilinear", antialias=True)
    top, left = ((pixels - side) // 2 for pixels in size)
    return resized[..., top : top + side, left : left + side].expand(-1, 3, -1, -1)
