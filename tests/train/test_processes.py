"""Two processes that train together end where one with the same clips does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pagen.errors import PagenError
from pagen.train.config import Train
from pagen.train.session import train
from pagen.train.state import from_csv

pytestmark = pytest.mark.slow

WEIGHTS = "model/model.safetensors"


NORMALISED = [*(("encoder", layer) for layer in (0, 3, 6, 9)), *(("decoder", layer) for layer in (0, 3, 6))]
UNSEEN = {f"{part}.{layer}.bias" for part, layer in NORMALISED} | {
    f"{part}.{layer + 1}.running_mean" for part, layer in NORMALISED
}
"""Biases that the normalisation after them takes out again, and the means that it takes out: their gradient is noise,
of which Adam makes steps as long as any."""


def launch(street: Path, cache: Path, out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """`pagen train luss` by torchrun in two processes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    command = ["-m", "pagen", "train", "luss", "--dataset", "folder", "--root", str(street), "--scale", "tiny"]
    size = ["--size", "48", "64", "--device", "cpu", "--workers", "0", "--out", str(out), *flags]
    environment = {**os.environ, "PAGEN_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*torchrun, *command, *size], cwd=out.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_two_processes_are_one_with_the_same_clips(
    street: Path, cache: Path, configure: Callable[..., Train[Any]], tmp_path: Path
) -> None:
    train(configure("luss", tmp_path / "one", epochs=1, steps=5))
    done = launch(street, cache, tmp_path / "two", "--epochs", "1", "--steps", "5")
    assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in sorted(one.keys() - UNSEEN):
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=2e-5, msg=lambda m, name=name: f"{name}: {m}")
    rows = [from_csv((tmp_path / name / "metrics.csv").read_text())[0] for name in ("one", "two")]
    assert rows[0] == pytest.approx(rows[1], rel=1e-4)


def test_a_batch_that_does_not_divide_is_refused(street: Path, cache: Path, tmp_path: Path) -> None:
    done = launch(street, cache, tmp_path / "two", "--batch", "3")
    assert done.returncode != 0
    assert "expected --batch to be a multiple of 2" in done.stderr
    assert PagenError.__name__ not in done.stderr
