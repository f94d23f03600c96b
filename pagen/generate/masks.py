"""Masks: which pixels of a frame are replaced.

Two kinds. `random`: LaMa's irregular strokes and boxes (Suvorov et al., "Resolution-robust Large Mask
Inpainting with Fourier Convolutions", WACV 2022), with the constants of its presets and `small`, ours,
which covers about as much of the frame as a pedestrian does. `motion`: one thing that moves against the
clip's own background, followed from frame to frame; no network is needed.

Deviations from LaMa: every draw comes from the generator that is passed; a mask that is empty or covers
more than half of the frame is drawn again (LaMa drops the latter from its sets); on frames of another
size than the preset's, lengths are scaled by the shorter side. Of its object masks, which need a
network and are moved onto the background, nothing is taken: ours lie on the object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError, unknown_name
from pagen.registry import Registry

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]

SMALLEST_SIDE = 16
LARGEST_SHARE = 0.5
MEDIAN_FRAMES = 64
NOISE_FLOOR = 14.0
NOISE_TIMES = 6.0
SMALLEST_AREA = 0.0008


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

    Raises:
        PagenError: no such preset, or a frame under 16 pixels high or wide.
    """
    if min(shape) < SMALLEST_SIDE:
        raise PagenError(
            f"expected frames of {SMALLEST_SIDE} pixels a side at least, found {shape}; prepare them larger"
        )
    while True:
        mask = draw(shape, rng, _preset(preset))
        if mask.any() and mask.mean() <= LARGEST_SHARE:
            return mask


def _preset(name: str) -> StrokePreset:
    if name in PRESETS:
        return PRESETS[name]
    raise unknown_name("preset of random masks", name, PRESETS)


def draw(shape: tuple[int, int], rng: np.random.Generator, preset: StrokePreset) -> Masks:
    """One mask as LaMa draws it, bool (H, W): strokes or boxes, not both; may be empty, may cover all."""
    scale = min(shape) / preset.size
    canvas = np.zeros(shape, np.uint8)
    if rng.random() < 1 / (1 + preset.box_weight):
        _strokes(canvas, rng, preset, scale)
    else:
        _boxes(canvas, rng, preset, scale)
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


