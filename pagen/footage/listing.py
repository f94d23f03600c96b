"""Which files of a folder are looked at: images and videos by extension, in numerical order; and which are not.

Hidden files, backups (`._x`, `x~`) and second copies (`007 (1).jpg` beside a `007.jpg` of the same bytes) are passed
over. What else lies in a folder and is not read is told (`unread`), and so are the copies.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pagen.errors import PagenError

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".jpe", ".jfif", ".jp2", ".pgm", ".ppm", ".pnm")
"""Extensions of images that Pillow reads."""
VIDEOS = (
    *(".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg"),
    *(".ts", ".m2ts", ".mts", ".m2t", ".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".vob", ".mxf", ".dav"),
)
"""Extensions of videos that PyAV reads."""
_RUNS = re.compile(r"(\d+)")
_COPY = re.compile(r"(.+?)(?: \(\d+\)| - copy(?: \(\d+\))?| copy(?: \d+)?)(\.[^.]*)?", re.IGNORECASE)
"""What Windows, macOS and browsers call a second copy: a name, a mark, an extension."""


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
    names = [name for name in entries(folder) if name.lower().endswith(tuple(extensions))]
    stems = [name.rpartition(".")[0] for name in names]
    padded = len({len(stem) for stem in stems}) < 2 and all(map(str.isdecimal, stems))  # which is much faster to sort
    return tuple(folder / name for name in (sorted(names) if padded else sorted(names, key=_natural)))


def entries(folder: Path) -> list[str]:
    """Names in a folder, in any order, without what is passed over: hidden files, backups, second copies.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("7.png", "7 (1).png", "8.png~", ".8.png"):
        ...         _ = Path(folder, name).write_text("the same")
        ...     entries(Path(folder))
        ['7.png']
    """
    names = _shown(folder)
    copies = {
        name for name, first in beside(names).items() if filecmp.cmp(folder / name, folder / first, shallow=False)
    }
    return [name for name in names if name not in copies] if copies else names


def beside(names: Collection[str]) -> dict[str, str]:
    """The name of what looks like a second copy -> that of the file beside it that it may be one of.

    Where all names of a folder are such copies of one, they are a series.

    Example:
        >>> beside(["007.jpg", "007 (1).jpg", "008.jpg", "009 (1).jpg"]), beside(["a.jpg", "a (1).jpg", "a (2).jpg"])
        ({'007 (1).jpg': '007.jpg'}, {})
    """
    there = set(names)
    marked = [(name, _COPY.fullmatch(name)) for name in names if " " in name]
    pairs = {name: match[1] + (match[2] or "") for name, match in marked if match}
    pairs = {name: first for name, first in pairs.items() if first in there}
    is_series = len(pairs) > 1 and len(pairs) == len(names) - 1 and len(set(pairs.values())) == 1
    return {} if is_series else pairs


def unread(folder: Path, read: Collection[str]) -> list[Path]:
    """What lies in a folder, hidden files and backups aside, and is none of the names that are read, in order.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("1.png", "2.xcf", "._2.png"):
        ...         Path(folder, name).touch()
        ...     [path.name for path in unread(Path(folder), {"1.png"})]
        ['2.xcf']
    """
    return [folder / name for name in sorted(set(_shown(folder)) - set(read), key=_natural)]


def counted(paths: Sequence[Path], below: Path) -> str:
    """How many paths there are of each kind, and the first of it, as it is seen from the folder `below`.

    Example:
        >>> counted([Path("a/2.XCF"), Path("a/10.xcf"), Path("a/README")], Path("a"))
        '2 .xcf (2.XCF), 1 without an extension (README)'
    """
    kinds, first = Counter(map(_kind, paths)), {_kind(path): path for path in reversed(paths)}
    return ", ".join(f"{count} {kind} ({os.path.relpath(first[kind], below)})" for kind, count in kinds.items())


def _shown(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name[0] != "." and name[-1] != "~"]


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else path.suffix.lower() or "without an extension"


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
