"""Write a made-up data set with features such as I3D gives, to try GCL and its tables on where no footage is at hand.

    python docs/gcl_features.py made-up
    pagen train gcl --dataset folder:mixed --root made-up --features file:made-up/features

A `folder` of tiny videos of noise, in which there is nothing to be seen, with labels; and beside it, in `features/`, an
`.npy` a video: a vector (D,) of 0 and more for every snippet of 16 frames. A video has a scene of its own, along which
its vectors drift; in half of the test videos an event lasts some snippets, in which a few of the numbers are raised, as
one of eight kinds of event has it. Events are as strong as `--strength` says, in deviations of what is normal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tyro

SNIPPET, SIDE, KINDS, RANK = 16, 32, 8, 24
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """Write the data set."""

    out: tyro.conf.Positional[Path]
    """Folder to write."""
    train: int = 30
    """Training videos, all normal."""
    test: int = 60
    """Test videos; half of them hold an event. The mixed split moves half of them among the training videos."""
    snippets: int = 16
    """Snippets of a video, on the average."""
    width: int = 512
    """D."""
    strength: float = 1.5
    """Of events."""
    seed: int = 0


def main(config: Made) -> None:
    """Videos, labels and features."""
    rng = np.random.default_rng(config.seed)
    world = rng.standard_normal((RANK, config.width)) / np.sqrt(RANK)
    raised = (rng.random((KINDS, config.width)) < 0.15) * rng.gamma(2, 0.5, (KINDS, config.width))
    lines = ["video,start_frame,end_frame"]
    for split, count in (("training", config.train), ("testing", config.test)):
        for number in range(count):
            name, length = f"{number:03}", int(rng.integers(config.snippets // 2, config.snippets * 3 // 2 + 1))
            event = _event(rng, length) if split == "testing" and number % 2 else slice(0, 0)
            vectors = _vectors(rng, world, length)
            vectors[event] += config.strength * raised[rng.integers(KINDS)]
            frames = SNIPPET * length + int(rng.integers(SNIPPET))
            _write(config.out, split, name, frames, np.maximum(vectors, 0).astype(np.float32))
            start, end = SNIPPET * event.start, SNIPPET * event.stop
            lines += [f"{name},{start},{end}" if end else f"{name},,"] if split == "testing" else []
    (config.out / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    about = json.dumps({"snippet": SNIPPET})
    (config.out / "features/features.json").write_text(about, encoding="utf-8")


def _event(rng: np.random.Generator, length: int) -> slice:
    lasts = int(rng.integers(2, max(length // 2, 3)))
    start = int(rng.integers(length - lasts + 1))
    return slice(start, start + lasts)


def _vectors(rng: np.random.Generator, world: Floats, length: int) -> Floats:
    """What is normal (length, D): a scene, along which a walk goes, and noise."""
    scene, steps = rng.standard_normal(RANK), np.cumsum(0.25 * rng.standard_normal((length, RANK)), axis=0)
    return 0.5 + (scene + steps) @ world + rng.standard_normal((length, world.shape[1]))


def _write(out: Path, split: str, name: str, frames: int, vectors: npt.NDArray[np.float32]) -> None:
    features = out / "features" / split
    for folder in (out / split, features):
        folder.mkdir(parents=True, exist_ok=True)
    np.save(features / f"{name}.npy", vectors)
    rng = np.random.default_rng(frames)
    video = cv2.VideoWriter(str(out / split / f"{name}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (SIDE, SIDE))
    for _ in range(frames):
        video.write(rng.integers(100, 140, (SIDE, SIDE, 3), np.uint8))
    video.release()


if __name__ == "__main__":
    main(tyro.cli(Made))
