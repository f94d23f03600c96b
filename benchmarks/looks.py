"""Claim: a run is scored under all protocols at once in half the time that each look by itself takes, on a processor.

A clip of 64 frames at 192x288, networks at `small` width, under the window policies and measures of the built-in
protocols. Both sides in one process, in turns; their numbers are the same to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pagen.eval.protocols import PROTOCOLS
from pagen.footage.clip_input import FrameInput
from pagen.models.conv_ae import ConvAE3d
from pagen.models.luss import LUSSAE
from pagen.models.speed import fast_layout, keep_memory
from pagen.scoring.sliding import Slider, slide

LENGTH, SIZE, ROUNDS = 64, (192, 288), 2
Found = list[dict[str, npt.NDArray[np.float64]]]


class Noise(FrameInput):
    """A clip is noise."""

    def source(self, clip: str) -> npt.NDArray[np.uint8]:
        return np.random.default_rng(0).integers(0, 255, (LENGTH, *SIZE, 1), np.uint8)


def main() -> None:
    """Both autoencoders."""
    keep_memory()
    protocols = [PROTOCOLS[name] for name in PROTOCOLS.names()]
    looks = dict.fromkeys((protocol.policy, protocol.asked_measure) for protocol in protocols)
    for network in (ConvAE3d(1, "small"), LUSSAE(1, "small", prp="conv")):
        torch.manual_seed(0)
        fast_layout(network.eval())
        report(network, [Slider(network, Noise(None), 16, policy, measure=measure) for policy, measure in looks])


def report(network: Any, sliders: list[Slider]) -> None:
    """Seconds of each side, the fastest of the rounds; ends with 1 where their numbers are not the same."""
    sides: tuple[Callable[[], Found], ...] = (
        lambda: slide(sliders, "any"),
        lambda: [slider.scores("any") for slider in sliders],
    )
    seconds: list[list[float]] = [[], []]
    found: list[Found] = []
    for _ in range(ROUNDS):
        for side, each in zip(sides, seconds, strict=True):
            begun = time.perf_counter()
            found.append(side())
            each.append(time.perf_counter() - begun)
    ours, theirs = map(min, seconds)
    name = f"{type(network).__name__}, {len(sliders)} looks"
    print(f"{name}: at once {ours:.1f} s, one by one {theirs:.1f} s, {theirs / ours:.2f} times as fast")
    for together, alone in zip(*found[:2], strict=True):
        for indicator, values in alone.items():
            np.testing.assert_array_equal(together[indicator], values)


if __name__ == "__main__":
    main()
