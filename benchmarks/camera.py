"""Claim: what a camera costs: frames per second of `pagen score` at 640x360, for flow speed and for each run given.

A recording of a street brought to that size is made, calibrated on, and scored from the file with everything that
`pagen score` does: decoding, resizing, scoring, smoothing, alerts and the score table. The runs are left alone.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import av
import cv2

from pagen.eval.camera.calibrate import Calibrate, calibrate
from pagen.eval.camera.score import Score, score
from pagen.footage.street.scene import scenes

WIDTH, HEIGHT, FPS = 640, 360, 25


def main() -> None:
    """A line for each; the fastest of the rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = recording(Path(folder) / "street.mp4", asked.frames)
        for run in ("flow_speed", *map(str, asked.runs)):
            camera = Path(folder) / "camera"
            found = Calibrate(run, (path,), 12.0, out=camera, device=asked.device)
            alarms = calibrate(found)
            camera.mkdir(exist_ok=True)
            alarms.write(camera)
            rates = [score(Score(camera, str(path), device=asked.device)) for _ in range(asked.rounds)]
            best = max(rate["frames_per_second"] for rate in rates)
            print(f"{Path(run).name:<24} {alarms.indicator:<12} {best:6.1f} frames a second at {WIDTH}x{HEIGHT}")


def recording(path: Path, frames: int) -> Path:
    """The street as a video of that size."""
    (street,) = scenes(train=1, test=0, frames=frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for frame in street.frames():
            large = cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(large, format="gray")))
        container.mux(stream.encode())
    return path


if __name__ == "__main__":
    main()
