"""A square: light slabs between dark bands, a flower bed, a terrace with parasols, a step, an arcade."""

from __future__ import annotations

import math

import numpy as np

from pagen.footage.street.figures import Limb, Vec
from pagen.footage.street.noise import Floats, Noise
from pagen.footage.street.preset import Preset


def ground(preset: Preset, noise: Noise, along: Floats, across: Floats) -> Floats:
    """Bed, stone edge, slabs, terrace of cobbles: from the camera away.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> noise, x, y = Noise(np.random.default_rng(0)), np.zeros((1, 3)), np.full((1, 3), 1.5)
        >>> ground(PRESETS["square"], noise, x, y).shape
        (1, 3)
    """
    near, far = preset.walkway
    wide = noise.rough(along / 3, across / 3)
    x, y = along / 0.8, across / 0.8
    joints = ((x % 1.0) < 0.06) | ((y % 1.0) < 0.06)
    fine = 12 * (noise.rough(along * 6, across * 6) - 0.5)
    band = (np.floor(x) % 6 == 0) | (np.floor(y) % 6 == 0)
    slabs = np.where(band, 112.0, 166.0) + 16 * (noise.cells(x, y) - 0.5) + 26 * (wide - 0.5) + fine - 20 * joints
    cobbles = 120 + 44 * (noise.cells(along * 4, across * 4) - 0.5) + 24 * (wide - 0.5)
    stone = 190 + 12 * (noise.cells(along / 1.4, across) - 0.5) - 36 * ((along / 1.4 % 1.0) < 0.04)
    bed = 70 + 60 * (noise.rough(along * 5, across * 4) - 0.5) + 30 * (wide - 0.5)
    bed += np.where(noise(along * 6, across * 6 + 0.5 * along) > 0.74, 80.0, 0.0)
    picture = np.where(across > near, np.where(across < far, slabs, cobbles), stone)
    return np.where(across < near - preset.kerb, bed, picture)


def arcade(preset: Preset, noise: Noise, along: Floats, up: Floats, behind: Floats) -> Floats:
    """Round arches of 2.3 metres, a ledge, and windows with shutters above.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> noise, x, y = Noise(np.random.default_rng(0)), np.zeros((1, 3)), np.full((1, 3), 1.5)
        >>> arcade(PRESETS["square"], noise, x, y, behind=x).shape
        (1, 3)
    """
    x, block = along % 3.2 - 1.6, up / 0.5
    stone = 168 + 18 * (noise.cells(along / 0.8 + 0.5 * (np.floor(block) % 2), block) - 0.5)
    stone += 24 * (noise.rough(along / 3, up / 3) - 0.5) - 12 * ((block % 1.0) < 0.12)
    stone += np.where((up > 4.1) & (up < 4.4), 34.0, np.where((up > 3.85) & (up <= 4.1), -34.0, 0.0))
    rise = np.where(up > 2.3, up - 2.3, 0.0)
    within = x * x + rise * rise
    inside = 44 + 30 * noise.cells(along / 3.2, along * 0) + 26 * (noise.rough(along * 1.5, up * 1.5) - 0.5) - 7 * up
    wall = np.where(within < 1.15**2, inside, np.where(within < 1.32**2, stone + 22, stone))
    shutter = (np.abs(x) < 0.95) & (up > 5.0) & (up < 6.9)
    slats = 96 - 26 * ((up / 0.2 % 1.0) < 0.4)
    wall = np.where(shutter, np.where(np.abs(x) < 0.48, 40 + 26 * noise.cells(along / 3.2, up * 0), slats), wall)
    return np.where(up > 0, wall, behind)


def step(preset: Preset, noise: Noise, along: Floats, up: Floats, behind: Floats) -> Floats:
    """The riser of the step before the arcade.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> noise, x, y = Noise(np.random.default_rng(0)), np.zeros((1, 3)), np.full((1, 3), 1.5)
        >>> step(PRESETS["square"], noise, x, y, behind=x).tolist()  # too high for the step
        [[0.0, 0.0, 0.0]]
    """
    stone = 136 + 20 * (noise.cells(along / 1.2, up * 0) - 0.5) + 60 * (up > 0.8 * preset.hedge_up)
    return np.where((up > 0) & (up < preset.hedge_up), stone, behind)


def lantern() -> list[Limb]:
    """A post with three globes.

    Example:
        >>> len(lantern())
        7
    """
    arms = [Limb(((0.0, 0.0, 3.2), (x, 0.0, 3.35)), 0.07, 50.0) for x in (-0.5, 0.5)]
    globes = [Limb(((x, 0.0, z),), 0.38, 222.0) for x, z in ((-0.5, 3.5), (0.5, 3.5), (0.0, 3.95))]
    foot = Limb(((0.0, 0.0, 0.05), (0.0, 0.0, 0.6)), 0.26, 46.0)
    return [foot, Limb(((0.0, 0.0, 0.5), (0.0, 0.0, 3.8)), 0.12, 50.0), *arms, *globes]


def parasol() -> list[Limb]:
    """A parasol over a table and four chairs.

    Example:
        >>> len(parasol())
        18
    """
    apex = (0.0, 0.0, 2.8)
    rim: list[Vec] = [(1.4 * math.cos(k * math.pi / 4), 1.4 * math.sin(k * math.pi / 4), 2.2) for k in range(9)]
    cloth = [(k, Limb((rim[k], rim[k + 1], apex), 0.0, 206.0 if k % 2 else 92.0)) for k in range(8)]
    away = [limb for k, limb in sorted(cloth, key=lambda one: -math.sin((one[0] + 0.5) * math.pi / 4))]
    chairs = []
    for x, y in ((0.0, 0.8), (-0.85, 0.0), (0.85, 0.0), (0.0, -0.8)):
        chairs.append(Limb(((x, y, 0.05), (x, y, 0.45)), 0.34, 58.0))
        chairs.append(Limb(((1.2 * x, 1.2 * y, 0.45), (1.2 * x, 1.2 * y, 0.9)), 0.3, 74.0))
    post, table = ((0.0, 0.0, 0.0), (0.0, 0.0, 2.3)), ((-0.45, 0.0, 0.74), (0.45, 0.0, 0.74))
    return [*chairs[:6], Limb(post, 0.08, 70.0), Limb(table, 0.2, 198.0), *chairs[6:], *away]


def tub() -> list[Limb]:
    """A bush in a tub.

    Example:
        >>> len(tub())
        7
    """
    leaves = (
        (0.0, 0.95, 0.75, 50.0), (-0.26, 0.85, 0.45, 62.0), (0.27, 0.88, 0.42, 44.0),
        (0.02, 1.28, 0.5, 60.0), (-0.14, 1.12, 0.3, 84.0), (0.16, 1.02, 0.22, 76.0),
    )  # fmt: skip
    box = ((-0.3, 0.0, 0.0), (0.3, 0.0, 0.0), (0.38, 0.0, 0.55), (-0.38, 0.0, 0.55))
    return [Limb(box, 0.0, 98.0), *(Limb(((x, 0.0, z),), width, grey) for x, z, width, grey in leaves)]
