"""Claims about what densities of features cost, each pair in one run and on as many threads.

- Scoring by MULDE (512 features, 4096 x 4096, 16 scales) takes at most 1.3 times its bare products of matrices.
- A training step at batch 2048 is no slower than plain double backward; the peak memory of both is told.
- The nearest of 100,000 training vectors is found no slower than by scikit-learn's brute force.
- Fitting to a million features on disk takes as much memory as to a hundred thousand.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FEATURES, WIDTH, SCALES, BATCH = 512, 4096, 16, 2048
MEGABYTE = 2**20


def main() -> None:
    """Every claim, one after the other; what is about memory in processes of its own."""
    ours, bare = scoring()
    print(f"scoring       {ours:7.2f} s, bare products {bare:7.2f} s: {ours / bare:.2f} times")
    steps = {form: apart("step", form) for form in ("plain", "ours")}
    for form, (seconds, memory) in steps.items():
        print(f"step, {form:<7} {seconds:7.2f} s, {memory / MEGABYTE:,.0f} MB at most")
    print(f"              {steps['ours'][0] / steps['plain'][0]:.2f} times plain double backward")
    ours, theirs = neighbours()
    print(f"neighbours    {ours:7.2f} s, scikit-learn {theirs:7.2f} s: {ours / theirs:.2f} times")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        write(path, 1_000_000)
        for name in ("mulde", "msma", "knn", "gmm"):
            few, many = (apart("memory", name, str(path), str(count)) for count in (100_000, 1_000_000))
            print(f"fit, {name:<8} {few / MEGABYTE:7,.0f} MB for 100,000, {many / MEGABYTE:,.0f} MB for 1,000,000")


def scoring(rows: int = 1024, width: int = WIDTH, rounds: int = 3) -> tuple[float, float]:
    """Seconds of scoring, and of the products of matrices that it cannot do without."""
    import numpy as np
    import torch

    from pagen.models.density.mulde import MULDE

    features = np.random.default_rng(0).standard_normal((rows, FEATURES), np.float32)
    detector = MULDE((width, width), scales=SCALES, steps=1, batch=64, sample=100).fit(features[:200])
    x = torch.from_numpy(features)
    first, second = detector.network.first, detector.network.hidden[0].weight

    @torch.inference_mode()
    def bare() -> None:
        below = x @ first.T
        for _ in range(SCALES):
            below @ second.T

    return in_turn(lambda: detector.score_samples(features), bare, rounds)


def step(form: str, width: int = WIDTH, batch: int = BATCH, steps: int = 3) -> tuple[float, float]:
    """Seconds of a training step, the fastest after the first, and the most bytes that the process had."""
    import torch

    from pagen.models.density.mulde import log_density_loss
    from pagen.models.density.noise_perceptron import NoisePerceptron

    torch.manual_seed(0)
    x, sigma, noise = torch.randn(batch, FEATURES), torch.rand(batch, 1), torch.randn(batch, FEATURES)
    network = NoisePerceptron(FEATURES, 1, (width, width)) if form == "ours" else plain_network(width)
    parameters = list(network.parameters())
    optimiser = torch.optim.Adam(parameters, 5e-4, betas=(0.5, 0.9), fused=True)

    def once() -> None:
        optimiser.zero_grad()
        if form == "ours":
            log_density_loss(network, x, sigma, noise).backward(inputs=parameters)
        else:
            plain_loss(network, x, sigma, noise).backward()
        optimiser.step()

    once()
    return min(seconds(once) for _ in range(steps)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def plain_network(width: int) -> Any:
    """The perceptron with sigma as one more column of its input."""
    from torch import nn

    layers = [nn.Linear(FEATURES + 1, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1)]
    return nn.Sequential(*layers)


def plain_loss(network: Any, x: Any, sigma: Any, noise: Any) -> Any:
    """The same loss, with the gradient of all columns."""
    import torch

    noisy = torch.cat([x + sigma * noise, sigma], 1).requires_grad_()
    (gradient,) = torch.autograd.grad(network(noisy).sum(), noisy, create_graph=True)
    matching = (sigma * gradient[:, :-1] - noise).square().sum(1).mean()
    return (matching + 0.1 * network(torch.cat([x, sigma], 1)).square().mean()) / 2


def neighbours(training: int = 100_000, queries: int = 2000, rounds: int = 3) -> tuple[float, float]:
    """Seconds of ours and of scikit-learn's."""
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    from pagen.models.density.neighbours import Neighbours

    rng = np.random.default_rng(0)
    known, new = (rng.standard_normal((count, FEATURES), np.float32) for count in (training, queries))
    ours = Neighbours().fit(known)
    theirs = NearestNeighbors(n_neighbors=1, algorithm="brute", n_jobs=-1).fit(known)
    return in_turn(lambda: ours.anomaly_score(new), lambda: theirs.kneighbors(new), rounds)


def write(path: Path, count: int, width: int = 128) -> None:
    """Random features, a little at a time."""
    import numpy as np

    from pagen.arrays import write_slices

    rng = np.random.default_rng(0)
    write_slices(path, (rng.standard_normal((10_000, width), np.float32) for _ in range(count // 10_000)))


def memory(name: str, path: str, count: str) -> float:
    """The most bytes that fitting adds to those that the process holds alone; pages of the file are not its own."""
    from pagen.arrays import read_array
    from pagen.models.density.detectors import DETECTORS

    small = {"widths": (256, 256), "steps": 50, "sample": 5000, "components": 1}
    settings = {"knn": {}, "gmm": {"components": 3, "sample": 20_000}}.get(name, small)
    rows = read_array(Path(path))[: int(count)]
    DETECTORS[name](**settings).fit(rows[:5000])  # what libraries load at first use
    before, done = own_bytes(), threading.Event()
    peaks = [before]

    def watch() -> None:
        while not done.wait(0.01):
            peaks[0] = max(peaks[0], own_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    DETECTORS[name](**settings).fit(rows)
    done.set()
    watcher.join()
    return peaks[0] - before


def own_bytes() -> float:
    """What the process holds that lies in no file."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024.0 if found else 0.0


def in_turn(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds of both, the fastest of some rounds after one that warms up."""
    one(), other()
    times = [(seconds(one), seconds(other)) for _ in range(rounds)]
    return min(first for first, _ in times), min(second for _, second in times)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def apart(*arguments: str) -> Any:
    """The answer of this file in a process of its own."""
    return json.loads(subprocess.check_output([sys.executable, __file__, *arguments]))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps({"step": step, "memory": memory}[sys.argv[1]](*sys.argv[2:])))
