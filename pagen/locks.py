"""Locks that end with the process that holds them: they tell what is being written from what a killed process left.

Where a system or a file system knows no such locks, nobody waits for anybody, and nothing counts as held.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from pagen.errors import PagenError

if sys.platform != "win32":
    import fcntl

WRITER = ".tmp-writer"
"""What lies in a folder as long as somebody is `alone` in it."""


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
def held(path: Path, wait: bool = True) -> Iterator[None]:
    """A file, new or of a dead process, which `unless_held` leaves alone until the block ends or the process does.

    It is empty and of the year 1970 as long as nobody writes to it. Where there are no locks, it may be missing.
    Raises BlockingIOError where somebody else holds it, and it is not to wait.
    """
    descriptor = _locked(path, os.O_RDWR | os.O_CREAT, wait)
    while descriptor is not None and not _lies(descriptor, path):  # it was taken for a dead one before it was locked
        _close(descriptor)
        descriptor = _locked(path, os.O_RDWR | os.O_CREAT, wait)
    if path.exists():
        os.utime(path, ns=(0, 0))
    try:
        yield
    finally:
        _close(descriptor)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else is inside of this, for the same folder, while the block runs; the folder is made where there is none.

    For what several commands cannot write at once, as they can fill a folder of items. Raises PagenError: somebody is.
    """
    new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(held(path / WRITER, wait=False))
        except BlockingIOError as error:
            found = f"found one that is writing to {path}"
            raise PagenError(
                f"expected no other command there, {found}; wait for its end, or give another --out"
            ) from error
        try:
            yield
        finally:
            (path / WRITER).unlink(missing_ok=True)
            if new and path.is_dir() and not any(path.iterdir()):
                path.rmdir()


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


def _lies(descriptor: int, path: Path) -> bool:
    """Whether an opened file is the one that lies there."""
    return path.exists() and os.path.samestat(os.fstat(descriptor), os.stat(path))


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
