"""Where frames err, and how that is shown: zones, heat map, region, timeline; and pictures made coarse.

Blurring pixelates what differs from the frame before or from a slow mean of the past. It is no anonymisation: who
stands still fades into the background within seconds, and all is coarse at the start only until there is one; gait
and the colours of clothes remain; nothing here knows what a face is.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.alarms import Box
from pagen.eval.baselines import PERCENTILE
from pagen.eval.calibrate import Alarms
from pagen.eval.camera import Shot
from pagen.folders import atomic
from pagen.footage.flow import dis

Frame = npt.NDArray[np.uint8]
Heat = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Polygon = list[list[float]]
CONTAINERS = (".mp4", ".mkv", ".mov")
STRIP = 48
"""Rows of the timeline."""
RED, GREEN, WHITE = (255, 40, 40), (60, 200, 60), (255, 255, 255)
TICKS = 1000
"""Of the film's clock in a second."""
CHANGE, MEMORY, WARM = 12, 0.98, 25
"""By how much of 255 what moves differs; what the slow mean keeps from frame to frame; frames until it holds."""


@dataclass(frozen=True)
class Look:
    """What is said of a frame: a number, and (h, w) where it errs, if that is known."""

    value: float
    heat: Heat | None = None


@dataclass(frozen=True)
class Zones:
    """Where a camera is to be watched: inside one of `include`, if there is any, and no `exclude`; polygons."""

    include: list[Polygon]
    exclude: list[Polygon]

    def within(self, name: str, look: Look, size: tuple[int, int]) -> Look:
        """What an indicator of `MAPPED` says inside the zones: its worst place there, where the error outside is 0."""
        if look.heat is None:
            return look
        mask = self.mask((look.heat.shape[0], look.heat.shape[1]), size)
        return Look(inside(name, look.heat, mask), look.heat * mask)

    def mask(self, shape: tuple[int, int], size: tuple[int, int]) -> Mask:
        """Which pixels of a map (h, w) over frames of `size` (H, W) count: those of which at least half does.

        Raises:
            PagenError: a polygon that leaves the frame, or nothing that counts.
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
    """Zones from a JSON file. Raises PagenError: no such file, or something else in it."""
    try:
        return zones_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PagenError(
            f'expected {{"include": [[[x, y], ...], ...], "exclude": [...]}} in {path}: {error}; mend the zones'
        ) from error


def zones_of(content: Any) -> Zones:
    """Zones from {"include": [[[x, y], ...], ...], "exclude": [...]}. Raises ValueError or TypeError for else."""
    odd = sorted(set(dict(content)) - {"include", "exclude"})
    if odd:
        raise ValueError(f"found {odd[0]!r}")
    both = [[[[float(x), float(y)] for x, y in polygon] for polygon in content.get(of, [])] for of in ORDER]
    if not any(both) or any(len(polygon) < 3 for polygons in both for polygon in polygons):
        raise ValueError("found no polygon, or one of fewer than three points")
    return Zones(*both)


ORDER = ("include", "exclude")
MAPPED = ("psnr_local", "vcr_local", "ffp_local", "flow_local", "flow_speed", "frame_difference")
"""Indicators that have a map of errors."""


def inside(name: str, heat: Heat, mask: Mask) -> float:
    """The score of a map (h, w) inside a mask: a baseline of those pixels, else of the worst place."""
    if name == "flow_speed":
        return float(np.percentile(heat[mask], PERCENTILE))
    if name == "frame_difference":
        return float(heat[mask].mean())
    from torch import from_numpy

    from pagen.scoring.indicators import worst

    return float(worst(name, from_numpy(heat * mask)[None, None]))


def looks_of(name: str, shown: Any, found: Any, measure: str = "bpe") -> dict[str, Look]:
    """What an indicator says of one frame, (1, C, 1, H, W) twice: over the whole of it, and at its worst place."""
    from pagen.scoring.indicators import errors

    values, maps = errors(name, shown, found, measure)
    heat = maps[0, 0].numpy()
    return {key: Look(float(value), heat if key in MAPPED else None) for key, value in values.items()}


def baseline_look(name: str, before: Frame, now: Frame) -> Look:
    """What a baseline says of two grey frames (H, W)."""
    difference = now / 255 - before / 255
    heat = np.square(difference) if name == "frame_difference" else np.hypot(*next(dis(iter((before, now)))))
    return Look(inside(name, heat, heat >= 0), heat.astype(np.float64))


def region_of(heat: Heat | None, size: tuple[int, int], window: int = 12) -> Box | None:
    """The bounding box, in pixels of frames of `size` (H, W), of the hottest part of a map (h, w).

    The map is averaged over `window` pixels, as the local maximum is; the part is what is connected with the
    highest mean and reaches half of it. None where nothing is hot.
    """
    if heat is None or heat.max() <= 0:
        return None
    means = np.asarray(cv2.blur(heat, (window, window), borderType=cv2.BORDER_REFLECT))
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((means >= means.max() / 2).astype(np.uint8), connectivity=8)
    x, y, width, height, _ = boxes[parts[np.unravel_index(np.argmax(means), means.shape)]].tolist()
    rows, columns = size[0] / heat.shape[0], size[1] / heat.shape[1]
    left, top = int(x * columns), int(y * rows)
    return left, top, int(np.ceil((x + width) * columns)) - left, int(np.ceil((y + height) * rows)) - top


class Blur:
    """Makes coarse what moves; see the module for what it does not do."""

    def __init__(self) -> None:
        self._before: Any = None
        self._mean: Any = None
        self._seen = 0

    def __call__(self, frame: Frame) -> Frame:
        """A frame (H, W, 3) with its moving blocks, and those around them, in one colour each."""
        height, width = frame.shape[:2]
        block = max(8, height // 30)
        grid = (-(-width // block), -(-height // block))
        moving = cv2.resize(self._moved(frame).astype(np.float32), grid, interpolation=cv2.INTER_AREA) > 0.01
        around = cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8))
        where = cv2.resize(around, (width, height), interpolation=cv2.INTER_NEAREST)
        coarse = cv2.resize(frame, grid, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.where(np.asarray(where)[..., None] > 0, coarse, frame).astype(np.uint8)

    def _moved(self, frame: Frame) -> Mask:
        grey = np.float32(cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (5, 5), 0))
        if self._seen == 0:
            self._before = self._mean = grey
        moved: Mask = np.maximum(np.abs(grey - self._before), np.abs(grey - self._mean)) > CHANGE
        self._before = grey
        self._mean = self._mean + (1 - MEMORY) * (grey - self._mean)
        self._seen += 1
        return moved if self._seen > WARM else np.ones_like(moved)


class Film(AbstractContextManager["Film"]):
    """The annotated video; it appears when it is whole. Sound is left out, times are kept.

    Args:
        path: of `CONTAINERS`, else PagenError.
        alarms: what scores are held against.
        blur: pixelate what moves.
    """

    def __init__(self, path: Path, alarms: Alarms, blur: bool = False) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise PagenError(f"expected a film's name to end in {' '.join(CONTAINERS)}, found {path.name}")
        self._path, self._alarms, self._blur = path, alarms, Blur() if blur else None
        self._levels: deque[float] = deque()
        self._size: tuple[int, int] | None = None
        self._last = -1
        self._stream: Any = None
        self._open = ExitStack()

    def __enter__(self) -> Film:
        import av

        temporary = self._open.enter_context(atomic(self._path))
        self._container = self._open.enter_context(av.open(str(temporary), "w"))
        return self

    def __exit__(self, *error: Any) -> None:
        if self._size is not None and error[0] is None:
            self._container.mux(self._stream.encode())
        self._open.__exit__(*error)

    def add(self, shot: Shot, smoothed: float, heat: Heat | None, region: Box | None) -> None:
        """One frame; `region` where it alarms."""
        import av

        frame = np.atleast_3d(shot.frame).repeat(3 // np.atleast_3d(shot.frame).shape[2], axis=2)
        frame = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]
        if self._size is None:
            self._begin(frame.shape[:2])
        elif frame.shape[:2] != self._size:
            frame = np.asarray(cv2.resize(frame, self._size[::-1]), np.uint8)
        frame = self._blur(frame) if self._blur else frame
        self._levels.append(level(smoothed, self._alarms))
        picture = drawn(frame, heat, self._alarms.heat, region, self._levels, shot.clock)
        self._last = max(self._last + 1, round(shot.seconds * TICKS))
        encoded = av.VideoFrame.from_ndarray(picture, format="rgb24")
        encoded.pts, encoded.time_base = self._last, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(encoded))

    def _begin(self, size: tuple[int, int]) -> None:
        import av

        self._size, self._levels = size, deque(maxlen=size[1])
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=max(1, round(self._alarms.fps)))
        self._stream.height, self._stream.width, self._stream.pix_fmt = size[0] + STRIP, size[1], "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)


def level(smoothed: float, alarms: Alarms) -> float:
    """Where a score stands in the timeline: 0 is the median of normal footage, 1 the threshold; NaN becomes 0."""
    reach = alarms.threshold - alarms.median
    return (smoothed - alarms.median) / reach if reach > 0 and smoothed == smoothed else float(reach <= 0)


def drawn(
    frame: Frame, heat: Heat | None, usual: float | None, region: Box | None, levels: deque[float], text: str
) -> Frame:
    """A frame (H, W, 3) with its heat map, and a timeline below it: (H + `STRIP`, W, 3).

    Args:
        heat: (h, w); shown where it exceeds what is usual in normal footage, fully at three times that.
        region: of an alarm, framed in red.
        levels: of the last frames, see `level`; the newest to the right.
    """
    picture = frame.copy()
    if heat is not None and usual:
        strength = np.clip((heat / usual - 1) / 2, 0, 1).astype(np.float32)
        share = 0.6 * np.asarray(cv2.resize(strength, frame.shape[1::-1]))[..., None]
        picture = np.rint(picture * (1 - share) + np.array(RED) * share).astype(np.uint8)
    if region is not None:
        x, y, width, height = region
        cv2.rectangle(picture, (x, y), (x + width - 1, y + height - 1), RED, 2)
    cv2.putText(picture, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, RED if region else WHITE, 1, cv2.LINE_AA)
    return np.vstack([picture, timeline(levels, frame.shape[1])])


def timeline(levels: deque[float], width: int) -> Frame:
    """(`STRIP`, width, 3): a column a frame, the newest to the right, red above the line of the threshold."""
    strip = np.full((STRIP, width, 3), 24, np.uint8)
    line = STRIP // 3
    tops = np.clip(STRIP - np.array(levels) * (STRIP - line), 0, STRIP - 1).astype(int)
    below = np.arange(STRIP)[:, None] >= tops
    colours = np.where((np.array(levels) > 1)[:, None], RED, GREEN)
    shown = strip[:, width - len(levels) :]
    shown[below] = np.broadcast_to(colours, (STRIP, len(levels), 3))[below]
    strip[line] = WHITE
    return strip
