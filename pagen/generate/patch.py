"""Patch pseudo-anomalies: a foreign picture seen through a window that wanders over a normal clip.

After LNTRA (Astrid et al., "Learning Not to Reconstruct Anomalies", BMVC 2021): one picture is
stretched over the whole frame; a soft mask of fixed size shows part of it; the centre of the mask
walks at random from frame to frame; what a model is to give back is the clean clip.

Deviations: masks are (H, W) and right for frames that are not square; the intruders are pictures that
lie in scikit-image's own wheel instead of CIFAR-100, so that nothing is downloaded; pixel centres
stay in place when they are stretched (LNTRA aligns the corners).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, unknown_name
from pagen.registry import Registry

Frames = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]

SMALLEST = 10
RAMP = 0.1

INTRUDERS = [
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "colorwheel"),
    *("grass", "gravel", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
]
"""Pictures of skimage.data whose files lie in the installed package."""


class PatchMask(Protocol):
    """shape (H, W), centre (y, x), size (h, w), all in pixels -> how much of the intruder is seen, (H, W) in [0, 1]."""

    def __call__(self, shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask: ...


@dataclass(frozen=True)
class Patch:
    """A patch pseudo-anomaly of one clip, as plain data: `render` makes the same pixels of it again.

    Attributes:
        intruder: name of the picture.
        size: height and width of the patch, pixels.
        centres: (y, x) of each frame, pixels; may be one past the last row or column.
        mask: name of the mask.
    """

    intruder: str
    size: tuple[int, int]
    centres: tuple[tuple[int, int], ...]
    mask: str = "smoothmix_s"

    def to_json(self) -> dict[str, Any]:
        """Plain data for a line of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Patch:
        """The patch that `to_json` was called on, also after a way through JSON."""
        height, width = value["size"]
        return cls(value["intruder"], (height, width), tuple((y, x) for y, x in value["centres"]), value["mask"])


def smoothmix_s(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask:
    """SmoothMixS: 1 on a box, falling linearly to 0 outside of it over a tenth of its half size.

    Along one axis of n pixels, half = size // 2 and a, b = centre -+ half clipped to [0, n]: the mask is
    1 on the closed [a, b] and 0 beyond a - 0.1 half and b + 0.1 half; the two axes are multiplied.

    Args:
        shape: (H, W).
        centre: (y, x), 0 <= y <= H, 0 <= x <= W.
        size: (h, w) of the box.

    Returns:
        float32 (H, W) in [0, 1].
    """
    rows, columns = (_ramp(n, c, cut) for n, c, cut in zip(shape, centre, size, strict=True))
    return np.outer(rows, columns).astype(np.float32)


def _ramp(n: int, centre: int, cut: int) -> npt.NDArray[np.float64]:
    half = cut // 2
    low, high = max(centre - half, 0), min(centre + half, n)
    pixel = np.arange(n)
    outside = np.maximum(low - pixel, pixel - high)
    return np.clip(1 - outside / (RAMP * max(half, 1)), 0, 1)


PATCH_MASKS: Registry[PatchMask] = Registry("patch mask", "pagen.patch_masks", {"smoothmix_s": smoothmix_s})


def draw_patch(
    shape: tuple[int, int],
    length: int,
    rng: np.random.Generator,
    max_size: float = 0.5,
    max_move: int = 10,
    intruders: Sequence[str] = INTRUDERS,
    mask: str = "smoothmix_s",
) -> Patch:
    """Draw the intruder, the size, and the walk of a patch over a clip of `length` frames.

    Args:
        shape: (H, W) of the frames.
        max_size: largest height and width, as a share of the frame's; never under 10 pixels.
        max_move: largest step of the centre along each axis between two frames, pixels.
    """
    name = intruders[int(rng.integers(len(intruders)))]
    height, width = (max(SMALLEST, int(rng.uniform(0, max_size) * n)) for n in shape)
    first = [int(rng.integers(n)) for n in shape]
    return Patch(name, (height, width), _walk(first, shape, length, max_move, rng), mask)


def _walk(
    centre: list[int], shape: tuple[int, int], length: int, max_move: int, rng: np.random.Generator
) -> tuple[tuple[int, int], ...]:
    centres = []
    for _ in range(length):
        y, x = centre
        centres.append((y, x))
        steps = rng.integers(-max_move, max_move, size=2, endpoint=True)
        centre = [min(max(c + int(step), 0), n) for c, step, n in zip(centre, steps, shape, strict=True)]
    return tuple(centres)


def render(patch: Patch, frames: Frames) -> tuple[Frames, npt.NDArray[np.float32]]:
    """The pseudo-anomalous clip and where it was changed.

    Args:
        frames: uint8 (T, H, W, C), one frame for each centre of the patch.

    Returns:
        uint8 (T, H, W, C), bit-equal to `frames` where the mask is 0, and the mask, float32 (T, H, W) in [0, 1].

    Raises:
        PagenError: another number of frames, or an unknown intruder or mask.
    """
    if len(frames) != len(patch.centres):
        raise PagenError(f"expected {len(patch.centres)} frames for this patch, found {len(frames)}; take its own clip")
    shape, channels = (frames.shape[1], frames.shape[2]), frames.shape[3]
    draw = PATCH_MASKS[patch.mask]
    mask = np.stack([draw(shape, centre, patch.size) for centre in patch.centres])
    share = mask[..., None]
    pseudo = share * intruder(patch.intruder, shape, channels) + (1 - share) * frames
    return np.rint(pseudo).astype(np.uint8), mask


def intruder(name: str, shape: tuple[int, int], channels: int) -> Frames:
    """A bundled picture stretched over the whole frame (bilinear): uint8 (H, W, C), C 1 (grey) or 3 (RGB), read-only.

    Raises:
        PagenError: no such picture.
    """
    if name not in INTRUDERS:
        raise unknown_name("intruder", name, INTRUDERS)
    return _stretched(name, shape, channels)


@lru_cache(maxsize=64)
def _stretched(name: str, shape: tuple[int, int], channels: int) -> Frames:
    height, width = shape
    picture = _in_channels(_picture(name), channels)
    stretched = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    stretched = stretched.reshape(height, width, channels)
    stretched.setflags(write=False)
    return stretched


def _picture(name: str) -> Frames:
    import skimage.data

    picture: Frames = getattr(skimage.data, name)()
    return picture


def _in_channels(picture: Frames, channels: int) -> Frames:
    if channels == 1 and picture.ndim == 3:
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    if channels == 3 and picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    return picture
