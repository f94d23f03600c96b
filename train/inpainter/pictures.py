"""What the bundled inpainter learns from: crops of pictures that leave its weights free to share.

scikit-image's pictures, the first 600 frames of `vtest.avi` (a fixed camera over a walkway, part of
OpenCV's samples; the rest is held out), pagen's own street, and textures made here. No frames of UCSD
or of any other data set of this field. Crops are varied in scale, aspect, colour, light, noise and JPEG quality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from pagen.footage.street.scene import scenes
from pagen.footage.video import video_frames

Image = npt.NDArray[np.uint8]
Draw = Callable[[np.random.Generator], Image]
Draws = Sequence[tuple[float, Draw]]
"""Weight and draw function of every source."""

SIDE = 64
TRAINING_FRAMES = 600
PICTURES = (
    "astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins", "grass", "gravel", "hubble_deep_field",
    "motorcycle", "page", "rocket",
)  # fmt: skip
STREET_SEED = 1_000


@dataclass(frozen=True)
class Source:
    """Images of one kind; a crop is cut around a moving pixel in half of the draws, where something moves.

    Attributes:
        images: RGB uint8 (H, W, 3) each.
        moving: for each image the pixels (N, 2), row and column, that move; empty for still pictures.
        zoom: least and most source pixels to one of the crop.
    """

    images: Sequence[Image]
    moving: Sequence[npt.NDArray[np.int64]]
    zoom: tuple[float, float]

    def draw(self, rng: np.random.Generator) -> Image:
        """A crop, uint8 (64, 64, 3)."""
        number = int(rng.integers(len(self.images)))
        image, moving = self.images[number], self.moving[number]
        zoom = np.exp(rng.uniform(*np.log(self.zoom)))
        aspect = np.exp(rng.uniform(-0.2, 0.2))
        sides = zip((aspect, 1 / aspect), image.shape, strict=False)
        height, width = (min(round(SIDE * zoom * share), most) for share, most in sides)
        top, left = rng.integers(0, image.shape[0] - height + 1), rng.integers(0, image.shape[1] - width + 1)
        if len(moving) and rng.random() < 0.5:
            row, column = moving[rng.integers(len(moving))] - (rng.uniform(0.2, 0.8, 2) * (height, width)).astype(int)
            top, left = np.clip(row, 0, image.shape[0] - height), np.clip(column, 0, image.shape[1] - width)
        crop = image[top : top + height, left : left + width]
        way = cv2.INTER_AREA if min(height, width) >= SIDE else cv2.INTER_CUBIC
        return cv2.resize(crop, (SIDE, SIDE), interpolation=way).astype(np.uint8)


def sources(vtest: Path) -> Draws:
    """Weight and draw function of every source. Raises PagenError: `vtest.avi` is not there or not readable."""
    return [(0.4, _vtest(vtest).draw), (0.3, _pictures().draw), (0.12, _street().draw), (0.18, texture)]


def crops(draws: Draws, count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Varied crops, float32 (count, 3, 64, 64) in [-1, 1]."""
    weights = np.array([weight for weight, _ in draws])
    chosen = rng.choice(len(draws), size=count, p=weights / weights.sum())
    varied = np.stack([vary(draws[source][1](rng), rng) for source in chosen])
    return np.ascontiguousarray(varied.transpose(0, 3, 1, 2), np.float32) / 127.5 - 1


def vary(crop: Image, rng: np.random.Generator) -> Image:
    """Mirror, grey in a third of the draws and tinted in the others, contrast, light, noise and JPEG."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 1 / 3:
        tint = np.ones(3)
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)
    else:
        tint = rng.uniform(0.7, 1.3, 3)
    mean = crop.mean()
    light = ((crop - mean) * rng.uniform(0.6, 1.4) + mean) * tint + rng.uniform(-40, 40)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 5), crop.shape[:2])
        light = light + noise[..., None]
    varied: Image = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        _, coded = cv2.imencode(".jpg", varied, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return varied


def hole(rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """A hole in a crop, bool (64, 64): an upright shape as of a person, strokes, or a box; 3 to 45 % of the crop."""
    shapes = (_figure, _figure, _strokes, _box)
    while True:
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        shapes[int(rng.integers(len(shapes)))](canvas, rng)
        if 0.03 <= canvas.mean() <= 0.45:
            return canvas.astype(np.bool_)


def _figure(canvas: Image, rng: np.random.Generator) -> None:
    """Ellipses about one another's place, higher than wide as a rule."""
    centre = rng.uniform(16, 48, 2)
    size = rng.uniform(6, 16)
    for _ in range(int(rng.integers(1, 5))):
        x, y = centre + rng.normal(0, size / 2.5, 2) * (0.6, 1.2)
        axes = round(float(size * rng.uniform(0.4, 1))), round(float(size * rng.uniform(0.6, 1.6)))
        cv2.ellipse(canvas, (round(float(x)), round(float(y))), axes, float(rng.normal(0, 15)), 0, 360, 1, -1)


