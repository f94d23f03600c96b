"""Memory that is kept.

glibc hands large blocks back after every layer, and fetching them again costs a third of the time.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # of malloc.h


def keep_memory() -> None:
    """Let this process keep the memory that its activations need, from step to step; on Linux with glibc."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # musl has none
        for option, value in ((_TRIM_THRESHOLD, 2**31 - 1), (_MMAP_MAX, 0), (_ARENA_MAX, 1)):
            libc.mallopt(option, value)
