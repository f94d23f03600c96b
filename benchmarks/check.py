"""How long `pagen datasets check` takes over folders of frames, beside reading every head and every frame by Pillow.

    python benchmarks/check.py [--clips 437] [--frames 180]

Both sides decode all of every file, one after the other in one process, and keep nothing; the footage is made
beforehand, 437 clips by default, as many as ShanghaiTech has.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import tyro
from PIL import Image

from pagen import console
from pagen.footage.dataset_report import checked
from pagen.footage.images import read_image
from pagen.footage.listing import IMAGES, listing


@dataclass(frozen=True)
class Check:
    """Check folders of frames both ways."""

    clips: int = 437
    frames: int = 180
    """Of each clip."""
    size: tuple[int, int] = (60, 107)
    """(H, W): an eighth of ShanghaiTech's."""


def main(config: Check) -> None:
    """Print seconds of both sides, and the ratio."""
    with TemporaryDirectory() as folder:
        written(config, Path(folder))
        before = seconds(lambda: by_pillow(Path(folder)))
        now = seconds(lambda: by_pagen(Path(folder)))
    rows = [("Pillow, head and frame", f"{before:.1f}", "1.0"), ("datasets check", f"{now:.1f}", f"{before / now:.1f}")]
    files = f"{config.clips * config.frames:,} frames of {config.size[0]}x{config.size[1]}"
    console.say(f"{files}\n\n{console.table(('', 'seconds', 'times as fast'), rows)}")


def written(config: Check, root: Path) -> None:
    """Clips of shifting noise, three quarters of them for training, as JPEG."""
    noise = np.random.default_rng(0).integers(0, 256, (config.size[0] // 8 + 1, config.size[1] // 8 + 1), np.uint8)
    still = np.kron(noise, np.ones((8, 8), np.uint8))[: config.size[0], : config.size[1]]
    pictures = [jpeg(np.roll(still, shift, axis=1)) for shift in range(32)]
    for clip in range(config.clips):
        folder = root / ("training" if clip % 4 else "testing") / f"{clip:03d}"
        folder.mkdir(parents=True)
        for frame in range(config.frames):
            (folder / f"{frame:03d}.jpg").write_bytes(pictures[frame % len(pictures)])


def jpeg(grey: npt.NDArray[np.uint8]) -> bytes:
    """A picture (H, W) as a file in colours."""
    file = io.BytesIO()
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(file, "JPEG", quality=80)
    return file.getvalue()


def by_pillow(root: Path) -> None:
    """The head of every frame, then every frame."""
    for folder in sorted(root.glob("*/*")):
        for path in listing(folder, IMAGES):
            with Image.open(path) as image:
                assert image.size
            read_image(path)


def by_pagen(root: Path) -> None:
    """The check."""
    assert not checked("folder", root)["problems"]


def seconds(work: Callable[[], None]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(tyro.cli(Check))
