from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest
import torch
from torch import nn

from pagen.models.conv_ae import ConvAE3d
from pagen.models.speed import channels_last, fast_clips, fast_layout, keep_memory

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


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_channels_lie_last_in_all_layers(channels: int) -> None:
    network, found = ConvAE3d(channels, "tiny"), []
    fast_layout(network)
    convolutions = [layer for layer in network.encoder if isinstance(layer, nn.Conv3d)]
    for layer in convolutions:
        layer.register_forward_hook(lambda layer, shown, made: found.append(made.stride(1)))
    network(fast_clips(torch.rand(2, channels, 16, 32, 32)))
    assert found == [1] * len(convolutions)


@pytest.mark.parametrize("shape", [(2, 1, 3, 4), (2, 3, 3, 4), (2, 1, 5, 3, 4), (2, 3, 5, 3, 4), (1, 1, 1, 1)])
def test_a_layout_changes_no_value(shape: tuple[int, ...]) -> None:
    values = torch.rand(shape)
    laid_out = channels_last(values)
    assert torch.equal(laid_out, values)
    assert laid_out.stride(1) == 1
