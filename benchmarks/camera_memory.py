"""Claim: an hour of footage takes no more memory than a quarter of an hour.

90,000 frames of 48x64: as a camera's recording, watched by flow speed; with --run also as a prepared clip on disk,
whose windows an autoencoder of `tiny` width scores (--policy, `block` being the quickest). Printed is the most that the
process held in each quarter, the last one with what is done at the end; pages of files are not its own.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pagen.footage.clock import Tick

FRAMES, HEIGHT, WIDTH, FPS = 90_000, 48, 64, 25.0
Frame = npt.NDArray[np.uint8]


def main() -> None:
    """One line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--policy", default="block")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("camera, flow_speed:", camera(Path(folder)), flush=True)
        if asked.run:
            print(f"run, policy {asked.policy}:", clip(Path(folder) / "clip.npy", asked.policy))


def camera(folder: Path) -> str:
    """Of a recording that is watched."""
    from pagen.eval.camera.alerts import AlertLog
    from pagen.eval.camera.sources import Recording
    from pagen.eval.camera.threshold import Threshold
    from pagen.eval.camera.watch import watch
    from pagen.footage.clock import Tick
    from pagen.scoring.stream import open_streamer

    alarms = Threshold("flow_speed", "", "flow_speed", 2.0, 2.0, 2.0, 0.2, FPS, 12, 1, 0, 3, 0, 1, 1, None)
    with watched() as peaks, AlertLog(folder, "camera", alarms, False) as ledger:

        def timed() -> Iterator[tuple[Tick, Frame]]:
            for index, frame in enumerate(street()):
                peaks.share = index / FRAMES
                yield Tick(index / FPS), frame

        source = Recording("camera", FPS, (("camera", timed),))
        watch(source, open_streamer("flow_speed"), alarms, ledger, None, math.inf)
    return str(peaks)


def clip(path: Path, policy: str) -> str:
    """Of a prepared clip that is scored in windows."""
    from pagen.arrays import read_array, write_slices
    from pagen.footage.clip_input import FrameInput
    from pagen.models.conv_ae import ConvAE3d
    from pagen.models.speed import fast_layout, keep_memory
    from pagen.scoring.sliding import Slider

    write_slices(path, (frame[None, ..., None] for frame in street()))
    frames = read_array(path)
    keep_memory()
    network = ConvAE3d(1, "tiny").eval()
    fast_layout(network)
    with watched() as peaks:

        class Watched(FrameInput):
            """The clip; what has been shown of it is counted."""

            windows: ClassVar[int] = 0

            def source(self, clip: str) -> Frame:
                return frames

            def shown(self, part: Frame) -> npt.NDArray[np.float32]:
                Watched.windows += 1
                peaks.share = Watched.windows * (16 if policy == "block" else 1) / FRAMES
                return super().shown(part)

        Slider(network, Watched(), 16, policy).scores("clip")
    return str(peaks)


def street() -> Iterator[Frame]:
    """Squares that pass over noise, one frame in memory at a time."""
    noise = np.random.default_rng(0).integers(0, 90, (HEIGHT, WIDTH), np.uint8)
    for index in range(FRAMES):
        frame = noise.copy()
        for row, speed in ((6, 1), (20, 2), (34, 3 if index % 5000 < 4900 else 9)):
            place = index * speed % (WIDTH - 10)
            frame[row : row + 10, place : place + 10] = 200
        yield frame


@dataclass
class Peaks:
    """The most megabytes that the process held in each quarter of the work, of which a `share` is done."""

    share: float = 0.0
    most: list[float] = field(default_factory=lambda: [0.0] * 4)

    def look(self) -> None:
        """Take note of what is held now."""
        quarter = min(int(4 * self.share), 3)
        self.most[quarter] = max(self.most[quarter], own_megabytes())

    def __str__(self) -> str:
        return " ".join(f"{most:.1f}" for most in self.most) + " MB"


@contextmanager
def watched() -> Iterator[Peaks]:
    """Looks on a hundred times a second, while what is inside tells how far it is."""
    peaks, done = Peaks(), threading.Event()

    def looks() -> None:
        while not done.wait(0.01):
            peaks.look()

    watcher = threading.Thread(target=looks)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def own_megabytes() -> float:
    """What the process holds that lies in no file."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else math.nan


if __name__ == "__main__":
    main()
