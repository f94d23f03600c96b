"""Locks that end with the process that holds them: they tell what is being written from what a killed process left.

Where a system or a file system knows no such locks, nobody waits for anybody, and nothing counts as held.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One at a time, of those who lock this file or folder, is inside; whoever comes later waits.

    Example:
        >>> with locked(Path(".")):
        ...     os.getpid() > 0
        True
    """
    descriptor = _locked(path, os.O_RDONLY)
    try:
        yield
    finally:
        _close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A new file, which `unless_held` leaves alone until the block ends or the process does.

    It is empty and of the year 1970 as long as nobody writes to it. Where there are no locks, it may be missing.
    """
    descriptor = _locked(path, os.O_RDWR | os.O_CREAT)
    while descriptor is not None and not path.exists():  # it was taken for a dead one before it was locked
        _close(descriptor)
        descriptor = _locked(path, os.O_RDWR | os.O_CREAT)
    if path.exists():
        os.utime(path, ns=(0, 0))
    try:
        yield
    finally:
        _close(descriptor)


def require_written(file: IO[Any]) -> None:
    """Raise FileNotFoundError for a file that is as `held` made it."""
    if not os.fstat(file.fileno()).st_mtime_ns:
        raise FileNotFoundError(errno.ENOENT, "nothing was written", file.name)


@contextmanager
def unless_held(path: Path) -> Iterator[bool]:
    """Whether nobody holds this file or folder; while the block runs, nobody begins to."""
    try:
        descriptor = _locked(path, os.O_RDONLY, wait=False)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        _close(descriptor)


def _locked(path: Path, mode: int, wait: bool = True) -> int | None:
    """A locked descriptor; None where there are no locks. Raises BlockingIOError where it is not to wait."""
    if sys.platform == "win32":  # which does not even let a file be moved that is open
        return None
    descriptor = os.open(path, mode, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:  # a file system without them
        os.close(descriptor)
        return None
    return descriptor


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
