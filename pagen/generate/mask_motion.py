"""Motion masks: what moves against the clip's own background; no network is needed.

One thing is followed through a segment (the default), or another one is drawn in each frame (`frame`, as the masks of
Rai et al., 2024, which are of single frames), or all that moves is taken (`union`). Things are told apart as connected
components: two people who touch count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pagen.arrays import Frames, Masks
from pagen.errors import require_name
from pagen.generate.masks import bounded

MEDIAN_FRAMES = 64
NOISE_FLOOR = 14.0
NOISE_TIMES = 6.0
SMALLEST_AREA = 0.0008


def background(frames: Frames) -> Frames:
    """What stands still: the median of at most 64 evenly spread frames of (T, H, W, C), uint8 (H, W, C).

    Example:
        >>> background(np.array([0, 9, 9], np.uint8).reshape(3, 1, 1, 1)).tolist()
        [[[9]]]
    """
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MEDIAN_FRAMES)).round().astype(np.int64))
    median: npt.NDArray[np.float64] = np.median(frames[chosen], axis=0, overwrite_input=True)
    return np.rint(median).astype(np.uint8)


def silhouettes(frames: Frames, background: Frames) -> Masks:
    """What moves, bool (T, H, W): pixels that differ from the background (H, W, C) by more than their frame's noise.

    The threshold is six times the standard deviation of the noise, which is estimated by the median absolute deviation
    of the difference, and 14 of 255 at least. What is left is opened and closed, and components under 0.08 % of the
    frame go. Each frame stands for itself, so that it does not matter in which pieces a clip (T, H, W, C) is given.

    Example:
        >>> frames = np.zeros((2, 64, 64, 1), np.uint8)
        >>> frames[1, 20:40, 20:40] = 200
        >>> silhouettes(frames, frames[0]).sum(axis=(1, 2)).tolist()
        [0, 396]
    """
    return np.stack([_clean(_differs(frame, background)) for frame in frames])


def _differs(frame: Frames, background: Frames) -> Masks:
    difference = frame.astype(np.float32) - background
    # the median is the change of the light, which is not motion
    distance = np.abs(difference - np.median(difference, axis=(0, 1)))
    noise = 1.4826 * float(np.median(distance))
    return np.asarray(distance.max(axis=2) > max(NOISE_FLOOR, NOISE_TIMES * noise))


def _clean(mask: Masks) -> Masks:
    side = min(mask.shape)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(side / 256))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(side / 128))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    kept = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_AREA * mask.size
    kept[0] = False
    return np.asarray(kept[labels])


def _disc(radius: float) -> Frames:
    """A disc of at least one pixel's radius as OpenCV's morphology wants it."""
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)


def components(silhouette: Masks) -> Masks:
    """The connected components of a silhouette (H, W), diagonal neighbours included: bool (N, H, W).

    Example:
        >>> components(np.array([[True, False, True]])).tolist()
        [[[True, False, False]], [[False, False, True]]]
    """
    count, labels = cv2.connectedComponents(silhouette.astype(np.uint8))
    return np.asarray(labels == np.arange(1, count)[:, None, None])


def follow(instances: Iterable[Masks], rng: np.random.Generator) -> Iterator[Masks]:
    """One thing, followed through frames of instances bool (N, H, W), where N may differ and be 0.

    The first is drawn uniformly over the instances of its frame; in each next frame it is the instance that overlaps
    the one before it most; one that is lost is replaced by another, drawn. Each frame's mask (H, W) is widened so
    that the rim lies inside; empty where there is no instance.

    Example:
        >>> left, right = np.zeros((2, 1, 64, 64), np.bool_)
        >>> left[0, 10:20, 10:20] = right[0, 10:20, 12:22] = True
        >>> [int(mask.sum()) for mask in follow([left, right], np.random.default_rng(0))]  # one thing, widened
        [140, 140]
    """
    followed = None
    for things in instances:
        before = np.zeros(things.shape[1:], np.bool_) if followed is None else followed
        overlap = (things & _widen(before)).sum(axis=(1, 2))
        followed = things[int(overlap.argmax())] if overlap.any() else _any_of(things, rng)
        yield _widen(followed)


def draw_anew(instances: Iterable[Masks], rng: np.random.Generator) -> Iterator[Masks]:
    """One thing of each frame, drawn without regard to the frame before; args and yields as `follow`.

    Example:
        >>> things = np.zeros((2, 64, 64), np.bool_)
        >>> things[0, :4, :4] = things[1, 40:60, 40:60] = True
        >>> [int(mask.sum()) for mask in draw_anew([things, things], np.random.default_rng(2))]
        [480, 24]
    """
    for things in instances:
        yield _widen(_any_of(things, rng))


def take_all(instances: Iterable[Masks], rng: np.random.Generator) -> Iterator[Masks]:
    """All things of each frame together; nothing is drawn; args and yields as `follow`.

    Example:
        >>> things = np.zeros((2, 64, 64), np.bool_)
        >>> things[0, :4, :4] = things[1, 40:60, 40:60] = True
        >>> [int(mask.sum()) for mask in take_all([things], np.random.default_rng(0))]
        [504]
    """
    for things in instances:
        yield _widen(np.logical_or.reduce(things, axis=0))


def _any_of(instances: Masks, rng: np.random.Generator) -> Masks:
    """One of (N, H, W), drawn uniformly; empty where N is 0."""
    if not len(instances):
        return np.zeros(instances.shape[1:], np.bool_)
    return np.asarray(instances[int(rng.integers(len(instances)))])


def _widen(mask: Masks) -> Masks:
    return cv2.dilate(mask.astype(np.uint8), _disc(min(mask.shape) / 128)).astype(np.bool_)


CHOICES = {"follow": follow, "frame": draw_anew, "union": take_all}
"""Option -> function over the things that move in each frame."""


@dataclass(frozen=True)
class MotionMasks:
    """What moves, or one thing that does, with the methods of `MaskKind`.

    Example:
        >>> frames = np.zeros((3, 64, 64, 1), np.uint8)
        >>> frames[1, 20:40, 20:40] = 200
        >>> masks, random_ones = MotionMasks().segment(frames, frames[0], np.random.default_rng(0))
        >>> masks.shape, random_ones  # nothing moves in the other two frames
        ((3, 64, 64), 2)
    """

    choice: str = "follow"

    def __post_init__(self) -> None:
        require_name("option of motion masks", self.choice, CHOICES)

    def prepare(self, frames: Frames, name: str) -> Frames:
        """The background, uint8 (H, W, C)."""
        return background(frames)

    def segment(self, frames: Frames, state: Frames, rng: np.random.Generator, start: int = 0) -> tuple[Masks, int]:
        moving = map(components, silhouettes(frames, state))
        return bounded(CHOICES[self.choice](moving, rng), rng)

    def origin(self) -> None:
        """None: they come from the clips."""


def open_motion(option: str) -> MotionMasks:
    """The masks of `motion:CHOICE`; `follow` without a choice. Raises PagenError: no such choice.

    Example:
        >>> open_motion("union").choice
        'union'
    """
    return MotionMasks(option or "follow")
