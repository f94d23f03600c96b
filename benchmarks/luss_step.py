"""Claim: a training step of LUSS-AE takes 1.5 times the clips a second of the straightforward form, and more.

Straightforward: the usual layout, the decoder run once for each of its heads as in the released code, and memory
handed back to the system after every layer. At `paper` width, 128x128, 2 normal and 2 accelerated clips a step.
Each in a process of its own with as many threads, one after the other. Then how long a step of `luss` at `cpu`
scale waits for its clips (the street's), which are drawn while the step before is computed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

STEPS, CLIPS = 4, 2


def main() -> None:
    """Run both and print the ratio."""
    rows = {form: json.loads(subprocess.check_output([sys.executable, __file__, form])) for form in ("plain", "ours")}
    for form, seconds in rows.items():
        print(f"{form:<6} {seconds:6.2f} s a step  {2 * CLIPS / seconds:5.2f} clips a second")
    print(f"ours is {rows['plain'] / rows['ours']:.2f} times as fast")
    waited, whole = json.loads(subprocess.check_output([sys.executable, __file__, "loading"]))
    print(
        f"of {whole:.0f} s of training at cpu scale {waited:.2f} s are spent waiting for clips ({waited / whole:.1%})"
    )


def step_of(form: str) -> float:
    """Seconds of a step, the mean after the first one."""
    import torch
    from torch.nn.functional import cross_entropy, mse_loss

    from pagen.models.luss import LUSSAE
    from pagen.models.speed import fast_clips, fast_layout, keep_memory
    from pagen.train.recipes.luss import LussRecipe

    torch.manual_seed(0)
    network = LUSSAE(1, "paper", size=(128, 128))
    batch = {
        "clips": torch.rand(CLIPS, 1, 16, 128, 128) * 2 - 1,
        "next": torch.rand(CLIPS, 1, 1, 128, 128) * 2 - 1,
        "fast": torch.rand(CLIPS, 1, 16, 128, 128) * 2 - 1,
        "labels": torch.arange(CLIPS) % 2,
    }
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    if form == "ours":
        keep_memory()
        fast_layout(network)

    def plain() -> torch.Tensor:
        code = network.encoder(batch["clips"])
        vcr = mse_loss(network.decoder(code).tanh(), batch["clips"])
        ffp = mse_loss(network.ffp(network.decoder(code)), batch["next"])
        return 0.6 * vcr + 0.4 * ffp + cross_entropy(network.classify(batch["fast"]), batch["labels"])

    def ours() -> torch.Tensor:
        laid_out = {key: fast_clips(value) for key, value in batch.items()}
        return LussRecipe().objective(network, {**laid_out, "targets": laid_out["clips"]})["loss"]

    for step in range(STEPS + 1):
        if step == 1:
            begin = time.perf_counter()
        (ours() if form == "ours" else plain()).backward()
        optimiser.step()
        optimiser.zero_grad()
    return (time.perf_counter() - begin) / STEPS


def waiting() -> tuple[float, float]:
    """Seconds that 20 steps at `cpu` scale wait for their clips, and seconds in all."""
    import torch

    import pagen
    from pagen.footage.clip_input import FrameInput
    from pagen.models.luss import LUSSAE
    from pagen.models.speed import fast_clips, fast_layout, keep_memory
    from pagen.train.accelerator import accelerator_on
    from pagen.train.batches import ClipBatches
    from pagen.train.loop import Training, drawn
    from pagen.train.recipes.luss import LussRecipe

    keep_memory()
    recipe = LussRecipe.at("cpu")
    network = LUSSAE(1, recipe.widths, prp="conv")
    fast_layout(network)
    prepared = pagen.prepare("street", size=recipe.size)
    batches = ClipBatches(recipe, prepared, FrameInput(prepared), None, 0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    steps = drawn(Training(network, batches, None, accelerator_on("cpu")), range(22))  # type: ignore[arg-type]  # nothing is written
    waited = begin = 0.0
    for step in range(22):
        if step == 2:
            waited, begin = 0.0, time.perf_counter()
        asked = time.perf_counter()
        _, (batch,) = next(steps)
        waited += time.perf_counter() - asked
        recipe.objective(network, {key: fast_clips(value) for key, value in batch.items()})["loss"].backward()
        optimiser.step()
        optimiser.zero_grad()
    return waited, time.perf_counter() - begin


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps(waiting() if sys.argv[1] == "loading" else step_of(sys.argv[1])))
