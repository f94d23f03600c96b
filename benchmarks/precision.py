"""Claim: where the processor multiplies bf16, `--precision bf16` scores and trains at least 1.6 times as fast as fp32.

A network of scale `cpu` (`small`) and the published one (`paper`) score frames that come by four, policy `last`, at
192x288 and 368x640; and a step of `baseline` at scale `cpu` (16 crops of 16x64x64). Both sides in one process, in
turns; and how far what is rebuilt differs. Without AMX or AVX512-BF16 bf16 is slower, and the ratio says by how much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from networks import made
from torch import Tensor

from pagen.device import rounding
from pagen.models.speed import fast_clips, keep_memory
from pagen.scoring.answers import Answers

ROUNDS, AT_ONCE, WINDOW = 5, 4, 16
PRECISIONS = ("fp32", "bf16")


def main() -> None:
    """A line for each size of network and frame, and one for a training step."""
    keep_memory()
    for widths, size in (("small", (192, 288)), ("small", (368, 640)), ("paper", (192, 288))):
        scoring(widths, size)
    training()


def scoring(widths: str, size: tuple[int, int]) -> None:
    """Milliseconds a frame, and the largest difference of what is rebuilt."""
    network, frames = made(widths).eval(), fast_clips(torch.rand(WINDOW + AT_ONCE, 1, 1, *size) * 2 - 1)
    streams = {name: Answers(network, WINDOW) for name in PRECISIONS}
    last: dict[str, Tensor] = {}

    def score(name: str) -> None:
        with torch.inference_mode(), rounding(name, "cpu"):
            last[name] = streams[name](frames[-AT_ONCE:], [WINDOW - 1]).frames["rebuilt"]

    seconds = in_turns(score)
    apart = float((last["fp32"] - last["bf16"]).abs().max())
    report(f"score {widths} {size[0]}x{size[1]}, a frame", {name: one / AT_ONCE for name, one in seconds.items()})
    print(f"  they differ by {apart:.1e} of 2 at most")


def training() -> None:
    """Milliseconds a step."""
    networks: dict[str, Any] = {name: made("small").train() for name in PRECISIONS}
    optimisers = {name: torch.optim.Adam(each.parameters(), lr=1e-4) for name, each in networks.items()}
    clips = fast_clips(torch.rand(16, 1, WINDOW, 64, 64) * 2 - 1)

    def step(name: str) -> None:
        with rounding(name, "cpu"):
            rebuilt = networks[name](clips)
        torch.nn.functional.mse_loss(rebuilt.float(), clips).backward()
        optimisers[name].step()
        optimisers[name].zero_grad()

    report("train small 64x64, a step of 16", in_turns(step))


def in_turns(work: Callable[[str], None]) -> dict[str, float]:
    """The fastest of a few rounds each, seconds."""
    found: dict[str, list[float]] = {name: [] for name in PRECISIONS}
    for _ in range(ROUNDS + 1):
        for name, times in found.items():
            begin = time.perf_counter()
            work(name)
            times.append(time.perf_counter() - begin)
    return {name: min(times[1:]) for name, times in found.items()}


def report(what: str, seconds: dict[str, float]) -> None:
    """Both, and the ratio."""
    fp32, bf16 = (1000 * seconds[name] for name in PRECISIONS)
    print(f"{what}: fp32 {fp32:.1f} ms, bf16 {bf16:.1f}: {fp32 / bf16:.2f} times")


if __name__ == "__main__":
    main()
