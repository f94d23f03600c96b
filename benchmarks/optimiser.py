"""Claim: on a processor, neither another form of Adam nor compiling the network is worth having for a training step.

Of `skip` at `cpu` scale: 16 crops of 64x64 over 16 frames, the small network. Each in a process of its own with as many
threads, one after the other. What the first step takes, in which a network is compiled, is told apart, and how many
steps make up for it.

    python benchmarks/optimiser.py [STEPS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

STEPS = 20
FORMS: dict[str, tuple[dict[str, bool], bool]] = {
    "plain": ({}, False),
    "foreach": ({"foreach": True}, False),
    "fused": ({"fused": True}, False),
    "compiled": ({}, True),
    "both": ({"fused": True}, True),
}
"""Form -> options of Adam, and whether the network is compiled."""


def main(steps: int) -> None:
    """Run every form and print its ratio to the first."""
    rows = {form: _measured(form, steps) for form in FORMS}
    first, plain = rows["plain"]
    for form, (begin, seconds) in rows.items():
        print(f"{form:<9} {seconds:7.3f} s a step, {plain / seconds:5.2f} times as fast; the first took {begin:.1f} s")
        if FORMS[form][1] and seconds < plain:
            print(f"{'':<9} compiling is made up for after {(begin - first) / (plain - seconds):,.0f} steps")


def _measured(form: str, steps: int) -> tuple[float, float]:
    environment = {**os.environ, "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # compiled before, it would be read
    found = subprocess.check_output([sys.executable, __file__, form, str(steps)], env=environment)
    begin, seconds = json.loads(found)
    return begin, seconds


def step_of(form: str, steps: int) -> tuple[float, float]:
    """Seconds of the first step, in which what is compiled is compiled, and of the others, their mean."""
    import torch
    from torch.nn.functional import mse_loss

    from pagen.models.conv_ae import ConvAE3d
    from pagen.models.speed import fast_clips, fast_layout, keep_memory
    from pagen.train.recipes.table import RECIPES

    keep_memory()
    torch.manual_seed(0)
    recipe = RECIPES["skip"].at("cpu")
    network = ConvAE3d(recipe.channels, recipe.widths)
    fast_layout(network)
    options, compiled = FORMS[form]
    forward = torch.compile(network) if compiled else network
    optimiser = torch.optim.Adam(network.parameters(), recipe.lr, **options)
    clips = fast_clips(torch.rand(recipe.batch, recipe.channels, 16, recipe.crop, recipe.crop) * 2 - 1)
    ends = [time.perf_counter()]
    for _ in range(steps + 1):
        mse_loss(forward(clips), clips).backward()
        optimiser.step()
        optimiser.zero_grad()
        ends.append(time.perf_counter())
    return ends[1] - ends[0], (ends[-1] - ends[1]) / steps


if __name__ == "__main__":
    if len(sys.argv) < 3:
        main(int(sys.argv[1]) if sys.argv[1:] else STEPS)
    else:
        print(json.dumps(step_of(sys.argv[1], int(sys.argv[2]))))
