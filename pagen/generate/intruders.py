"""Intruders: the foreign pictures that are seen through a patch.

By name, with an option after a colon where there is one: `pictures` (those in scikit-image's own wheel, instead of
LNTRA's CIFAR-100, so that nothing is downloaded), `folder:DIR` (images of one's own), `clips` (another training clip,
frame t under frame t, so that what is seen moves too: LNTRA's variant for Ped2). They may be varied as LNTRA varies
ImageNet (flips, a random part of the picture), and in brightness and contrast.

Deviation: pixel centres stay in place when a picture is stretched (LNTRA aligns the corners).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from pagen.arrays import Frames
from pagen.errors import PagenError, require_name
from pagen.folders import fingerprint
from pagen.footage.images import read_image
from pagen.footage.listing import IMAGES, listing
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.frame_flags import SOURCES

INTRUDERS = [
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "colorwheel"),
    *("grass", "gravel", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
]
"""Pictures of skimage.data whose files lie in the installed package."""


class Intruders(Protocol):
    """A source of intruders; each has a name that a record can hold.

    Example:
        >>> intruders: Intruders = Pictures()
        >>> intruders.origin() is None, intruders.draw_start("cat", 16, np.random.default_rng(0)) is None
        (True, True)
    """

    def names(self, clip: str) -> Sequence[str]:
        """Those that may be drawn for a training clip of this name; never none."""

    def draw_start(self, name: str, length: int, rng: np.random.Generator) -> int | None:
        """The first frame of `length` that are seen of it, or None where it is a picture, which stands still."""

    def read(self, name: str, start: int | None, length: int) -> Frames:
        """Its frames, uint8 (T, h, w) or (T, h, w, C) of any size; T is 1 of a picture. Raises PagenError: no such."""

    def origin(self) -> tuple[str, str] | None:
        """The option and a fingerprint of what lies outside of pagen and of the clips; None where nothing does."""


@dataclass(frozen=True)
class Pictures:
    """The bundled pictures, with the methods of `Intruders`.

    Example:
        >>> Pictures().read("camera", None, 16).shape
        (1, 512, 512)
    """

    pictures: tuple[str, ...] = tuple(INTRUDERS)

    def names(self, clip: str) -> Sequence[str]:
        return self.pictures

    def draw_start(self, name: str, length: int, rng: np.random.Generator) -> None:
        """None: a picture stands still. Nothing is drawn."""

    def read(self, name: str, start: int | None, length: int) -> Frames:
        require_name("intruder", name, self.pictures)
        return self.picture(name)[None]

    def picture(self, name: str) -> Frames:
        """Grey (h, w) or RGB (h, w, 3)."""
        return _bundled(name)

    def origin(self) -> tuple[str, str] | None:
        """None: they come with the package."""
        return None


@dataclass(frozen=True)
class ImageFolder(Pictures):
    """The images of a folder, without those of its subfolders.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", np.zeros((4, 6), np.uint8))
        ...     ImageFolder(("a.png",), directory=Path(folder)).read("a.png", None, 16).shape
        (1, 4, 6)
    """

    directory: Path = field(kw_only=True)

    def picture(self, name: str) -> Frames:
        return read_image(self.directory / name)

    def origin(self) -> tuple[str, str]:
        """The folder, and a fingerprint of the names, sizes and bytes of its images.

        Raises PagenError: one of them cannot be decoded, which would else show in the midst of a training.
        """
        for name in self.pictures:
            self.picture(name)
        return str(self.directory), fingerprint(self.directory, [self.directory / name for name in self.pictures])


@dataclass(frozen=True)
class Clips:
    """The other training clips of the data set, with the methods of `Intruders`.

    Example:
        >>> from pagen.folders import Folder
        >>> config = {"dataset": "street", "clips": [["train_01", "train"], ["train_02", "train"]]}
        >>> Clips(Prepared(Folder(Path("street"), "prepared", config, {}))).names("train_01")
        ['train_02']
    """

    prepared: Prepared

    def names(self, clip: str) -> Sequence[str]:
        """All training clips but this one, which stands alone where there is no other."""
        return [name for name in self.prepared.stretches("train") if name != clip] or [clip]

    def draw_start(self, name: str, length: int, rng: np.random.Generator) -> int:
        """Any start from which the clip is long enough; 0 where it is too short."""
        return int(rng.integers(max(1, len(Windows(length).inside(self.prepared.length(name))))))

    def read(self, name: str, start: int | None, length: int) -> Frames:
        """Frames start .. start + length of the clip, (T, H, W, C); its last one is repeated where it is too short."""
        return self.prepared.frames(name)[Windows(length).indices(start or 0, self.prepared.length(name))]

    def origin(self) -> None:
        """None: they are the clips that the set is made of."""


Opener = Callable[[Prepared], Intruders]


def open_pictures(option: str) -> Opener:
    """The bundled pictures. Raises PagenError for an option.

    Example:
        >>> open_pictures("cats")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected intruders 'pictures' without an option, found 'pictures:cats'; leave it out
    """
    return _without_option("pictures", lambda prepared: Pictures(), option)


def open_clips(option: str) -> Opener:
    """The other training clips. Raises PagenError for an option.

    Example:
        >>> open_clips("")("prepared clips")
        Clips(prepared='prepared clips')
    """
    return _without_option("clips", Clips, option)


def _without_option(name: str, opener: Opener, option: str) -> Opener:
    if option:
        raise PagenError(f"expected intruders {name!r} without an option, found '{name}:{option}'; leave it out")
    return opener


def open_folder(option: str) -> Opener:
    """The images of a folder. Raises PagenError: no such folder, or none in it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", np.zeros((4, 6), np.uint8))
        ...     open_folder(folder)("prepared clips").names("train_01")
        ('a.png',)
    """
    directory = Path(option).expanduser().absolute()
    if not option or not directory.is_dir():
        raise PagenError(f"expected intruders 'folder:DIR' with a folder of images, found 'folder:{option}'")
    names = tuple(path.name for path in listing(directory, IMAGES))
    if not names:
        raise PagenError(
            f"expected images ({' '.join(IMAGES)}) in {directory}, found none; give the folder that holds the files"
        )
    return lambda prepared: ImageFolder(names, directory=directory)


def open_intruders(spec: str) -> Opener:
    """Intruders by `name` or `name:option`: a function that opens them for prepared clips.

    Raises PagenError: no such source, or no such option.

    Example:
        >>> open_intruders("folder:")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected intruders 'folder:DIR' with a folder of images, found 'folder:'
    """
    name, _, option = spec.partition(":")
    opener: Opener = SOURCES[name](option)
    return opener


def fit(frames: Frames, shape: tuple[int, int], channels: int, variation: int | None = None) -> Frames:
    """Pictures stretched over a frame of a shape (H, W) (bilinear): uint8 (T, H, W, channels), channels 1 or 3.

    They are uint8 (T, h, w) or (T, h, w, C), C 1 (grey) or 3 (RGB). By the seed of a `variation` all T are varied alike
    in place of that.

    Example:
        >>> fit(np.zeros((1, 2, 2, 3), np.uint8), (4, 6), channels=1).shape
        (1, 4, 6, 1)
    """
    converted = np.stack([_in_channels(frame, channels) for frame in frames])
    if variation is not None:
        return vary(converted, shape, variation)
    stretched = [cv2.resize(frame, shape[::-1], interpolation=cv2.INTER_LINEAR) for frame in converted]
    return np.stack(stretched).astype(np.uint8).reshape(-1, *shape, channels)


def vary(frames: Frames, shape: tuple[int, int], seed: int) -> Frames:
    """Flipped or not, a part of 8 to 100 % stretched over the frame, brighter or darker (albumentations' defaults).

    Takes (T, h, w, C), and gives (T, H, W, C). All are varied alike, and the same seed gives the same bytes.

    Example:
        >>> picture = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 1), np.uint8)
        >>> first, again = (vary(picture, (8, 8), seed=3) for _ in range(2))
        >>> first.shape, bool((first == again).all())
        ((1, 8, 8, 1), True)
    """
    albumentations = _albumentations()
    steps = [
        albumentations.HorizontalFlip(p=0.5),
        albumentations.VerticalFlip(p=0.5),
        albumentations.RandomResizedCrop(shape, scale=(0.08, 1.0), p=1),
        albumentations.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=1),
    ]
    pipeline = albumentations.Compose(steps)
    # `Compose(seed=...)` gives each step a stream of the same seed: both flips would happen, or neither
    pipeline.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return np.asarray(pipeline(images=frames)["images"])


@lru_cache(maxsize=1)
def _albumentations() -> Any:
    """The package, which on import asks PyPI for its newest version unless it is told not to."""
    from importlib import import_module

    name = "NO_ALBUMENTATIONS_UPDATE"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        return import_module("albumentations")
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


@lru_cache(maxsize=len(INTRUDERS))
def _bundled(name: str) -> Frames:
    import skimage.data

    picture: Frames = getattr(skimage.data, name)()
    picture.setflags(write=False)
    return picture


def _in_channels(picture: Frames, channels: int) -> Frames:
    """(h, w), (h, w, 1) or (h, w, 3) -> (h, w, channels)."""
    if channels == 1 and picture.ndim == 3 and picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return np.broadcast_to(picture.reshape(*picture.shape[:2], -1), (*picture.shape[:2], channels))
