"""Zones of a camera's picture: polygons in which errors count."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from annotated_types import MinLen
from torch import from_numpy

from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.scoring.baselines import BASELINES
from pagen.scoring.frame_score import FrameScore, Heat, Mask
from pagen.scoring.window_scores import worst

Polygon = Annotated[list[tuple[float, float]], MinLen(3)]


@dataclass(frozen=True)
class Zones:
    """Where a camera is to be watched: inside one of `include`, if there is any, and no `exclude`; polygons.

    Example:
        >>> Zones([], [[[0, 0], [4, 0], [4, 8], [0, 8]]]).mask((1, 3), (8, 12)).tolist()
        [[False, True, True]]
    """

    include: list[Polygon] = field(default_factory=list)
    exclude: list[Polygon] = field(default_factory=list)

    def within(self, name: str, score: FrameScore, size: tuple[int, int]) -> FrameScore:
        """The score of a mapped indicator inside the zones: its worst place there, where the error outside is 0."""
        if score.heat is None:
            return score
        mask = self.mask((score.heat.shape[0], score.heat.shape[1]), size)
        return FrameScore(inside(name, score.heat, mask), score.heat * mask)

    def mask(self, shape: tuple[int, int], size: tuple[int, int]) -> Mask:
        """Which pixels of a map (h, w) over frames of `size` (H, W) count: those of which at least half does.

        Raises PagenError: a polygon that leaves the frame, or nothing that counts.
        """
        for x, y in (point for polygon in (*self.include, *self.exclude) for point in polygon):
            if not (0 <= x <= size[1] and 0 <= y <= size[0]):
                raise PagenError(
                    f"expected zones inside frames of {size[1]}x{size[0]} pixels, found the point {x:g}, {y:g}; "
                    "draw them in pixels of the source"
                )
        inside = np.full(size, 0 if self.include else 1, np.uint8)
        for polygons, value in ((self.include, 1), (self.exclude, 0)):
            for polygon in polygons:
                cv2.fillPoly(inside, [np.rint(polygon).astype(np.int32)], value)
        share = cv2.resize(inside.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
        mask: Mask = np.asarray(share) >= 0.5
        if not mask.any():
            raise PagenError("expected zones that leave something to look at, found none; mend include and exclude")
        return mask


def read_zones(path: Path) -> Zones:
    """Zones from a JSON file. Raises PagenError: no such file, or something else in it.

    Example:
        >>> from tempfile import NamedTemporaryFile
        >>> with NamedTemporaryFile("w", suffix=".json") as file:
        ...     _ = file.write('{"exclude": [[[0, 0], [4, 0], [4, 8]]]}'), file.flush()
        ...     read_zones(Path(file.name)).exclude
        [[(0.0, 0.0), (4.0, 0.0), (4.0, 8.0)]]
    """
    zones = read_json(path, Zones, "zones", "mend the zones")
    if not (zones.include or zones.exclude):
        raise PagenError(f"expected polygons in {path}, found none; mend the zones")
    return zones


def inside(name: str, heat: Heat, mask: Mask) -> float:
    """The score of a map (h, w) inside a mask: a baseline of those pixels, else of the worst place.

    Example:
        >>> inside("frame_difference", np.array([[0.5, 4.0]]), np.array([[True, False]]))
        0.5
    """
    if name in BASELINES:
        return BASELINES[name].score(heat[mask])
    return float(worst(name, from_numpy(heat * mask)[None, None]))
