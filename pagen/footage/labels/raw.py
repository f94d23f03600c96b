"""What a file of labels is by its bytes, whatever its name says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pagen.errors import PagenError
from pagen.footage.listing import IMAGES, VIDEOS
from pagen.texts import read_text

T = TypeVar("T")

_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(dp?\d|\(lp?\d|c(numpy|copy_reg|__builtin__|collections)|\}q\x00|\]q\x00")


def head(path: Path, length: int = 128) -> bytes:
    """The first bytes of a file. Raises PagenError when it is empty, a pickle, or cannot be opened.

    A pickle runs whatever stands in it when it is opened, so it is refused.

    Example:
        >>> import pickle, tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".json") as file:
        ...     _ = file.write(pickle.dumps([1]))
        ...     file.flush()
        ...     try:
        ...         head(Path(file.name))
        ...     except PagenError as error:
        ...         print(str(error).partition(", ")[2].partition(";")[0])
        found a pickle whatever its name says
    """
    try:
        with path.open("rb") as file:
            start = file.read(length)
    except OSError as error:
        raise PagenError(
            f"expected labels in {path}, which cannot be opened ({error.strerror}); may you read it?"
        ) from error
    if not start:
        raise PagenError(f"expected labels in {path}, found an empty file; copy it again")
    if _PICKLE.match(start):
        raise PagenError(
            f"expected labels in {path}, found a pickle whatever its name says; opening one runs what stands in it: "
            "take the data set's own labels"
        )
    return start


def text(path: Path) -> str:
    """The text of a file of labels, in UTF-8 or as its byte-order mark says.

    Raises PagenError: as `head`, or it is no text, and says what it is instead.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(b"4,0,450\\r\\n")
        ...     file.flush()
        ...     text(Path(file.name)).splitlines()
        ['4,0,450']
    """
    head(path)
    return read_text(path, "labels")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text that are not empty, without white space around them, and their numbers.

    Raises PagenError: as `text`, or nothing stands in it.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(b"a 1 2 \\r\\n\\r\\nb 3 4")
        ...     file.flush()
        ...     list(lines(Path(file.name)))
        [(1, 'a 1 2'), (3, 'b 3 4')]
    """
    numbered = [(number, line.strip()) for number, line in enumerate(text(path).splitlines(), 1) if line.strip()]
    if not numbered:
        raise PagenError(f"expected labels in {path}, found blank lines alone; copy it again")
    return iter(numbered)


def once_a_file(parse: Callable[[Path], T]) -> Callable[[Path], T]:
    """The same function, which goes through a file of all clips once, not once a clip, until the file changes.

    Example:
        >>> import tempfile
        >>> count = once_a_file(lambda path: len(text(path).splitlines()))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("a")
        ...     before = count(path)
        ...     _ = path.write_text("a\\nb")
        ...     before, count(path)
        (1, 2)
    """
    parsed = lru_cache(maxsize=4)(lambda path, stamp: parse(path))

    @wraps(parse)
    def parsed_once(path: Path) -> T:
        try:
            stat = path.stat()
        except OSError:
            return parse(path)
        return parsed(path, (stat.st_mtime_ns, stat.st_size))

    return parsed_once


def wrong_line(form: str, number: int, path: Path, line: str) -> PagenError:
    """The error for a line that is not of the form that a file is written in.

    Example:
        >>> print(wrong_line("track,frame", 3, Path("a.txt"), "nonsense"))
        expected 'track,frame' in line 3 of a.txt, found 'nonsense'; mend it, or copy the file again
    """
    shown = line if len(line) <= 80 else f"{line[:77]}..."
    return PagenError(f"expected {form!r} in line {number} of {path}, found {shown!r}; mend it, or copy the file again")


def bare(name: str) -> str:
    """A clip's name without folders, and without the extension of a video, an image or an array.

    Any other dot belongs to the name, as in XD-Violence's `Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6`.

    Example:
        >>> bare("Abuse/Abuse028_x264.mp4"), bare("Bad.Boys.1995__#01")
        ('Abuse028_x264', 'Bad.Boys.1995__#01')
    """
    stem = PurePosixPath(name.replace("\\", "/")).name
    extension = PurePosixPath(stem).suffix.lower()
    return stem[: -len(extension)] if extension in (*VIDEOS, *IMAGES, ".npy") else stem


def reason(error: Exception) -> str:
    """What a library says went wrong, in one short line.

    Example:
        >>> reason(ValueError("no\\nlabels"))
        'no labels'
    """
    return " ".join(str(error).split())[:120] or type(error).__name__
