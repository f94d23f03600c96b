"""Where training runs: device, processes, precision, trackers; all of it accelerate's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import patch_environment

from pagen.device import device_named
from pagen.errors import PagenError


def accelerator_on(
    device: str, precision: str = "no", trackers: Sequence[str] = (), path: Path = Path("runs")
) -> Accelerator:
    """Accelerate on a device of torch's, or on the best there is ("auto").

    Started by `accelerate launch` or torchrun this process is one of several; else accelerate, which keeps its
    device for the whole process, forgets that of an earlier training.

    Args:
        precision: `no`, `bf16` or `fp16`.
        trackers: `tensorboard`, `wandb`.
        path: where TensorBoard's files go.

    Raises:
        PagenError: a device that is not there, fp16 on the CPU, or a tracker that is not installed.
    """
    _check(device, precision, trackers)
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        AcceleratorState._reset_state(reset_partial_state=True)
    settings = {"mixed_precision": precision, "log_with": list(trackers) or None, "project_dir": path}
    if device == "auto":
        return Accelerator(**settings)
    with patch_environment(accelerate_torch_device=device):
        return Accelerator(cpu=device == "cpu", **settings)


def _check(device: str, precision: str, trackers: Sequence[str]) -> None:
    place = device_named(device)
    if precision == "fp16" and place == "cpu":
        raise PagenError("expected --precision no or bf16 on the CPU, found fp16, which is for a GPU")
    for tracker in trackers:
        if find_spec(tracker) is None:
            raise PagenError(f"expected the package {tracker} for --log {tracker}, found none; pip install {tracker}")
