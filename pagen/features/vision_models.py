"""Models of transformers that look at frames and have an image processor beside them: detectors and poses.

Safetensors alone, and no code of a folder is run. The image processor is the one that works by Pillow and NumPy, on
every machine the same, whatever else is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pagen.device import device_named
from pagen.errors import PagenError
from pagen.hub import contents, loading, need, place_of, require_whole

Task = Literal["detector", "vitpose"]
CLASSES = {"detector": "AutoModelForObjectDetection", "vitpose": "VitPoseForPoseEstimation"}


@dataclass(frozen=True)
class VisionModel:
    """How a model is opened: what it does, its folder or hub id, the fingerprint of its files, and the device."""

    task: Task
    place: str
    fingerprint: str
    device: str

    def opened(self) -> tuple[Any, Any]:
        """The model, in evaluation mode on its device, and its image processor; opened once in a process."""
        return _opened(self)


def vision_model(task: Task, option: str, device: str = "cpu") -> VisionModel:
    """The model of `TASK:MODEL`, a folder that `save_pretrained` wrote or a hub id.

    Raises PagenError: no such model or device, transformers is missing, or the model is of another kind, has pickled
    weights only, lacks some of them, or has code of its own.
    """
    need("transformers", f"'{task}:MODEL'", "hub")
    place, folder = _origin(task, option)
    model = VisionModel(task, place, contents(folder), device_named(device))
    model.opened()
    return model


@lru_cache(maxsize=2)
def _opened(model: VisionModel) -> tuple[Any, Any]:
    _, folder = _origin(model.task, model.place)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with loading(folder):
        import transformers

        processors: Any = transformers.AutoImageProcessor
        processor = processors.from_pretrained(folder, backend="pil", **options)
        network = getattr(transformers, CLASSES[model.task])
        if model.task == "vitpose":
            del options["trust_remote_code"]  # a class of the library's own takes no such word
        network, info = network.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **options)
    require_whole(folder, set(info["missing_keys"]), "a whole one that save_pretrained wrote")
    return network.float().to(model.device).eval(), processor


def _origin(task: Task, option: str) -> tuple[str, Path]:
    origin = place_of(option)
    if origin is None:
        raise PagenError(f"expected '{task}:MODEL' with a folder or a hub id owner/name, found '{task}:{option}'")
    return origin


def coloured(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame (H, W, C) with three channels (H, W, 3)."""
    return np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3)))
