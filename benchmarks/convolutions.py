"""Claim: channels-last layout and kept memory make the 3D autoencoder faster on a CPU, in training and in scoring.

Each variant runs in a process of its own, since memory that is kept stays kept.
"""

from __future__ import annotations

import subprocess
import sys
import time

VARIANTS = {"plain": "", "channels last": "layout", "channels last, kept memory": "layout memory"}


def main() -> None:
    """Time the variants in turn, three rounds, the best of each."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for _ in range(3):
        for name, options in VARIANTS.items():
            output = subprocess.check_output([sys.executable, __file__, options], text=True)
            step, window = map(float, output.split())
            seconds[name].append((step, window))
    best = {name: (min(s for s, _ in rounds), min(w for _, w in rounds)) for name, rounds in seconds.items()}
    for name, (step, window) in best.items():
        faster = best["plain"][0] / step, best["plain"][1] / window
        print(f"{name:<27} step {step:.3f} s ({faster[0]:.2f} x)   window {window:.3f} s ({faster[1]:.2f} x)")


def measure(options: str) -> tuple[float, float]:
    """Seconds of a training step of 16 clips of 64x64, and of scoring a window of 192x288."""
    import torch

    from pagen.models.conv_ae import ConvAE3d
    from pagen.models.speed import keep_memory

    if "memory" in options:
        keep_memory()
    layout = torch.channels_last_3d if "layout" in options else torch.contiguous_format
    model = ConvAE3d(1, "small").to(memory_format=layout)  # type: ignore[call-overload]  # not in torch's stub
    optimiser = torch.optim.Adam(model.parameters())
    clips = torch.randn(16, 1, 16, 64, 64).contiguous(memory_format=layout)
    windows = torch.randn(4, 1, 16, 192, 288).contiguous(memory_format=layout)

    def step() -> None:
        torch.nn.functional.mse_loss(model(clips), clips).backward()
        optimiser.step()
        optimiser.zero_grad()

    def score() -> None:
        with torch.inference_mode():
            model(windows)

    return timed(step, 10), timed(score, 4) / len(windows)


def timed(function: object, rounds: int) -> float:
    """Mean seconds of a call after two that warm up."""
    assert callable(function)
    for _ in range(2):
        function()
    begin = time.perf_counter()
    for _ in range(rounds):
        function()
    return (time.perf_counter() - begin) / rounds


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*measure(sys.argv[1]))
    else:
        main()
