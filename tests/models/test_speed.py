from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from pagen.models.speed import keep_memory

RESIDENT = """
import resource, sys
from pagen.models.speed import keep_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20
if sys.argv[1] == "keep":
    keep_memory()
before = resident()
block = bytearray(64 << 20)
block[::4096] = bytes(len(block[::4096]))
del block
print(resident() - before)
"""


def left_over(what: str) -> int:
    """MiB that a process still holds after it has freed 64 MiB."""
    done = subprocess.run([sys.executable, "-c", RESIDENT, what], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
def test_what_was_freed_stays_with_the_process_on_glibc() -> None:
    glibc = hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
    assert left_over("plain") < 16
    assert (left_over("keep") > 48) == glibc


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", None)  # not to be called
    monkeypatch.setattr(sys, "platform", "darwin")
    keep_memory()


def test_a_c_library_without_the_function_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(sys, "platform", "linux")
    keep_memory()
