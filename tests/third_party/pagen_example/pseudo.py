"""What pseudo-anomalies are made with: masks, an inpainter, the rim of a patch, and intruders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.prepare import Prepared
from pagen.generate.inpaint import Painting, composite

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CentreMasks:
    """A rectangle in the middle of every frame."""

    share: float

    def prepare(self, frames: Frames, name: str) -> None:
        """Nothing has to be known of the whole clip."""

    def segment(self, frames: Frames, state: None, rng: np.random.Generator, start: int) -> tuple[Masks, int]:
        """Masks (T, H, W), none of them a fall-back."""
        masks = np.zeros(frames.shape[:3], bool)
        height, width = (max(round(self.share * side), 1) for side in frames.shape[1:3])
        top, left = (frames.shape[1] - height) // 2, (frames.shape[2] - width) // 2
        masks[:, top : top + height, left : left + width] = True
        return masks, 0

    def origin(self) -> None:
        """None: they depend on nothing outside."""


def open_centre(option: str) -> CentreMasks:
    """The masks `centre`, or `centre:SHARE` of a frame's sides."""
    return CentreMasks(float(option or 0.3))


@dataclass(frozen=True)
class Flat:
    """Fills a hole with the mean of what lies around it."""

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames:
        """Frames (N, H, W, C) with the masks (N, H, W) filled."""
        means = [frame[~mask].mean(axis=0) for frame, mask in zip(frames, masks, strict=True)]
        return composite(frames, np.stack(means)[:, None, None].astype(np.uint8), masks)

    def matched(self, frames: Frames, masks: Masks) -> Frames:
        """There is nothing of the kind."""
        raise PagenError("expected another inpainter for matched normals, found flat; give --inpainter bundled")


def open_flat(painting: Painting) -> Flat:
    """The inpainter `flat`, which looks at nothing of how it is to paint."""
    return Flat()


def diamond(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A patch that fades linearly from its centre."""
    rows, columns = (
        np.abs(np.arange(side) - middle) / extent for side, middle, extent in zip(shape, centre, size, strict=True)
    )
    return np.clip(1 - rows[:, None] - columns[None, :], 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Stripes:
    """Pictures of stripes, by their width in pixels."""

    def names(self, clip: str) -> Sequence[str]:
        """Widths, as names."""
        return ("4", "8")

    def draw_start(self, name: str, length: int, rng: np.random.Generator) -> None:
        """None: they stand still."""

    def read(self, name: str, start: int | None, length: int) -> Frames:
        """The picture (1, 64, 64)."""
        row = np.where(np.arange(64) // int(name) % 2, 255, 0).astype(np.uint8)
        return np.broadcast_to(row, (1, 64, 64)).copy()

    def origin(self) -> None:
        """None: they depend on nothing outside."""


def open_stripes(option: str) -> object:
    """The intruders `stripes`, the same for all footage."""

    def opened(prepared: Prepared) -> Stripes:
        return Stripes()

    return opened
