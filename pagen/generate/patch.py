"""Patch pseudo-anomalies: a foreign picture seen through a window that wanders over a normal clip.

After LNTRA (Astrid et al., "Learning Not to Reconstruct Anomalies", BMVC 2021): one picture is stretched over the whole
frame; a soft mask of fixed size shows part of it, and walks at random; what a model is to give back is the clean clip.

Deviations: masks are (H, W) and right for frames that are not square; the hard box is cut alike by all
four borders (LNTRA's keeps its full size at the upper and the left one); the first centre always lies in
the frame (LNTRA's Gaussian may start one past its end). Of the intruders see `pagen.generate.intruders`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pagen.arrays import Frames
from pagen.errors import PagenError
from pagen.generate.frame_flags import PATCH_MASKS
from pagen.generate.intruders import Intruders, Pictures, fit

Mask = npt.NDArray[np.float32]

SMALLEST = 10
RAMP = 0.1


class PatchMask(Protocol):
    """How much of the intruder is seen, float32 (H, W) in [0, 1].

    Of frames of a shape (H, W), by a patch of a size (h, w) round a centre (y, x), 0 <= y <= H, 0 <= x <= W; all in
    pixels. The functions below are such masks.

    Example:
        >>> mask: PatchMask = PATCH_MASKS["cutmix"]
        >>> int(mask((4, 4), (2, 2), (2, 2)).sum())
        4
    """

    def __call__(self, shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask: ...


@dataclass(frozen=True)
class Patch:
    """A patch pseudo-anomaly of one clip, as plain data: `render` makes the same pixels of it again.

    Attributes:
        intruder: name of the picture or clip.
        size: height and width of the patch, pixels.
        centres: (y, x) of each frame, pixels; may be one past the last row or column.
        mask: name of the mask.
        intruder_start: first frame that is seen of a clip; None of a picture.
        variation: seed of the intruder's variation; None where it is as it is.

    Example:
        >>> patch = Patch("cat", size=(10, 12), centres=((5, 6), (7, 8)))
        >>> Patch.from_json(patch.to_json()) == patch
        True
    """

    intruder: str
    size: tuple[int, int]
    centres: tuple[tuple[int, int], ...]
    mask: str = "smoothmix_s"
    intruder_start: int | None = None
    variation: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data for a line of JSON, without what is None."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Patch:
        """The patch that `to_json` was called on, also after a way through JSON."""
        height, width = value["size"]
        centres = tuple((y, x) for y, x in value["centres"])
        more = (value["mask"], value.get("intruder_start"), value.get("variation"))
        return cls(value["intruder"], (height, width), centres, *more)


def smoothmix_s(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask:
    """SmoothMixS: 1 on a box, falling linearly to 0 outside of it over a tenth of its half size.

    Along one axis of n pixels, half = size // 2 and a, b = centre -+ half clipped to [0, n]: the mask is
    1 on the closed [a, b] and 0 beyond a - 0.1 half and b + 0.1 half; the two axes are multiplied.

    Example:
        >>> smoothmix_s((1, 6), centre=(0, 2), size=(2, 2))[0].tolist()
        [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    rows, columns = (_ramp(n, c, cut) for n, c, cut in zip(shape, centre, size, strict=True))
    return np.outer(rows, columns).astype(np.float32)


def _ramp(n: int, centre: int, cut: int) -> npt.NDArray[np.float64]:
    half = cut // 2
    low, high = max(centre - half, 0), min(centre + half, n)
    pixel = np.arange(n)
    outside = np.maximum(low - pixel, pixel - high)
    return np.clip(1 - outside / (RAMP * max(half, 1)), 0, 1)


def smoothmix_c(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask:
    """SmoothMixC: along each axis a Gaussian of peak 1 and standard deviation `size`; the two are multiplied.

    Example:
        >>> [f"{value:.2f}" for value in smoothmix_c((1, 3), centre=(0, 1), size=(1, 1))[0]]
        ['0.61', '1.00', '0.61']
    """
    axes = zip(shape, centre, size, strict=True)
    rows, columns = (np.exp(-((np.arange(n) - c) ** 2) / (2 * sigma**2)) for n, c, sigma in axes)
    return np.outer(rows, columns).astype(np.float32)


def cutmix(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask:
    """CutMix: 1 on the box that starts at centre - size // 2 and is `size` pixels wide, as far as it lies in the frame.

    Example:
        >>> cutmix((1, 6), centre=(0, 2), size=(2, 2))[0].tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """
    mask = np.zeros(shape, np.float32)
    (top, left), (height, width) = (c - cut // 2 for c, cut in zip(centre, size, strict=True)), size
    mask[max(top, 0) : top + height, max(left, 0) : left + width] = 1
    return mask


def mixup(shape: tuple[int, int], centre: tuple[int, int], size: tuple[int, int]) -> Mask:
    """MixUp-patch: half of the intruder and half of the frame in the box of `cutmix`.

    Example:
        >>> mixup((1, 6), centre=(0, 2), size=(2, 2))[0].tolist()
        [0.0, 0.5, 0.5, 0.0, 0.0, 0.0]
    """
    return cutmix(shape, centre, size) / np.float32(2)


def draw_shown(
    intruders: Intruders,
    clip: str,
    shape: tuple[int, int],
    length: int,
    rng: np.random.Generator,
    max_size: float = 0.5,
    max_move: int = 10,
    mask: str = "smoothmix_s",
    vary: bool = False,
) -> Patch:
    """Draw the intruder, the size, the walk and what is shown of a patch over `length` frames of a training clip.

    What is shown is drawn last, so that size and walk are the same with any intruders, varied or not.

    Args:
        clip: its name.
        shape: (H, W) of the frames.
        max_size: largest height and width, as a share of the frame's; never under 10 pixels.
        max_move: largest step of the centre along each axis between two frames, pixels.

    Example:
        >>> patch = draw_shown(Pictures(), "train_01", (64, 96), 16, np.random.default_rng(0))
        >>> patch.intruder in Pictures().names("train_01"), len(patch.centres), patch.intruder_start
        (True, 16, None)
    """
    names = intruders.names(clip)
    name = names[int(rng.integers(len(names)))]
    height, width = (max(SMALLEST, int(rng.uniform(0, max_size) * n)) for n in shape)
    walk = _walk([int(rng.integers(n)) for n in shape], shape, length, max_move, rng)
    start = intruders.draw_start(name, length, rng)
    return Patch(name, (height, width), walk, mask, start, int(rng.integers(2**31)) if vary else None)


def _walk(
    centre: list[int], shape: tuple[int, int], length: int, max_move: int, rng: np.random.Generator
) -> tuple[tuple[int, int], ...]:
    centres = []
    for _ in range(length):
        centres.append((centre[0], centre[1]))
        steps = rng.integers(-max_move, max_move, size=2, endpoint=True)
        centre = [min(max(c + int(step), 0), n) for c, step, n in zip(centre, steps, shape, strict=True)]
    return tuple(centres)


def render(patch: Patch, frames: Frames, intruders: Intruders | None = None) -> tuple[Frames, npt.NDArray[np.float32]]:
    """The pseudo-anomalous clip and where it was changed.

    Args:
        frames: uint8 (T, H, W, C), one frame for each centre of the patch.
        intruders: where the intruder comes from; by default the bundled pictures.

    Returns:
        uint8 (T, H, W, C), bit-equal to `frames` where the mask is 0, and the mask, float32 (T, H, W) in [0, 1].

    Raises:
        PagenError: another number of frames, or an unknown intruder or mask.

    Example:
        >>> frames = np.zeros((1, 32, 32, 1), np.uint8)
        >>> pseudo, mask = render(Patch("cat", (10, 10), ((16, 16),), mask="cutmix"), frames)
        >>> int(mask.sum()), bool((pseudo[mask == 0] == 0).all())
        (100, True)
    """
    length = len(patch.centres)
    if len(frames) != length:
        raise PagenError(f"expected {length} frames for this patch, found {len(frames)}; take its own clip")
    shape, channels = (frames.shape[1], frames.shape[2]), frames.shape[3]
    draw = PATCH_MASKS[patch.mask]
    mask = np.stack([draw(shape, centre, patch.size) for centre in patch.centres])
    seen = (intruders or Pictures()).read(patch.intruder, patch.intruder_start, length)
    share = mask[..., None]
    pseudo = share * fit(seen, shape, channels, patch.variation) + (1 - share) * frames
    return np.rint(pseudo).astype(np.uint8), mask