def _strokes(canvas: Image, rng: np.random.Generator) -> None:
    points = rng.integers(4, SIDE - 4, (int(rng.integers(2, 6)), 1, 2)).astype(np.int32)
    cv2.polylines(canvas, [points], False, 1, int(rng.integers(4, 18)))


def _box(canvas: Image, rng: np.random.Generator) -> None:
    height, width = rng.integers(10, 44, 2)
    top, left = rng.integers(2, SIDE - 2 - height), rng.integers(2, SIDE - 2 - width)
    canvas[top : top + height, left : left + width] = 1


def texture(rng: np.random.Generator) -> Image:
    """A texture out of nothing: coloured noise of some roughness, ruled or tiled, or two of them and an edge."""
    first = _surface(rng)
    if rng.random() < 0.5:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-16, 16)
        rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
        side = np.cos(angle) * columns + np.sin(angle) * rows > offset
        first = np.where(side[..., None], first, _surface(rng))
    return np.clip(first, 0, 255).astype(np.uint8)


def _surface(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise with a spectrum 1 / f^a round one colour, and on top of it stripes or tiles in half of the draws."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)) + 1 / SIDE
    spectrum = np.fft.rfft2(rng.normal(size=(SIDE, SIDE))) / frequency ** rng.uniform(0.3, 2)
    noise = np.fft.irfft2(spectrum, (SIDE, SIDE))
    grey = rng.uniform(4, 30) * (noise - noise.mean()) / noise.std()
    if rng.random() < 0.5:
        grey = grey * 0.5 + rng.uniform(10, 50) * _ruled(rng)
    tint = rng.uniform(0.7, 1.3, 3)
    return np.asarray(grey[..., None] * tint + rng.uniform(40, 215) + rng.normal(0, 15, 3), np.float64)


def _ruled(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Dark joints along one direction, or along two as between tiles, in [-1, 0]."""
    angle, period, joint = rng.uniform(0, np.pi), rng.uniform(6, 24), rng.uniform(0.1, 0.5)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    ruled = np.zeros((SIDE, SIDE), np.bool_)
    for turn in range(int(rng.integers(1, 3))):
        along = np.cos(angle + turn * np.pi / 2) * columns + np.sin(angle + turn * np.pi / 2) * rows
        ruled |= (along / period + rng.random()) % 1 < joint
    return -ruled.astype(np.float64)


def _vtest(path: Path) -> Source:
    frames = [frame for number, frame in enumerate(video_frames(path)) if number < TRAINING_FRAMES and number % 3 == 0]
    still = np.median(np.stack(frames[::5]), axis=0)
    moving = [np.argwhere(np.abs(frame - still).max(axis=2) > 40) for frame in frames]
    return Source(frames, moving, (0.9, 3.5))


def _still(images: Sequence[Image], zoom: tuple[float, float]) -> Source:
    colours = [image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2) for image in images]
    pictures = [np.ascontiguousarray(image[..., :3]) for image in colours]
    return Source(pictures, [np.zeros((0, 2), np.int64)] * len(pictures), zoom)


def _pictures() -> Source:
    loaded = [np.asarray(getattr(skimage.data, name)()) for name in PICTURES if name != "motorcycle"]
    return _still([*loaded, *skimage.data.stereo_motorcycle()[:2]], (0.8, 4))


def _street() -> Source:
    stages = [scene.stage() for scene in scenes(STREET_SEED, train=6, test=0, frames=60)]
    return _still([stage.frame(index) for stage in stages for index in range(0, 60, 6)], (0.4, 1.2))
