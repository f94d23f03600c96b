"""Where a street stands and what the camera sees of it: numbers only, one row a preset.

World: `along` the street, `across` it (away from the camera), `up`, in metres; the camera stands over
the origin. The lens is shifted, not tilted, so that what stands upright is upright in the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pagen.errors import require_name
from pagen.footage.street.noise import Floats


@dataclass(frozen=True)
class Preset:
    """A camera over a street. Lengths in metres, times in seconds, angles in radians, pixels where it says so.

    Attributes:
        place: what it looks like, see `ground.PLACES`.
        height, width: of a frame, pixels.
        fps: frames a second.
        focal: pixels; an object at depth d metres is drawn with focal / d pixels a metre.
        horizon: row of the horizon, pixels; above the picture when negative.
        camera_up: height of the camera.
        yaw: the street runs by this angle out of the picture plane.
        walkway: the two edges of what people walk on, across.
        kerb: width of the kerbs outside the walkway.
        hedge, hedge_up: where the hedge (on a square: the step) stands, across, and its height.
        wall: where the house front stands, across.
        lanes: walkers keep to this many lanes, so that nobody walks through anybody.
        gaps: how far apart walkers come in a clip, from .. to; 1 is about nine seconds a lane.
        standing: share of the pairs of lanes in which people stand and talk.
        sun: where the shadow of a point one metre up falls (along, across).
        noise: standard deviation of the sensor noise, grey levels.
        trees: where they stand (along, across).
        furniture: what else stands there (kind, along, across), see `ground.FURNITURE`.

    Example:
        >>> PRESETS["street"].foot(along=0.0, across=15.0)[0] < PRESETS["street"].width / 2
        True
    """

    place: str
    height: int
    width: int
    fps: float
    focal: float
    horizon: float
    camera_up: float
    yaw: float
    walkway: tuple[float, float]
    kerb: float
    hedge: float
    hedge_up: float
    wall: float
    lanes: int
    gaps: tuple[float, float]
    standing: float
    sun: tuple[float, float]
    noise: float
    trees: tuple[tuple[float, float], ...]
    furniture: tuple[tuple[str, float, float], ...]

    def project(self, along: Floats | float, across: Floats | float, up: Floats | float) -> Floats:
        """World points, one or (N,) each -> column and row in pixels, depth in metres, (3,) or (3, N)."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        depth = across * cos + along * sin
        scale = self.focal / depth
        column = self.width / 2 + scale * (along * cos - across * sin)
        return np.array([column, self.horizon + scale * (self.camera_up - up), depth])

    def foot(self, along: float, across: float) -> tuple[float, float, float]:
        """Column, row and depth of one point on the ground."""
        column, row, depth = self.project(along, across, 0.0).tolist()
        return column, row, depth

    def along_at(self, column: float, across: float) -> float:
        """Where along the street a line of that `across` leaves the given column of the picture."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        slope = (column - self.width / 2) / self.focal
        return across * (sin + slope * cos) / (cos - slope * sin)

    def at(self, column: float, lane: float) -> tuple[float, float]:
        """Where the middle of a lane leaves a column of the picture, along and across; lane 0 is the nearest."""
        near, far = self.walkway
        across = near + 0.4 + (lane + 0.5) * (far - near - 0.8) / self.lanes
        return self.along_at(column, across), across


PRESETS = {
    "street": Preset(
        place="walkway", height=128, width=192, fps=10.0, focal=195.0, horizon=-12.0, camera_up=7.0, yaw=0.13,
        walkway=(11.3, 20.5), kerb=0.3, hedge=23.2, hedge_up=0.9, wall=24.2, lanes=14, gaps=(0.75, 1.5), standing=0.12,
        sun=(0.75, -0.3), noise=2.2, trees=((-9.4, 22.2), (-2.6, 22.0), (9.6, 22.3)),
        furniture=(
            ("lamp", 3.2, 11.15), ("far_lamp", 0.4, 20.65), ("far_lamp", 12.6, 20.65),
            ("bin", 2.5, 11.0), ("bin", -5.8, 20.9), ("bench", 3.0, 21.4),
        ),
    ),
    "square": Preset(
        place="square", height=144, width=176, fps=10.0, focal=235.0, horizon=-34.0, camera_up=8.5, yaw=-0.4,
        walkway=(12.5, 22.5), kerb=0.35, hedge=26.3, hedge_up=0.36, wall=27.2, lanes=15, gaps=(0.6, 1.1), standing=0.2,
        sun=(-0.85, 0.6), noise=3.2, trees=(),
        furniture=(
            ("lantern", -12.5, 23.1), ("lantern", -3.2, 23.1),
            ("parasol", -19.0, 24.9), ("parasol", -15.2, 24.6), ("parasol", -6.9, 24.8),
            ("tub", -10.6, 23.2), ("tub", -1.7, 23.2), ("tub", -9.0, 12.1), ("tub", -3.4, 12.1),
        ),
    ),
}  # fmt: skip


def preset_named(name: str) -> Preset:
    """The preset of that name. Raises PagenError that names the nearest one.

    Example:
        >>> preset_named("streat")
        Traceback (most recent call last):
        pagen.errors.PagenError: no street preset named 'streat'; did you mean 'street'? known: square street
    """
    require_name("street preset", name, PRESETS)
    return PRESETS[name]
