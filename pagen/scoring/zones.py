"""Zones of a camera's picture: polygons in which errors count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import from_numpy

from pagen.errors import PagenError
from pagen.scoring.baselines import BASELINES
from pagen.scoring.frame_score import FrameScore, Heat, Mask
from pagen.scoring.window_scores import worst

Polygon = list[list[float]]


@dataclass(frozen=True)
class Zones:
    """Where a camera is to be watched: inside one of `include`, if there is any, and no `exclude`; polygons.

    Example:
        >>> Zones([], [[[0, 0], [4, 0], [4, 8], [0, 8]]]).mask((1, 3), (8, 12)).tolist()
        [[False, True, True]]
    """

    include: list[Polygon]
    exclude: list[Polygon]

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
        [[[0.0, 0.0], [4.0, 0.0], [4.0, 8.0]]]
    """
    try:
        return zones_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PagenError(
            f'expected {{"include": [[[x, y], ...], ...], "exclude": [...]}} in {path}: {error}; mend the zones'
        ) from error


def zones_of(content: Any) -> Zones:
    """Zones from {"include": [[[x, y], ...], ...], "exclude": [...]}. Raises ValueError or TypeError for else.

    Example:
        >>> zones_of({"include": [[[0, 0], [4, 0], [4, 8]]]}).exclude
        []
    """
    odd = sorted(set(dict(content)) - {"include", "exclude"})
    if odd:
        raise ValueError(f"found {odd[0]!r}")
    both = [
        [[[float(x), float(y)] for x, y in polygon] for polygon in content.get(of, [])] for of in ("include", "exclude")
    ]
    if not any(both) or any(len(polygon) < 3 for polygons in both for polygon in polygons):
        raise ValueError("found no polygon, or one of fewer than three points")
    return Zones(*both)


def inside(name: str, heat: Heat, mask: Mask) -> float:
    """The score of a map (h, w) inside a mask: a baseline of those pixels, else of the worst place.

    Example:
        >>> inside("frame_difference", np.array([[0.5, 4.0]]), np.array([[True, False]]))
        0.5
    """
    if name in BASELINES:
        return BASELINES[name].score(heat[mask])
    return float(worst(name, from_numpy(heat * mask)[None, None]))
