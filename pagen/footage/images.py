"""Image files to frames and masks, one in memory at a time.

Pillow decodes: the pixels are OpenCV's, but that hands out grey rubbish for a file that was cut short, where Pillow
raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError
from pagen.footage.jpeg import jpeg_shape
from pagen.footage.listing import refuse_stub

if TYPE_CHECKING:
    from pagen.arrays import Frames, Masks

_GREY = ("1", "L", "LA")
"""Pillow's modes of grey images."""
_LOSSY = ("JPEG", "MPO", "WEBP")
WHITE = 128
"""The grey level from which on a pixel of a mask is white, where the format makes others of black."""
_END = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}


def image_size(path: Path) -> tuple[int, int]:
    """(H, W) of an image file, read from its head.

    Raises PagenError: a git-LFS pointer, empty, cut short (where that shows without decoding), or no image.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((48, 64), "uint8"))
        ...     image_size(Path(folder, "a.png"))
        (48, 64)
    """
    return image_shape(path)[:2]


def image_shape(path: Path, whole: bool = False) -> tuple[int, int, int]:
    """(H, W, 1 or 3) of an image file, read from its head, or decoded where `whole` is asked for.

    Raises PagenError: as `image_size`; decoded, as `read_image`.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((48, 64), "uint8"))
        ...     image_shape(Path(folder, "a.png"), whole=True)
        (48, 64, 1)
    """
    if shape := jpeg_shape(path, whole):
        return shape
    if whole:
        frame = read_image(path)
        return frame.shape[0], frame.shape[1], 1 if frame.ndim == 2 else 3
    with _image(path) as image:
        return image.height, image.width, 1 if image.mode in _GREY else 3


def read_image(path: Path) -> Frames:
    """An image file as uint8: (H, W) where it is grey, else (H, W, 3) RGB.

    Raises PagenError: as `image_size`, cut short anywhere, or deeper than 8 bits a channel.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.full((1, 2), 7, "uint8"))
        ...     read_image(Path(folder, "a.png")).tolist()
        [[7, 7]]
    """
    with _image(path) as image:
        return _decoded(image, path)


def _decoded(image: Any, path: Path) -> Frames:
    import numpy as np

    if image.mode.startswith(("I", "F")):
        raise PagenError(f"expected 8 bits a channel in {path}, found mode {image.mode}; convert the images first")
    return np.array(image.convert("L" if image.mode in _GREY else "RGB"))


def image_frames(files: Sequence[Path]) -> Iterator[Frames]:
    """The frames of an image sequence. Raises PagenError when their sizes or colours are mixed.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.zeros((4, 6, 3), "uint8"))
        ...     [frame.shape for frame in image_frames([Path(folder, "a.png")] * 2)]
        [(4, 6, 3), (4, 6, 3)]
    """
    shape = None
    for path in files:
        frame = read_image(path)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise PagenError(
                f"expected frames of shape {shape} as in {files[0]}, found {frame.shape} in {path}; of another clip?"
            )
        yield frame


def mask_frames(files: Sequence[Path]) -> Iterator[Masks]:
    """The masks (H, W) of an image sequence: True where a pixel is not black, in JPEG where it is nearer to white.

    What JPEG leaves around an edge is no mask. Transparent pixels are none; where all that shows is of one colour, the
    mask is what is opaque. Raises PagenError: as `read_image`, several sizes, or JPEG in which nothing is near white.

    Example:
        >>> import tempfile, cv2, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/a.png", numpy.array([[0, 255]], "uint8"))
        ...     next(mask_frames([Path(folder, "a.png")])).tolist()
        [[False, True]]
    """
    shape, brightest = None, (0, Path())
    for path in files:
        grey, lossy = _mask_grey(path)
        shape = shape or grey.shape
        if grey.shape != shape:
            raise PagenError(
                f"expected frames of shape {shape} as in {files[0]}, found {grey.shape} in {path}; of another clip?"
            )
        brightest = max(brightest, (int(grey.max(initial=0)) if lossy else WHITE, path))
        yield grey >= WHITE if lossy else grey > 0
    if 0 < brightest[0] < WHITE:
        found = f"nothing brighter than {brightest[0]} in {brightest[1]}"
        raise PagenError(f"expected masks of black and white in JPEG, found {found}; save them as PNG")


def _mask_grey(path: Path) -> tuple[Frames, bool]:
    """The brightest channel (H, W) of a mask, black where it is transparent, and whether its format loses."""
    import numpy as np

    with _image(path) as image:
        lossy = image.format in _LOSSY
        if not image.has_transparency_data:
            frame = _decoded(image, path)
            return (frame if frame.ndim == 2 else frame.max(axis=2)), lossy
        *colours, alpha = np.moveaxis(np.array(image.convert("RGBA")), 2, 0)
    shown: Frames = np.max(colours, axis=0)
    if alpha.min(initial=255) < 255 and shown.min() == shown.max():
        return alpha, lossy
    return np.where(alpha > 0, shown, 0).astype(np.uint8), lossy


def of_size(masks: Iterable[Masks], size: tuple[int, ...], path: Path) -> Iterator[Masks]:
    """The masks as they come. Raises PagenError at one whose size is not (H, W), that of the frames.

    Example:
        >>> import numpy
        >>> [mask.shape for mask in of_size([numpy.zeros((2, 3), bool)], (2, 3), Path("masks"))]
        [(2, 3)]
    """
    for mask in masks:
        if mask.shape != size:
            frames, found = (f"{height}x{width}" for height, width in (size, mask.shape))
            raise PagenError(f"expected masks of the frames' size {frames} in {path}, found {found}; of another clip?")
        yield mask


@contextmanager
def _image(path: Path) -> Iterator[Any]:
    from PIL import Image

    refuse_stub(path)
    try:
        with warnings.catch_warnings(action="error"), Image.open(path) as image:  # of a cut TIFF Pillow only warns
            if not _ends(path, image):
                raise OSError("its end is missing")
            yield image
    except PagenError:
        raise
    except Exception as error:  # Pillow's readers let through whatever a damaged file leads them to
        raise PagenError(
            f"expected an image in {path}, found it cut short or damaged ({_reason(error)}); copy it again"
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def _ends(path: Path, image: Any) -> bool:
    """Whether the file reaches as far as its format says."""
    size = path.stat().st_size
    if image.format == "TIFF":
        tags = image.tag_v2
        return all(start + count <= size for start, count in zip(tags.get(273, ()), tags.get(279, ()), strict=False))
    with open(path, "rb") as file:
        file.seek(max(0, size - 1024))
        return _END.get(image.format, b"") in file.read()
