"""One frame of a street: ground, soft shadows, figures from far to near, light, sensor noise.

All sums are sums of whole numbers and everything else acts on single elements, so that no machine, thread or order
changes a byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pagen.footage.street.actors import Actor, Figure
from pagen.footage.street.figures import Limb
from pagen.footage.street.ground import FURNITURE, background
from pagen.footage.street.noise import Noise
from pagen.footage.street.preset import Preset
from pagen.seeds import generator

Grey: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
FINE = 4  # figures are drawn so many times as large and averaged
_SEEN = 0.4  # share of a pixel from which on it belongs to the mask
_REACH = 3.0  # metres from a figure's place to its farthest point, or its shadow's
_SHIFT = 4  # cv2 takes coordinates in 1/16 of a fine pixel


class Patch(NamedTuple):
    """A drawn figure: depth in metres, upper left corner, grey levels times coverage, coverage 0..1.

    Example:
        >>> Patch(12.0, 3, 4, np.zeros((2, 2)), np.ones((2, 2)), anomalous=False).cover.shape
        (2, 2)
    """

    depth: float
    top: int
    left: int
    grey: Grey
    cover: Grey
    anomalous: bool


@dataclass(frozen=True)
class Light:
    """Slowly changing light: gain 1 +- `swing` over `period` seconds, and how dark shadows are.

    Example:
        >>> Light(swing=0.05, period=20.0, offset=0.25, shadow=0.3).gain(0.0)
        1.05
    """

    swing: float
    period: float
    offset: float
    shadow: float

    def gain(self, time: float) -> float:
        """What the frame is multiplied by."""
        return 1.0 + self.swing * math.sin(2 * math.pi * (time / self.period + self.offset))


@dataclass(frozen=True)
class Stage:
    """All that one clip's frames are drawn from; `key` is (seed, preset name, clip name).

    Example:
        >>> from pagen.footage.street.scene import scenes
        >>> stage = scenes(train=1, test=0)[0].stage()
        >>> bool(stage.mask(0).any())
        False
    """

    preset: Preset
    key: tuple[int, str, str]
    light: Light
    actors: Sequence[Actor]

    def frame(self, index: int) -> npt.NDArray[np.uint8]:
        """Frame `index` (H, W)."""
        preset, time = self.preset, index / self.preset.fps
        figures = self._figures(time)
        canvas = self._ground * (1.0 - self.light.shadow * _shadows(preset, figures))
        for patch in self._patches(figures):
            area = canvas[_window(patch)]
            area *= 1.0 - patch.cover
            area += patch.grey
        canvas *= self.light.gain(time)
        canvas += _noise(preset, generator(self.key[0], "street", *self.key[1:], "noise", index))
        return np.asarray(np.rint(np.clip(canvas, 0, 255)), np.uint8)

    def mask(self, index: int) -> npt.NDArray[np.bool_]:
        """Where frame `index` shows the anomalous thing itself (H, W)."""
        seen = np.zeros((self.preset.height, self.preset.width), np.float32)
        for patch in self._patches(self._figures(index / self.preset.fps)):
            area = seen[_window(patch)]
            area *= 1.0 - patch.cover
            if patch.anomalous:
                area += patch.cover
        return seen > _SEEN

    def _figures(self, time: float) -> list[Figure]:
        present = [actor for actor in self.actors if self._within(actor.path.at(time))]
        return [figure for actor in present if (figure := actor.figure(time)).limbs]

    def _within(self, place: tuple[float, float]) -> bool:
        """Whether something there, or its shadow, can be in the picture."""
        column, _, depth = self.preset.foot(*place)
        reach = _REACH * self.preset.focal / depth
        return -reach < column < self.preset.width + reach

    @cached_property
    def _ground(self) -> Grey:
        shadows = _shadows(self.preset, _furniture(self.preset))
        return background(self.key[0], self.key[1], self.preset) * (1.0 - self.light.shadow * shadows)

    @cached_property
    def _billows(self) -> Grey:
        rows, columns = np.mgrid[0:256, 0:256] / 5.0
        noise = Noise(generator(self.key[0], "street", self.key[1], "billows"))
        return noise.rough(columns, rows).astype(np.float32)

    @cached_property
    def _standing(self) -> list[Patch]:
        return [patch for figure in _furniture(self.preset) if (patch := _solid(self.preset, figure))]

    def _patches(self, figures: list[Figure]) -> list[Patch]:
        """What there is to draw, from far to near."""
        patches = list(self._standing)
        for figure in figures:
            if _soft(figure):
                patches += _clouds(self.preset, figure, self._billows)
            elif patch := _solid(self.preset, figure):
                patches.append(patch)
        return sorted(patches, key=lambda patch: -patch.depth)


def _soft(figure: Figure) -> bool:
    return figure.limbs[0].opacity < 1


def _furniture(preset: Preset) -> list[Figure]:
    return [Figure(FURNITURE[kind](), (along, across), 0.0, False) for kind, along, across in preset.furniture]


def _window(patch: Patch) -> tuple[slice, slice]:
    height, width = patch.cover.shape
    return slice(patch.top, patch.top + height), slice(patch.left, patch.left + width)


def _world(figure: Figure) -> Floats:
    """The points of all limbs one after the other: along, across and up, (3, N)."""
    cos, sin = math.cos(figure.heading), math.sin(figure.heading)
    forward, left, up = np.array([point for limb in figure.limbs for point in limb.points]).T
    along = figure.place[0] + forward * cos - left * sin
    return np.array([along, figure.place[1] + forward * sin + left * cos, up])


def _solid(preset: Preset, figure: Figure) -> Patch | None:
    """The figure as a patch, None when it is out of sight."""
    screen, depth = preset.project(*_world(figure))[:2].T, preset.foot(*figure.place)[2]
    margin = 0.5 * preset.focal / depth * max(limb.width for limb in figure.limbs) + 1
    low, high = screen.min(axis=0) - margin, screen.max(axis=0) + margin
    left, top = max(math.floor(low[0]), 0), max(math.floor(low[1]), 0)
    right, bottom = min(math.ceil(high[0]), preset.width), min(math.ceil(high[1]), preset.height)
    if right <= left or bottom <= top:
        return None
    canvas = np.zeros(((bottom - top) * FINE, (right - left) * FINE, 2), np.float32)
    _draw(canvas, figure.limbs, screen - (left, top), FINE, preset.focal / depth)
    small = _area(canvas, right - left, bottom - top)
    return Patch(depth, top, left, small[..., 0], small[..., 1], figure.anomalous)


def _area(canvas: Grey, width: int, height: int) -> Grey:
    """The mean over whole blocks of pixels; their sums are whole numbers, so their order does not matter."""
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _draw(canvas: Grey, limbs: list[Limb], points: Floats, fine: int, scale: float) -> None:
    """Draw limbs on a canvas `fine` times as large; `scale` is pixels a metre."""
    whole = np.rint(((points + 0.5) * fine - 0.5) * 2**_SHIFT).astype(np.int32)
    first = 0
    for limb in limbs:
        outline = whole[first : first + len(limb.points)]
        first += len(limb.points)
        colour, thick = (round(limb.grey), 1), max(round(limb.width * scale * fine), 1)
        if limb.width == 0:
            cv2.fillPoly(canvas, [outline], colour, cv2.LINE_8, _SHIFT)
        elif len(outline) == 1:
            cv2.circle(canvas, outline[0].tolist(), thick * 2 ** (_SHIFT - 1), colour, -1, cv2.LINE_8, _SHIFT)
        else:
            cv2.polylines(canvas, [outline], False, colour, thick, cv2.LINE_8, _SHIFT)


def _shadows(preset: Preset, figures: list[Figure]) -> Grey:
    """How much of the sun is missing (H, W), 0..1, with soft edges."""
    canvas = np.zeros((preset.height * 2, preset.width * 2, 2), np.float32)
    for figure in figures:
        if _soft(figure):
            continue
        along, across, up = _world(figure)
        screen = preset.project(along + up * preset.sun[0], across + up * preset.sun[1], np.zeros_like(up))[:2].T
        _draw(canvas, figure.limbs, screen, 2, 0.8 * preset.focal / preset.foot(*figure.place)[2])
    soft = np.asarray(cv2.boxFilter(canvas[..., 1], -1, (3, 3), normalize=False), np.float32)
    return _area(soft, preset.width, preset.height) / np.float32(9)


def _clouds(preset: Preset, figure: Figure, billows: Grey) -> list[Patch]:
    """Every ball of smoke as a patch of its own."""
    screen, depth = preset.project(*_world(figure)).T, preset.foot(*figure.place)[2]
    patches = []
    for limb, (column, row, _) in zip(figure.limbs, screen, strict=True):
        radius = 0.5 * limb.width * preset.focal / depth
        left, top = max(math.floor(column - radius), 0), max(math.floor(row - radius), 0)
        right, bottom = min(math.ceil(column + radius), preset.width), min(math.ceil(row + radius), preset.height)
        if right <= left or bottom <= top:
            continue
        x = (np.arange(left, right, dtype=np.float32) - np.float32(column))[None] / np.float32(radius)
        y = (np.arange(top, bottom, dtype=np.float32) - np.float32(row))[:, None] / np.float32(radius)
        ball = np.clip(1 - x * x - y * y, 0, 1)
        drift = int(97 * limb.grey) % 160
        texture = billows[drift : drift + bottom - top, drift : drift + right - left]
        cover = np.clip(np.float32(limb.opacity) * ball * (0.3 + 1.4 * texture), 0, 1)
        grey = cover * (np.float32(limb.grey) + 80 * (texture - 0.5))
        patches.append(Patch(depth, top, left, grey, cover, figure.anomalous))
    return patches


def _noise(preset: Preset, rng: np.random.Generator) -> Grey:
    """Sensor noise in grey levels: the sum of four bytes, which is nearly normal and everywhere the same."""
    size = preset.height * preset.width
    four = np.frombuffer(rng.bytes(4 * size), np.uint8).reshape(4, preset.height, preset.width)
    total = four.sum(axis=0, dtype=np.int32) - 510
    scale = np.float32(preset.noise / math.sqrt(4 * (256**2 - 1) / 12))
    return np.asarray(total.astype(np.float32) * scale)
