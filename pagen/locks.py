"""Locks that end with the process that holds them: they tell what is being written from what a killed process left.

Where a system or a file system knows no such locks, nobody waits for anybody, and nothing counts as held.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from filelock import BaseFileLock, FileLock, Timeout

from pagen import console
from pagen.errors import PagenError

if sys.platform != "win32":
    import fcntl

_NONE = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system without locks answers."""


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
def turn(path: Path, doing: str) -> Iterator[bool]:
    """One process at a time is inside, of those who name this file; whether it had to wait, which it says.

    For what may be done twice at once, but need not. The file is there as long as somebody is inside or waits.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, turn(Path(folder, "lock"), "fills it") as waited:
        ...     waited
        False
    """
    lock = FileLock(path)
    waited = not _take(lock, 0)
    if waited:
        console.say(f"waiting for another command, which {doing}")
        _take(lock, -1)
    with _let_go(lock, path):
        yield waited


@contextmanager
def alone(folder: Path, name: str = ".tmp-writer") -> Iterator[None]:
    """One process at a time is inside, of those who name this folder, which is made where there is none.

    For what can neither be done twice at once nor be waited for. Raises PagenError: somebody is inside.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, alone(Path(folder)):
        ...     with alone(Path(folder)):  # doctest: +ELLIPSIS
        ...         pass
        Traceback (most recent call last):
        pagen.errors.PagenError: expected no other command there, found one that is writing to ...
    """
    new, lock = not folder.exists(), FileLock(folder / name)
    if not _take(lock, 0):
        found = f"found one that is writing to {folder}"
        raise PagenError(f"expected no other command there, {found}; wait for its end, or give another --out")
    try:
        with _let_go(lock, folder / name):
            yield
    finally:
        if new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def _let_go(lock: BaseFileLock, path: Path) -> Iterator[None]:
    """A lock that is let go behind the block, its file with it."""
    try:
        yield
    finally:
        with suppress(OSError):  # before it is let go: whoever waits sees that it is gone, and makes another
            path.unlink(missing_ok=True)
        lock.release()


def _take(lock: BaseFileLock, seconds: float) -> bool:
    """Whether it was to be had in so many seconds; its folder may go meanwhile. Where there are none, it was."""
    while True:
        try:
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=seconds)
        except FileNotFoundError:
            continue
        except Timeout:
            return False
        except (NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in _NONE:
                raise
        return True


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
        descriptor = None if _odd(path) else _locked(path, os.O_RDONLY, wait=False)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        _close(descriptor)


def _odd(path: Path) -> bool:
    """Whether it is neither a file nor a folder: a link leads elsewhere, a pipe would be waited for."""
    mode = path.lstat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


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
