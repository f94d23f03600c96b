"""Folders of images looked at: whether frames and masks are all there, once each, and pictures of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.footage import images
from pagen.footage.clips import FileClip
from pagen.footage.frame_names import frame_numbers, stamps_of

Shape = tuple[int, int, int]
_MANY = 100
"""How many times as many frames as there are may be missing, to be named."""


def numbering(clip: FileClip, length: int | None) -> Iterator[str]:
    """Frames that are missing, too many, or there twice, by the numbers in their names; `length` where it is known.

    Numbers that are times (`stamps_of`) count nothing.

    Example:
        >>> clip = FileClip("train_a", "train", Path("a"), False, (Path("a/1.png"), Path("a/3.png")), None, None)
        >>> next(numbering(clip, 3))
        'expected 3 frames numbered from 1 without gaps in a, found 2; missing: 2'
    """
    numbers, first = frame_numbers(clip.files), clip.part.first
    if numbers is None or (first is None and stamps_of(clip.files)):
        if length not in (None, len(clip.files)):
            yield f"expected {length} frames in {clip.path}, found {len(clip.files)}"
        return
    steps = [after - before for before, after in pairwise(numbers) if after > before]
    step = 1 if first is not None else min(steps, default=1)
    start = min(numbers) if first is None else first
    expected = range(start, max(numbers) + 1, step) if length is None else range(start, start + length)
    frames = f"{len(expected)} frames numbered from {start} without gaps in {clip.path}"
    if len(expected) > _MANY * len(numbers):  # too many to be named one by one
        yield f"expected {frames}, found {len(numbers)} up to {max(numbers)}; are they numbers of frames?"
    elif numbers != list(expected):
        yield f"expected {frames}, found {len(numbers)}{difference(numbers, expected)}"


def pictures(clip: FileClip, whole: bool) -> Iterator[str]:
    """Images that are none, or of mixed sizes; masks that do not fit the frames. Decoded where `whole` is asked for.

    Example:
        >>> list(pictures(FileClip("train_a", "train", Path("a"), False, (), None, None), whole=True))
        []
    """
    shapes, errors = _shapes(clip.files, whole)
    yield from _summed(errors)
    if len({shape[:2] for shape in shapes}) > 1:
        yield f"expected frames of one size in {clip.path}, found {_shown(shapes)}"
    elif len(shapes) > 1:
        yield f"expected frames all grey or all in colour in {clip.path}, found both; convert them alike"
    if clip.mask_files is None or clip.mask_kind != "images":
        return
    if len(clip.mask_files) != len(clip.files):
        yield f"expected {len(clip.files)} masks, one a frame, found {len(clip.mask_files)}"
    mask_shapes, errors = _shapes(clip.mask_files, whole)
    yield from _summed(errors)
    if mask_shapes and shapes and {shape[:2] for shape in mask_shapes} != {shape[:2] for shape in shapes}:
        folder = clip.mask_files[0].parent
        yield f"expected masks of the frames' size {_shown(shapes)} in {folder}, found {_shown(mask_shapes)}"


def _shapes(files: Iterable[Path], whole: bool) -> tuple[set[Shape], list[str]]:
    """The shapes of the images, and what is wrong with those that have none."""
    shapes, errors = set[Shape](), []
    for path in files:
        try:
            shapes.add(images.image_shape(path, whole))
        except PagenError as error:
            errors.append(str(error))
    return shapes, errors


def _summed(errors: Sequence[str]) -> list[str]:
    """The first of a clip's errors, and how many more there are."""
    return [errors[0] + (f" (and {len(errors) - 1} more files of this clip)" if errors[1:] else "")] if errors else []


def difference(items: Sequence[Any], expected: Sequence[Any]) -> str:
    """What is missing, not expected, and there more than once, as the end of a line; empty where nothing is.

    Example:
        >>> difference([1, 2, 2], [1, 3])
        '; missing: 3; not expected: 2; more than once: 2'
    """
    counts = Counter(items)
    parts = {
        "missing": [item for item in expected if item not in counts],
        "not expected": [item for item in counts if item not in set(expected)],
        "more than once": [item for item, count in counts.items() if count > 1],
    }
    return "".join(f"; {what}: {few(part)}" for what, part in parts.items() if part)


def few(items: Sequence[Any]) -> str:
    """The first five of several, and how many more there are.

    Example:
        >>> few("abcdefg")
        'a, b, c, d, e and 2 more'
    """
    return ", ".join(str(item) for item in items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")


def _shown(shapes: Iterable[Shape]) -> str:
    return " and ".join(f"{height}x{width}" for height, width in sorted({shape[:2] for shape in shapes}))
