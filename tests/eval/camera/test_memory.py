"""What is held while footage is scored does not grow with its length."""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pagen.eval.camera.alerts import AlertLog
from pagen.eval.camera.live import ROOM, Live
from pagen.eval.camera.sources import Recording
from pagen.eval.camera.threshold import Threshold
from pagen.eval.camera.watch import watch
from pagen.footage.clock import Tick
from pagen.scoring.stream import open_streamer

pytestmark = pytest.mark.slow

THRESHOLD = Threshold("frame_difference", "", "frame_difference", 0.01, 2, 2, 0.2, 25, 1, 1, 0, 3, 0, 0, 1.0, None)
WARM, FRAMES = 1000, 3000
KEPT = 16  # bytes a frame: half of what one float kept in a list takes


def frames(held: list[int]) -> Iterator[np.ndarray]:
    """Noise that now and then is another; what is held is noted on the way."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (2, 16, 16), np.uint8)
    for index in range(FRAMES):
        if index % WARM == WARM - 1:
            gc.collect()  # what other tests left to be collected is not what is held
            held.append(tracemalloc.get_traced_memory()[0])
        yield noise[index % 2 if index // 7 % 50 == 0 else 0].copy()


def growth(held: list[int]) -> float:
    """Bytes a frame, after those that warm up."""
    return (held[-1] - held[0]) / (FRAMES - WARM)


def test_watching_a_recording_holds_no_more_for_more_frames(tmp_path: Path) -> None:
    held: list[int] = []
    pieces = (("x", lambda: ((Tick(index / 25), frame) for index, frame in enumerate(frames(held)))),)
    tracemalloc.start()
    try:
        with AlertLog(tmp_path, "x", THRESHOLD, False) as log:
            found = watch(Recording("x", 25.0, pieces), open_streamer(THRESHOLD.run), THRESHOLD, log, None, math.inf)
    finally:
        tracemalloc.stop()
    assert (found["frames"], log.alerts, len(held)) == (FRAMES, 9, 3)
    assert growth(held) < KEPT


def test_a_camera_that_nobody_looks_at_holds_a_queue_of_frames() -> None:
    held: list[int] = []
    source = Live("x", lambda: iter(()))
    tracemalloc.start()
    try:
        for frame in frames(held):
            source._arrive(None, frame)
    finally:
        tracemalloc.stop()
    assert (source.received, source.dropped) == (FRAMES, FRAMES - ROOM[1])
    assert growth(held) < KEPT
