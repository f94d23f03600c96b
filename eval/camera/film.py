"""Where frames err, and how that is shown: zones, heat map, region, timeline; and pictures made coarse.

Blurring pixelates what differs from the frame before or from a slow mean of the past. It is no anonymisation: who
stands still fades into the background within seconds, and all is coarse at the start only until there is one; gait
and the colours of clothes remain; nothing here knows what a face is.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import AbstractContextManager, ExitStack
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pagen.errors import PagenError
from pagen.eval.camera.shots import Shot
from pagen.eval.camera.threshold import Threshold
from pagen.leftovers import LOCK
from pagen.locks import turn
from pagen.manifest import require_no_link
from pagen.scoring.frame_score import Box, Frame, Heat, Mask

CONTAINERS = (".mp4", ".mkv", ".mov")
FRAGMENTS = {"movflags": "empty_moov+default_base_moof", "frag_duration": "1000000"}
CLUSTERS = {"cluster_time_limit": "1000"}
"""A piece a second: of MP4 and its like, of Matroska (which else draws a number for each file)."""
STRIP, TICKS = 48, 1000
"""Rows of the timeline; and ticks of the film's clock in a second."""
RED, GREEN, WHITE = (255, 40, 40), (60, 200, 60), (255, 255, 255)
CHANGE, MEMORY, WARM = 12, 0.98, 25
"""By how much of 255 what moves differs; what the slow mean keeps from frame to frame; frames until it holds."""


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
        mask = cv2.resize(around, (width, height), interpolation=cv2.INTER_NEAREST)
        coarse = cv2.resize(frame, grid, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.where(np.asarray(mask)[..., None] > 0, coarse, frame).astype(np.uint8)

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
    """The annotated video, in one of `CONTAINERS`, else PagenError. Sound is left out, times are kept.

    It is written in pieces of a second that play by themselves, so that whoever kills this process takes the last few.
    A film of a recording takes the place of one that lies there as soon as it has a frame; one of a source that
    `goes_on`, as a camera does, gets a number after its name. With `blur` what moves is pixelated.
    """

    def __init__(self, path: Path, threshold: Threshold, blur: bool = False, goes_on: bool = False) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise PagenError(f"expected a film's name to end in {' '.join(CONTAINERS)}, found {path.name}")
        self._path, self._threshold, self._blur, self._goes_on = path, threshold, Blur() if blur else None, goes_on
        self._levels: deque[float] = deque()
        self._size: tuple[int, int] | None = None
        self._last = -1
        self._stream: Any = None
        self._open = ExitStack()

    def __enter__(self) -> Film:
        require_no_link(self._path)
        self._open.enter_context(turn(self._path.with_name(f"{LOCK}-{self._path.name}"), f"writes {self._path}"))
        return self

    def __exit__(self, *error: object) -> None:
        with self._open:
            if self._size is not None:
                self._container.mux(self._stream.encode())

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
        self._levels.append(level(smoothed, self._threshold))
        picture = drawn(frame, heat, self._threshold.heat, region, self._levels, shot.clock)
        self._last = max(self._last + 1, round(shot.seconds * TICKS))
        encoded = av.VideoFrame.from_ndarray(picture, format="rgb24")
        encoded.pts, encoded.time_base = self._last, Fraction(1, TICKS)
        self._container.mux(self._stream.encode(encoded))

    def _begin(self, size: tuple[int, int]) -> None:
        import av

        path = _free(self._path) if self._goes_on else self._path
        pieces = {
            "flush_packets": "1",
            "fflags": "+bitexact",
            **(CLUSTERS if path.suffix.lower() == ".mkv" else FRAGMENTS),
        }
        self._container = self._open.enter_context(av.open(str(path), "w", container_options=pieces))
        self._size, self._levels = size, deque(maxlen=size[1])
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=max(1, round(self._threshold.fps)))
        self._stream.options = {"tune": "zerolatency"} if codec == "libx264" else {}  # else it keeps 50 frames back
        self._stream.height, self._stream.width, self._stream.pix_fmt = size[0] + STRIP, size[1], "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)


def _free(path: Path) -> Path:
    """The path, or the first with a number after its name that nothing has."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return next(each for each in chain([path], numbered) if not os.path.lexists(each))


def level(smoothed: float, threshold: Threshold) -> float:
    """Where a score stands in the timeline: 0 is the median of normal footage, 1 the threshold; NaN becomes 0."""
    reach = threshold.threshold - threshold.median
    return (smoothed - threshold.median) / reach if reach > 0 and smoothed == smoothed else float(reach <= 0)


def drawn(
    frame: Frame, heat: Heat | None, usual: float | None, region: Box | None, levels: deque[float], text: str
) -> Frame:
    """A frame (H, W, 3) with its heat map, and a timeline below it: (H + `STRIP`, W, 3).

    Heat (h, w) is shown where it exceeds what is usual in normal footage, fully at three times that; the region of an
    alarm is framed in red; levels are of the last frames, see `level`, the newest to the right.
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
