"""Value noise, of which all that is rough in the street is made."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


class Noise:
    """Value noise on a lattice of 64 x 64 random values that repeats.

    Example:
        >>> noise = Noise(np.random.default_rng(0))
        >>> bool(noise(np.array([3.0]), np.array([5.0])) == noise.cells(np.array([3.5]), np.array([5.5])))
        True
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.flat = rng.random(64 * 64)

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Values in 0..1 at the points (x, y), smooth over one unit."""
        left, top = np.floor(x), np.floor(y)
        u, v = x - left, y - top
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        i, j = (top.astype(np.int64) & 63) << 6, left.astype(np.int64) & 63
        k, m = (i + 64) & 4095, (j + 1) & 63
        upper = self.flat[i + j] * (1 - u) + self.flat[i + m] * u
        lower = self.flat[k + j] * (1 - u) + self.flat[k + m] * u
        return upper * (1 - v) + lower * v

    def cells(self, x: Floats, y: Floats) -> Floats:
        """One random value for each unit square."""
        i, j = np.floor(y).astype(np.int64) & 63, np.floor(x).astype(np.int64) & 63
        value: Floats = self.flat[(i << 6) + j]
        return value

    def rough(self, x: Floats, y: Floats) -> Floats:
        """Three octaves, in 0..1."""
        return (4 * self(x, y) + 2 * self(2.1 * x + 7, 2.1 * y) + self(4.3 * x, 4.3 * y + 5)) / 7
