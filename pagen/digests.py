"""SHA-256 of files that are read time and again: a process reads a file once, and again when it has changed.

The time of the last change does not tell, since programs set it. What the system keeps for itself does (`ctime`, and
the inode), but for a change right after another one: what has just been written is read every time.
"""

from __future__ import annotations

import functools
import hashlib
import time
from pathlib import Path

_SETTLED = 2 * 10**9
"""Nanoseconds after which a further change shows, whatever the clock of a file system."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a")
        ...     _ = path.write_text("1")
        ...     before = sha256_of(path)
        ...     _ = path.write_text("2")
        ...     before == sha256_of(path)
        False
    """
    stamp = stamp_of(path)
    return _remembered(path, *stamp) if settled(stamp, time.time_ns()) else _read(path)


def stamp_of(path: Path) -> list[int]:
    """What the system says of a file, which is another when its bytes are: inode, size, and when each last changed."""
    stat = path.stat()
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def settled(stamp: list[int], now: int) -> bool:
    """Whether a change from now on (nanoseconds since 1970) would show in the stamp.

    Example:
        >>> settled([1, 1, 0, 10**9], now=2 * 10**9), settled([1, 1, 0, 10**9], now=9 * 10**9)
        (False, True)
    """
    return now - stamp[-1] > _SETTLED


@functools.lru_cache(maxsize=1 << 17)
def _remembered(path: Path, *stamp: int) -> str:
    return _read(path)


def _read(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
