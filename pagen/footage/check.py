"""Whether located footage is whole: every missing or odd thing, one line each."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.footage import decode
from pagen.footage.catalogue import NAMED, Layout
from pagen.footage.clips import SPLITS, FileClip, Footage, without_suffix
from pagen.registry import resolve

_RATE_TOLERANCE = 0.05


def check(footage: Footage, decode_all: bool = False) -> list[str]:
    """Every missing or odd thing of a data set, one line each; of a mixed split, of the footage as it was found.

    With `decode_all` every frame and mask is decoded too; else only the heads of the files are read.

    Example:
        >>> from pagen.footage.locate import locate
        >>> check(locate("street"))
        []
    """
    footage = footage.mixed_from or footage
    clips = [clip for clip in footage.clips if isinstance(clip, FileClip)]
    if not clips:
        return []
    layout = next(layout for layout in footage.dataset.layouts if layout.name == footage.layout)
    problems = [*_clip_names(footage, clips)]
    for clip in clips:
        problems += [f"{clip.name}: {problem}" for problem in _clip_problems(footage, layout, clip, decode_all)]
    return [*problems, *_rates(clips), *_labels(footage, clips, decode_all)]


def require(footage: Footage) -> None:
    """Raise PagenError with the first problem that shows without decoding, and how many more there are.

    Example:
        >>> from pagen.footage.locate import locate
        >>> require(locate("street"))
    """
    if problems := check(footage):
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        raise PagenError(f"{footage.name}: {problems[0]}{more}; 'pagen datasets check {footage.name}' lists all")


def _clip_names(footage: Footage, clips: Sequence[FileClip]) -> Iterator[str]:
    """Clips that are missing, not known, or there twice."""
    for split in SPLITS:
        names = [clip.name for clip in clips if clip.split == split]
        expected = [f"{split}_{number:02d}" for number, _ in enumerate(_expected(footage, split), 1)]
        if expected and set(names) != set(expected):
            difference = _difference(names, expected)
            yield f"expected {len(expected)} {split} clips in {footage.root}, found {len(set(names))}{difference}"
    for name, count in Counter(clip.name for clip in clips).items():
        if count > 1:
            paths = ", ".join(str(clip.path) for clip in clips if clip.name == name)
            yield f"expected one clip of the name {name}, found {count}: {paths}; rename or remove all but one"


def _clip_problems(footage: Footage, layout: Layout, clip: FileClip, decode_all: bool) -> Iterator[str]:
    if clip.video:
        if error := _error(decode.video_rate, clip.path):
            yield error
    elif not clip.files:
        yield f"expected frames ({' '.join(layout.images)}) in {clip.path}, found none"
    else:
        lengths = enumerate(_expected(footage, clip.split), 1)
        expected = {f"{clip.split}_{number:02d}": length for number, length in lengths}
        yield from _numbering(clip, layout.first, expected.get(clip.name))
        yield from _pictures(clip)
    if decode_all:
        for read in (clip.frames, clip.masks):
            if error := _error(deque, read() or (), 0):  # which goes through all and keeps nothing
                yield error


def _expected(footage: Footage, split: str) -> tuple[int, ...]:
    return footage.dataset.train if split == "train" else footage.dataset.test


def _numbering(clip: FileClip, first: int | None, length: int | None) -> Iterator[str]:
    """Frames that are missing, too many, or there twice, by the numbers in their names."""
    numbers = frame_numbers(clip.files)
    if numbers is None:
        if length not in (None, len(clip.files)):
            yield f"expected {length} frames in {clip.path}, found {len(clip.files)}"
        return
    steps = [after - before for before, after in pairwise(numbers) if after > before]
    step = 1 if first is not None else min(steps, default=1)
    start = min(numbers) if first is None else first
    expected = list(range(start, max(numbers) + 1, step) if length is None else range(start, start + length))
    if numbers != expected:
        frames = f"{len(expected)} frames numbered from {start} without gaps in {clip.path}"
        yield f"expected {frames}, found {len(numbers)}{_difference(numbers, expected)}"


def frame_numbers(files: Sequence[Path]) -> list[int] | None:
    """The number in each name that counts the frames, or None when no number of the names does.

    Example:
        >>> frame_numbers([Path("cam2_008.jpg"), Path("cam2_009.jpg")])
        [8, 9]
    """
    numbers = [re.findall(r"\d+", path.stem) for path in files]
    if not numbers[0] or len({len(run) for run in numbers}) > 1:
        return None
    columns = [[int(number) for number in column] for column in zip(*numbers, strict=True)]
    counting = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    return counting[0] if len(counting) == 1 else None


def _pictures(clip: FileClip) -> Iterator[str]:
    """Images that are no images, or of mixed sizes; masks that do not fit the frames."""
    sizes, errors = _heads(clip.files)
    yield from _summed(errors)
    if len(sizes) > 1:
        yield f"expected frames of one size in {clip.path}, found {_shown(sizes)}"
    if clip.mask_files is None:
        return
    if len(clip.mask_files) != len(clip.files):
        yield f"expected {len(clip.files)} masks, one a frame, found {len(clip.mask_files)}"
    mask_sizes, errors = _heads(clip.mask_files)
    yield from _summed(errors)
    if mask_sizes and sizes and set(mask_sizes) != set(sizes):
        folder = clip.mask_files[0].parent
        yield f"expected masks of the frames' size {_shown(sizes)} in {folder}, found {_shown(mask_sizes)}"


def _heads(files: Iterable[Path]) -> tuple[Counter[tuple[int, int]], list[str]]:
    """The sizes (H, W) of the images, and what is wrong with those that have none."""
    sizes: Counter[tuple[int, int]] = Counter()
    errors = []
    for path in files:
        try:
            sizes[decode.image_size(path)] += 1
        except PagenError as error:
            errors.append(str(error))
    return sizes, errors


def _rates(clips: Sequence[FileClip]) -> Iterator[str]:
    """Videos of different frame rates; a window would last longer in some than in others."""
    videos = [clip for clip in clips if clip.video and not _error(decode.video_rate, clip.path)]
    rates = {clip.name: decode.video_rate(clip.path) for clip in videos}
    if rates and max(rates.values()) > min(rates.values()) * (1 + _RATE_TOLERANCE):
        slow, fast = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
        yield (
            f"expected videos of one frame rate, found {rates[slow]:.4g} ({slow}) and {rates[fast]:.4g} ({fast}) "
            "frames per second; encode them alike"
        )


def _labels(footage: Footage, clips: Sequence[FileClip], decode_all: bool) -> Iterator[str]:
    """Labels that are missing, do not fit their clips, or are of another edition."""
    tests = [clip for clip in clips if clip.split == "test"]
    expected = footage.dataset.abnormal
    without = [clip.name for clip in tests if clip.label is None]
    if expected is not None and without:
        yield f"expected labels of all test clips, found none for {_few(without)}"
    yield from _strangers(clips)
    readable = [clip for clip in clips if clip.label and (decode_all or not (clip.video or clip.label.kind == "masks"))]
    errors = [f"{clip.name}: {error}" for clip in readable if (error := _error(clip.labels))]
    yield from errors
    if expected is not None and len(readable) == len(footage.dataset.test) and not errors:
        abnormal = sum(int(marks.sum()) for clip in readable if (marks := clip.labels()) is not None)
        if abnormal != expected:
            yield f"expected {expected} abnormal test frames, found {abnormal} ({footage.label_edition}); an old file?"


def _strangers(clips: Sequence[FileClip]) -> Iterator[str]:
    """Clips that a label file names and that are not there; a slip of the pen would leave a clip unlabelled."""
    clip_names = {clip.label.key for clip in clips if clip.label}
    for kind, path in sorted({(clip.label.kind, clip.label.path) for clip in clips if clip.label}):
        names_in = resolve(NAMED[kind]) if kind in NAMED else None
        if names_in and not _error(names_in, path):
            strange = [name for name in names_in(path) if not clip_names & {name, without_suffix(name)}]
            if strange:
                found = f"{_few(strange)}, of which there is no clip; mend the name, or leave it out"
                yield f"expected labels of clips that are there in {path}, found {found}"


def _error(read: Callable[..., object], *args: object) -> str | None:
    """The message of the PagenError that reading raises, if it does."""
    try:
        read(*args)
    except PagenError as error:
        return str(error)
    return None


def _summed(errors: Sequence[str]) -> list[str]:
    """The first of a clip's errors, and how many more there are."""
    return [errors[0] + (f" (and {len(errors) - 1} more files of this clip)" if errors[1:] else "")] if errors else []


def _difference(items: Sequence[Any], expected: Sequence[Any]) -> str:
    counts = Counter(items)
    parts = {
        "missing": [item for item in expected if item not in counts],
        "not expected": [item for item in counts if item not in set(expected)],
        "more than once": [item for item, count in counts.items() if count > 1],
    }
    return "".join(f"; {what}: {_few(part)}" for what, part in parts.items() if part)


def _few(items: Sequence[Any]) -> str:
    return ", ".join(str(item) for item in items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")


def _shown(sizes: Iterable[tuple[int, int]]) -> str:
    return " and ".join(f"{height}x{width}" for height, width in sorted(sizes))
