"""Draw `fills.png`: sixteen fills of the bundled inpainter, on footage that it was not trained on.

Half of them of the part of `vtest.avi` that was held out (PAGEN_VTEST, or Debian's package opencv-doc), half of
a street with another seed. The frames are evenly spread, places and holes drawn: none was picked by its looks.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "benchmarks"))
Frames = npt.NDArray[np.uint8]
CLOSE_UP = 72
TITLES = ("frame", "hole", "seed 0", "seed 1", "Telea")


def main() -> None:
    """Eight fills of each, half of them in colour."""
    from inpainting import HELD_OUT, VTEST

    from pagen.footage.street.scene import scenes
    from pagen.footage.video import video_frames

    held_out = islice(video_frames(VTEST), HELD_OUT + 10, None, 22)
    vtest = [cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(held_out, 8)]
    street = [list(scene.frames())[60] for scene in scenes(seed=7, train=8, test=0, frames=90)]
    rows = [row for index, frame in enumerate(vtest) for row in fills(np.asarray(frame, np.uint8), index)]
    large = [cv2.resize(frame, (288, 192), interpolation=cv2.INTER_CUBIC)[..., None] for frame in street]
    rows += [row for index, frame in enumerate(large) for row in fills(np.asarray(frame, np.uint8), 8 + index)]
    draw(rows)


def fills(frame: Frames, index: int) -> list[list[Frames]]:
    """A close-up of one frame (H, W, C): as it is, with its hole, and filled in three ways."""
    from pagen.generate.inpaint import Telea
    from pagen.generate.inpainters import open_inpainter
    from pagen.seeds import generator

    frames, bundled = frame[None], open_inpainter("bundled")
    top, left = (int(place) for place in generator(index, "place").integers(0, np.array(frame.shape[:2]) - CLOSE_UP))
    masks = np.zeros(frames.shape[:3], np.bool_)
    masks[0, top : top + CLOSE_UP, left : left + CLOSE_UP] = drawn_hole(index)
    hole = np.where(masks[..., None], np.uint8(255), frames)
    filled = [bundled(frames, masks, generator(seed)) for seed in (0, 1)]
    pictures = (frames, hole, *filled, Telea()(frames, masks, generator(0)))
    return [[one[0, top : top + CLOSE_UP, left : left + CLOSE_UP] for one in pictures]]


def drawn_hole(index: int) -> npt.NDArray[np.bool_]:
    """An upright ellipse, as large as a walker near the camera, or a box, in the middle of the close-up."""
    from pagen.seeds import generator

    rng = generator(index, "hole")
    height, width = int(rng.integers(12, 23)), int(rng.integers(7, 14))
    canvas, middle = np.zeros((CLOSE_UP, CLOSE_UP), np.uint8), CLOSE_UP // 2
    if index % 4 == 3:
        canvas[middle - height : middle + height, middle - width : middle + width] = 1
    else:
        cv2.ellipse(canvas, (middle, middle), (width, height), float(rng.normal(0, 12)), 0, 360, 1, -1)
    return canvas.astype(np.bool_)


def draw(rows: list[list[Frames]]) -> None:
    """Two examples beside each other."""
    figure = Figure(figsize=(13, 11.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(len(rows) // 2, 2 * len(TITLES))
    for axis in axes.flat:
        axis.set_axis_off()
    for number, row in enumerate(rows):
        there = axes[number % (len(rows) // 2), len(TITLES) * (number // (len(rows) // 2)) :]
        for axis, picture, title in zip(there, row, TITLES, strict=False):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            if axis in axes[0]:
                axis.set_title(title, fontsize=9)
    figure.savefig(DOCS / "fills.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
