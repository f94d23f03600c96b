"""What stands for the bytes of footage: every file is read once, and again when the system says that it has changed.

Names and sizes do not tell a mask that was mended from what it was; what the system keeps for itself does
(`pagen.digests`): by that a file's SHA-256 is remembered in the cache, unless it has just been written.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pagen.digests import settled, sha256_of, stamp_of
from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.folders import write_json
from pagen.manifest import cache_folder

Remembered = dict[str, tuple[list[int], str]]
"""Name of a file -> what the system says of it, and its SHA-256."""


def content_of(files: Sequence[Path]) -> str:
    """32 hexadecimal digits that stand for the names and bytes of the files of one clip, or of its masks.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a")
        ...     _ = path.write_text("1")
        ...     before = content_of([path])
        ...     _ = path.write_text("2")
        ...     before == content_of([path])
        False
    """
    if not files:
        return ""
    place = str((files[0] if len(files) == 1 else files[0].parent).absolute())
    memory = cache_folder() / "content" / f"{hashlib.sha256(place.encode()).hexdigest()[:32]}.json"
    known, now, total = _read(memory), time.time_ns(), hashlib.sha256()
    found: Remembered = {}
    for file in files:
        stamp, (earlier, sha) = stamp_of(file), known.get(file.name, ([], ""))
        if stamp != earlier:
            sha = sha256_of(file)
        if settled(stamp, now):
            found[file.name] = (stamp, sha)
        total.update(f"{file.name} {sha}\n".encode())
    if found != known:
        with suppress(OSError):  # a cache that cannot be written to remembers nothing
            write_json(memory, found)
    return total.hexdigest()[:32]


def _read(memory: Path) -> Remembered:
    """What is remembered; nothing where that is damaged."""
    if memory.is_file():
        with suppress(PagenError):
            return read_json(memory, Remembered, "what is remembered of footage")
    return {}
