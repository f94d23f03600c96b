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
    device for the whole process, forgets that of an earlier training. TensorBoard's files go to `path`.
    Raises PagenError for a device that is not there, fp16 on the CPU, or a tracker that is not installed.
    """
    if device_named(device) == "cpu" and precision == "fp16":
        raise PagenError("expected --precision no or bf16 on the CPU, found fp16, which is for a GPU")
    for tracker in trackers:
        if find_spec(tracker) is None:
            raise PagenError(f"expected the package {tracker} for --log {tracker}, found none; pip install {tracker}")
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        AcceleratorState._reset_state(reset_partial_state=True)
    settings = {"mixed_precision": precision, "log_with": list(trackers) or None, "project_dir": path}
    if device == "auto":
        return Accelerator(**settings)
    with patch_environment(accelerate_torch_device=device):
        return Accelerator(cpu=device == "cpu", **settings)
