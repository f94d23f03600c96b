"""The street itself: a walkway of slabs with kerbs, grass, hedge and house front, and what stands on it.

Every pixel looks along its rays at the ground, the hedge or the wall. Only sums and products of single elements are
used, so that every machine gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pagen.footage.street import square as street_square
from pagen.footage.street.figures import Limb
from pagen.footage.street.noise import Floats, Noise
from pagen.footage.street.preset import Preset
from pagen.seeds import generator

RAYS = 3
"""A pixel has three by three."""


@lru_cache(maxsize=4)
def background(seed: int, name: str, preset: Preset) -> npt.NDArray[np.float32]:
    """The empty street (H, W), grey levels; the same for every clip of the seed.

    Example:
        >>> from dataclasses import replace
        >>> from pagen.footage.street.preset import PRESETS
        >>> small = replace(PRESETS["street"], height=16, width=24, trees=())
        >>> background(0, "street", small).shape
        (16, 24)
    """
    noise = Noise(generator(seed, "street", name, "ground"))
    fine_rows, fine_columns = preset.height * RAYS, preset.width * RAYS
    rows, columns = np.mgrid[0:fine_rows, 0:fine_columns].astype(np.float64)
    rows, columns = (rows + 0.5) / RAYS - 0.5, (columns + 0.5) / RAYS - 0.5
    cos, sin = math.cos(preset.yaw), math.sin(preset.yaw)
    right, down = (columns - preset.width / 2) / preset.focal, (rows - preset.horizon) / preset.focal
    place = PLACES[preset.place]
    picture = place.ground(preset, noise, *_hit(right, preset.camera_up / down, cos, sin))
    for plane, paint in ((preset.wall, place.front), (preset.hedge, place.hedge)):
        depth = plane / (cos - right * sin)
        along, _ = _hit(right, depth, cos, sin)
        up = preset.camera_up - down * depth
        high = int((up > 0).any(axis=1).sum())  # an upright plane fills the picture from its top
        picture[:high] = paint(preset, noise, along[:high], up[:high], picture[:high])
    for tree in preset.trees:
        column, row, depth = preset.foot(*tree)
        x, y = (columns[:1] - column) * depth / preset.focal, (row - rows[:, :1]) * depth / preset.focal
        window = np.ix_((y[:, 0] > 0) & (y[:, 0] < 7), np.abs(x[0]) < 3)
        x, y = np.broadcast_arrays(x, y)
        picture[window] = _tree(noise, tree[0], x[window], y[window], picture[window])
    parts = picture.reshape(preset.height, RAYS, preset.width, RAYS)
    total = sum(parts[:, i, :, j] for i in range(RAYS) for j in range(RAYS))
    return (np.asarray(total) / RAYS**2).astype(np.float32)


def _hit(right: Floats, depth: Floats, cos: float, sin: float) -> tuple[Floats, Floats]:
    return right * depth * cos + depth * sin, depth * cos - right * depth * sin


def _ground(preset: Preset, noise: Noise, along: Floats, across: Floats) -> Floats:
    near, far = preset.walkway
    wide = noise.rough(along / 2.5, across / 2.5)
    slab = along / 1.3 + 0.5 * (np.floor(across / 0.9) % 2)
    joints = ((slab % 1.0) < 0.045) | ((across / 0.9 % 1.0) < 0.06)
    paving = 148 + 18 * (noise.cells(slab, across / 0.9) - 0.5) + 30 * (wide - 0.5)
    paving += 14 * (noise.rough(along * 6, across * 6) - 0.5) - 22 * joints
    grass = 88 + 44 * (noise.rough(along * 5, across * 3.3) - 0.5) + 34 * (wide - 0.5)
    grass += 22 * (noise(along * 17, across * 9) - 0.5)
    stone = 186 + 14 * (noise.cells(along / 1.1, across) - 0.5) - 40 * ((along / 1.1 % 1.0) < 0.05)
    gutter = 104 + 10 * (wide - 0.5)
    inside = (across > near) & (across < far)
    kerb = (across > near - preset.kerb) & (across < far + preset.kerb)
    lip = (across > far - 0.16) | (across < near + 0.1)
    return np.where(inside, np.where(lip, gutter, paving), np.where(kerb, stone, grass))


def _front(preset: Preset, noise: Noise, along: Floats, up: Floats, behind: Floats) -> Floats:
    brick = along / 0.9 + 0.5 * (np.floor(up / 0.42) % 2)
    wall = 122 + 20 * (noise.cells(brick, up / 0.42) - 0.5) + 22 * (noise.rough(along / 3, up / 3) - 0.5)
    wall -= 16 * ((up / 0.42 % 1.0) < 0.14)
    wall = np.where(up < 0.75, 82 + 12 * (noise.rough(along, up * 3) - 0.5), wall)
    x, y = along % 3.4 - 1.7, up % 3.3 - 2.05
    frame = (np.abs(x) < 0.95) & (np.abs(y) < 0.95)
    glass = (np.abs(x) < 0.8) & (np.abs(y) < 0.8) & (np.abs(x) > 0.07)
    shine = 46 + 34 * noise.cells(along / 3.4, up / 3.3) + 22 * (noise.rough(along, up) - 0.5) + 10 * y
    wall = np.where(frame, np.where(glass, shine, 180.0), wall)
    return np.where(up > 0, wall, behind)


def _hedge(preset: Preset, noise: Noise, along: Floats, up: Floats, behind: Floats) -> Floats:
    top = preset.hedge_up + 0.25 * (noise.rough(along * 1.5, along * 0) - 0.5)
    leaf = 58 + 46 * (noise.rough(along * 4, up * 4) - 0.5) + 24 * (noise(along * 11, up * 11) - 0.5) + 22 * up
    return np.where((up > 0) & (up < top), leaf, behind)


def _tree(noise: Noise, which: float, x: Floats, y: Floats, behind: Floats) -> Floats:
    bark = 60 + 30 * (noise.rough(x * 9 + which, y * 2) - 0.5) + 90 * x
    picture = np.where((np.abs(x) < 0.17) & (y < 3.2), bark, behind)
    reach = (x * x / 2.6 + (y - 3.9) * (y - 3.9) / 2.2) - 0.9 * (noise.rough(x * 2 + 9 * which, y * 2) - 0.5)
    leaf = 66 + 60 * (noise.rough(x * 3.3 + which, y * 3.3) - 0.5) + 30 * (noise(x * 9, y * 9) - 0.5)
    return np.where(reach < 1.0, leaf + 9 * (y - 3.9) - 8 * x, picture)


def lamp(sign: float) -> list[Limb]:
    """A lamp post, its arm over the walkway (sign: +1 away from the camera).

    Example:
        >>> len(lamp(1.0))
        4
    """
    foot, post = ((0.0, 0.0, 0.05), (0.0, 0.0, 0.6)), ((0.0, 0.0, 0.5), (0.0, 0.0, 5.0))
    arm = ((0.0, 0.0, 5.0), (0.0, 0.3 * sign, 5.35), (0.0, 0.9 * sign, 5.4))
    light = ((0.0, 0.8 * sign, 5.36), (0.0, 1.25 * sign, 5.38))
    return [Limb(foot, 0.22, 52.0), Limb(post, 0.13, 58.0), Limb(arm, 0.09, 58.0), Limb(light, 0.2, 190.0)]


def bin_() -> list[Limb]:
    """A litter bin.

    Example:
        >>> len(bin_())
        2
    """
    lid = Limb(((-0.16, 0.0, 0.86), (0.16, 0.0, 0.86)), 0.16, 88.0)
    return [Limb(((0.0, 0.0, 0.2), (0.0, 0.0, 0.75)), 0.46, 48.0), lid]


def bench() -> list[Limb]:
    """A bench that faces the walkway.

    Example:
        >>> len(bench())
        5
    """
    legs = [Limb(((x, 0.0, 0.0), (x, 0.1, 0.45)), 0.08, 40.0) for x in (-0.8, 0.8)]
    slats = ((0.0, 0.45, 118.0), (0.25, 0.62, 96.0), (0.3, 0.84, 104.0))
    return [*legs, *(Limb(((-1.0, y, z), (1.0, y, z)), 0.1, grey) for y, z, grey in slats)]


class Place(NamedTuple):
    """How the ground (points along, across) and the two upright planes (along, up; what is behind) are painted.

    Example:
        >>> sorted(PLACES), PLACES["square"].front.__name__
        (['square', 'walkway'], 'arcade')
    """

    ground: Callable[[Preset, Noise, Floats, Floats], Floats]
    front: Callable[[Preset, Noise, Floats, Floats, Floats], Floats]
    hedge: Callable[[Preset, Noise, Floats, Floats, Floats], Floats]


PLACES = {
    "walkway": Place(_ground, _front, _hedge),
    "square": Place(street_square.ground, street_square.arcade, street_square.step),
}
FURNITURE: dict[str, Callable[[], list[Limb]]] = {
    "lamp": partial(lamp, 1.0),
    "far_lamp": partial(lamp, -1.0),
    "bin": bin_,
    "bench": bench,
    "lantern": street_square.lantern,
    "parasol": street_square.parasol,
    "tub": street_square.tub,
}
