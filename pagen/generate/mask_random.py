"""Random masks: LaMa's irregular strokes and boxes.

After Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022, with the constants
of its presets and `small`, ours, which covers about as much of the frame as a pedestrian does.

Deviations: every draw comes from the generator that is passed; a mask that is empty or covers more than half of the
frame is drawn again (LaMa drops the latter from its sets); on frames of another size than the preset's, lengths are
scaled by the shorter side. Of its object masks, which need a network and are moved onto the background, nothing is
taken: those of other kinds lie on the object.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pagen.arrays import Frames, Masks
from pagen.errors import PagenError, require_name
from pagen.options import SMALLEST_SIDE

LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class StrokePreset:
    """Constants of LaMa's generator, for frames whose shorter side is `size` pixels.

    Attributes:
        size: side of the frames that the lengths are meant for, pixels.
        strokes: fewest and most strokes; one more than the most is drawn too, as LaMa's wrapper does.
        width: a brush is 5 .. 4 + width wide, pixels.
        length: a segment is 10 .. 9 + length long, pixels.
        box_weight: weight of boxes against strokes, whose weight is 1.
        margin: boxes keep away from the border by so much, pixels.
        side: shortest and longest side of a box, pixels.
        boxes: fewest and most boxes.
        brush: thinnest brush, pixels.
        step: shortest segment, pixels.
        segments: most segments of a stroke.

    Example:
        >>> PRESETS["thick_256"].strokes
        (1, 5)
    """

    size: int
    strokes: tuple[int, int]
    width: int
    length: int
    box_weight: float = 0
    margin: int = 0
    side: tuple[int, int] = (30, 100)
    boxes: tuple[int, int] = (0, 3)
    brush: int = 5
    step: int = 10
    segments: int = 5


PRESETS = {
    "thin_256": StrokePreset(256, (4, 50), width=10, length=40),
    "thin_512": StrokePreset(512, (4, 70), width=20, length=100),
    "medium_256": StrokePreset(256, (4, 5), 50, 100, box_weight=0.3, margin=0, side=(10, 50), boxes=(1, 5)),
    "medium_512": StrokePreset(512, (4, 10), 100, 200, box_weight=0.3, margin=0, side=(30, 150), boxes=(1, 5)),
    "thick_256": StrokePreset(256, (1, 5), 100, 200, box_weight=0.3, margin=10, side=(30, 150), boxes=(1, 3)),
    "thick_512": StrokePreset(512, (1, 5), 250, 450, box_weight=0.3, margin=10, side=(30, 300), boxes=(1, 4)),
    "small": StrokePreset(256, (1, 1), 14, 16, box_weight=0.3, margin=0, side=(12, 48), boxes=(1, 1)),
}


def random_mask(shape: tuple[int, int], rng: np.random.Generator, preset: str = "small") -> Masks:
    """A random mask, bool (H, W), that is neither empty nor covers more than half of the frame.

    Raises PagenError: no such preset, or a frame under 16 pixels high or wide.

    Example:
        >>> mask = random_mask((64, 64), np.random.default_rng(0))
        >>> mask.shape, bool(0 < mask.mean() <= LARGEST_SHARE)
        ((64, 64), True)
    """
    require_name("preset of random masks", preset, PRESETS)
    if min(shape) < SMALLEST_SIDE:
        raise PagenError(
            f"expected frames of {SMALLEST_SIDE} pixels a side at least, found {shape}; prepare them larger"
        )
    while True:
        mask = draw(shape, rng, PRESETS[preset])
        if mask.any() and mask.mean() <= LARGEST_SHARE:
            return mask


def draw(shape: tuple[int, int], rng: np.random.Generator, preset: StrokePreset) -> Masks:
    """One mask as LaMa draws it, bool (H, W): strokes or boxes, not both; may be empty, may cover all.

    Example:
        >>> draw((64, 64), np.random.default_rng(0), PRESETS["thin_256"]).dtype
        dtype('bool')
    """
    canvas = np.zeros(shape, np.uint8)
    paint = _strokes if rng.random() < 1 / (1 + preset.box_weight) else _boxes
    paint(canvas, rng, preset, min(shape) / preset.size)
    return canvas.astype(np.bool_)


def _strokes(canvas: Frames, rng: np.random.Generator, preset: StrokePreset, scale: float) -> None:
    height, width = canvas.shape
    for stroke in range(int(rng.integers(preset.strokes[0], preset.strokes[1] + 2))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        for _ in range(1 + int(rng.integers(preset.segments))):
            # whole radians, and back to front at every other stroke: LaMa's, kept
            angle = 0.01 + int(rng.integers(4))
            angle = 2 * np.pi - angle if stroke % 2 == 0 else angle
            length = scale * (preset.step + int(rng.integers(preset.length)))
            brush = max(1, round(scale * (preset.brush + int(rng.integers(preset.width)))))
            end_x = min(max(int(x + length * np.sin(angle)), 0), width)
            end_y = min(max(int(y + length * np.cos(angle)), 0), height)
            cv2.line(canvas, (x, y), (end_x, end_y), 1, brush)
            x, y = end_x, end_y


def _boxes(canvas: Frames, rng: np.random.Generator, preset: StrokePreset, scale: float) -> None:
    margin = int(scale * preset.margin)
    shortest, longest = (max(1, round(scale * side)) for side in preset.side)
    longest = min(longest + 1, min(canvas.shape) - 2 * margin)
    for _ in range(int(rng.integers(preset.boxes[0], preset.boxes[1] + 1))):
        w, h = int(rng.integers(shortest, longest)), int(rng.integers(shortest, longest))
        x = int(rng.integers(margin, canvas.shape[1] - margin - w + 1))
        y = int(rng.integers(margin, canvas.shape[0] - margin - h + 1))
        canvas[y : y + h, x : x + w] = 1


@dataclass(frozen=True)
class RandomMasks:
    """Strokes and boxes, another mask in each frame, with the methods of `MaskKind`.

    Example:
        >>> frames = np.zeros((2, 64, 64, 1), np.uint8)
        >>> masks, random_ones = RandomMasks().segment(frames, None, np.random.default_rng(0))
        >>> masks.shape, random_ones
        ((2, 64, 64), 0)
    """

    preset: str = "small"

    def __post_init__(self) -> None:
        require_name("preset of random masks", self.preset, PRESETS)

    def prepare(self, frames: Frames, name: str) -> None:
        """None: nothing of the whole clip is needed."""

    def segment(self, frames: Frames, state: None, rng: np.random.Generator, start: int = 0) -> tuple[Masks, int]:
        height, width = frames.shape[1:3]
        return np.stack([random_mask((height, width), rng, self.preset) for _ in frames]), 0

    def origin(self) -> None:
        """None: they are drawn."""


def open_random(option: str) -> RandomMasks:
    """The masks of `random:PRESET`; `small` without a preset. Raises PagenError: no such preset.

    Example:
        >>> open_random("").preset
        'small'
    """
    return RandomMasks(option or "small")