def background(frames: Frames) -> Frames:
    """What stands still: the median of at most 64 evenly spread frames of (T, H, W, C), uint8 (H, W, C)."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MEDIAN_FRAMES)).round().astype(np.int64))
    median: npt.NDArray[np.float64] = np.median(frames[chosen], axis=0, overwrite_input=True)
    return np.rint(median).astype(np.uint8)


def silhouettes(frames: Frames, background: Frames) -> Masks:
    """What moves: pixels that differ from the background by more than the noise of their frame.

    The threshold is six times the standard deviation of the noise, which is estimated by the median
    absolute deviation of the difference, and 14 of 255 at least. Each frame stands for itself, so that
    it does not matter in which pieces a clip is given.

    Args:
        frames: uint8 (T, H, W, C); a memory map is read frame by frame.
        background: uint8 (H, W, C).

    Returns:
        bool (T, H, W), cleaned by opening and closing, without components under 0.08 % of the frame.
    """
    moving = np.empty(frames.shape[:3], np.bool_)
    for t, frame in enumerate(frames):
        moving[t] = _clean(_differs(frame, background))
    return moving


def _differs(frame: Frames, background: Frames) -> Masks:
    difference = frame.astype(np.float32) - background
    # the median is the change of the light, which is not motion
    distance = np.abs(difference - np.median(difference, axis=(0, 1)))
    noise = 1.4826 * float(np.median(distance))
    differs: Masks = distance.max(axis=2) > max(NOISE_FLOOR, NOISE_TIMES * noise)
    return differs


def _clean(mask: Masks) -> Masks:
    side = min(mask.shape)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(side / 256))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(side / 128))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    kept = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_AREA * mask.size
    kept[0] = False
    large: Masks = kept[labels]
    return large


def _disc(radius: float) -> Frames:
    """A disc of at least one pixel's radius as OpenCV's morphology wants it."""
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)


def follow(silhouettes: Masks, rng: np.random.Generator) -> tuple[Masks, npt.NDArray[np.bool_]]:
    """One moving thing, followed through the silhouettes of consecutive frames.

    The first is drawn uniformly over the components of its frame; in each next frame it is the component
    that overlaps the one before it most; one that is lost is replaced by another, drawn. A frame in
    which nothing moves, or in which the thing fills more than half, gets a random `small` mask.

    Args:
        silhouettes: bool (T, H, W).

    Returns:
        Masks, bool (T, H, W), widened so that the rim lies inside; and bool (T,), True where the mask is a random one.
    """
    masks = np.empty_like(silhouettes)
    fell_back = np.zeros(len(silhouettes), np.bool_)
    followed = np.zeros_like(silhouettes[0])
    for t, frame in enumerate(silhouettes):
        followed = _next(frame, followed, rng)
        mask = _widen(followed)
        fell_back[t] = not 0 < mask.mean() <= LARGEST_SHARE
        masks[t] = random_mask((frame.shape[0], frame.shape[1]), rng) if fell_back[t] else mask
    return masks, fell_back


def _next(frame: Masks, before: Masks, rng: np.random.Generator) -> Masks:
    """The component that continues the one before, or else a random one; empty where there is none."""
    count, labels = cv2.connectedComponents(frame.astype(np.uint8))
    if count == 1:
        return np.zeros_like(frame)
    overlap = np.bincount(labels[_widen(before)], minlength=count)
    overlap[0] = 0
    chosen = int(overlap.argmax()) if overlap.any() else 1 + int(rng.integers(count - 1))
    component: Masks = labels == chosen
    return component


def _widen(mask: Masks) -> Masks:
    return cv2.dilate(mask.astype(np.uint8), _disc(min(mask.shape) / 128)).astype(np.bool_)


class MaskKind(Protocol):
    """A kind of masks, which goes through a clip in segments.

    `prepare` looks at the whole clip once; `segment` gives the masks of some consecutive frames.
    """

    def prepare(self, frames: Frames) -> Any:
        """What `segment` wants to know of the whole clip, uint8 (T, H, W, C)."""

    def segment(self, frames: Frames, state: Any, rng: np.random.Generator) -> tuple[Masks, int]:
        """Masks, bool (T, H, W), of consecutive frames, and how many are random ones because nothing moved.

        No mask is empty or covers more than half of its frame.
        """


@dataclass(frozen=True)
class RandomMasks:
    """Strokes and boxes, another mask in each frame."""

    preset: str = "small"

    def __post_init__(self) -> None:
        _preset(self.preset)

    def prepare(self, frames: Frames) -> None:
        """Nothing."""

    def segment(self, frames: Frames, state: None, rng: np.random.Generator) -> tuple[Masks, int]:
        """Masks, bool (T, H, W)."""
        height, width = frames.shape[1:3]
        return np.stack([random_mask((height, width), rng, self.preset) for _ in frames]), 0


@dataclass(frozen=True)
class MotionMasks:
    """One moving thing, followed through the segment."""

    def prepare(self, frames: Frames) -> Frames:
        """The background, uint8 (H, W, C)."""
        return background(frames)

    def segment(self, frames: Frames, state: Frames, rng: np.random.Generator) -> tuple[Masks, int]:
        """Masks, bool (T, H, W), and how many of them are random."""
        masks, fell_back = follow(silhouettes(frames, state), rng)
        return masks, int(fell_back.sum())


def _motion(option: str) -> MaskKind:
    if option:
        raise PagenError(f"expected masks 'motion' without an option, found 'motion:{option}'; leave {option!r} out")
    return MotionMasks()


MASKS: Registry[Callable[[str], MaskKind]] = Registry(
    "mask", "pagen.masks", {"random": lambda option: RandomMasks(option or "small"), "motion": _motion}
)
"""Name -> factory over what follows the colon of `name:option`, empty without one."""


def open_masks(spec: str) -> MaskKind:
    """Masks by `name` or `name:option`: `motion`, `random`, `random:thick_256`.

    Raises:
        PagenError: no such masks, or no such option.
    """
    name, _, option = spec.partition(":")
    return MASKS[name](option)
