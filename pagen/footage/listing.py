"""Which files a folder holds: images and videos by extension, in numerical order, and whether a file is one at all."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from pagen.errors import PagenError

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg")
_RUNS = re.compile(r"(\d+)")


def natural(path: Path) -> list[str | int]:
    """Sorting key by which 2.jpg comes before 10.jpg.

    Example:
        >>> [path.name for path in sorted([Path("10.jpg"), Path("2.jpg")], key=natural)]
        ['2.jpg', '10.jpg']
    """
    return _natural(path.name)


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part.lower() for part in _RUNS.split(name)]


def listing(folder: Path, extensions: Sequence[str]) -> tuple[Path, ...]:
    """The files of these extensions in numerical order; hidden files and backups (`._x`, `x~`) are passed over.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("10.png", "2.png", "._2.png", "notes.txt"):
        ...         Path(folder, name).touch()
        ...     [path.name for path in listing(Path(folder), IMAGES)]
        ['2.png', '10.png']
    """
    names = [name for name in os.listdir(folder) if name.lower().endswith(tuple(extensions)) and name[0] != "."]
    stems = [name.rpartition(".")[0] for name in names]
    padded = len({len(stem) for stem in stems}) < 2 and all(map(str.isdecimal, stems))  # which is much faster to sort
    return tuple(folder / name for name in (sorted(names) if padded else sorted(names, key=_natural)))


def refuse_stub(path: Path) -> None:
    """Raise PagenError when the file is empty, or stands for another that git-LFS has not fetched.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     try:
        ...         refuse_stub(Path(file.name))
        ...     except PagenError as error:
        ...         print(str(error).partition(", ")[2])
        found an empty file; copy it again
    """
    size = path.stat().st_size
    if size == 0:
        raise PagenError(f"expected frames in {path}, found an empty file; copy it again")
    if size < 1024 and path.read_bytes().startswith(b"version https://git-lfs"):
        raise PagenError(f"expected frames in {path}, found a git-LFS pointer; run 'git lfs pull' where it came from")
