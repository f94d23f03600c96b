"""Masks by a network that finds objects: any instance-segmentation model that transformers has.

Of the objects in a segment one is followed, as `motion` follows what moves; but what stands still counts too. Nothing
is unpickled, and no code of a model's own is run. It sees each frame for itself.

Rai et al. (2024) take LaMa's object masks, which are of Detectron2's panoptic network, and leave open which; LaMa takes
things of a score above 0.5 and of less than 0.3 of the picture, here less than half. A panoptic model's stuff (road,
sky) counts as objects where it is small enough: take one for instances.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pagen.arrays import Frames, Masks
from pagen.errors import PagenError
from pagen.generate.mask_motion import follow
from pagen.generate.mask_random import LARGEST_SHARE
from pagen.generate.masks import bounded
from pagen.hub import contents, loading, need, place_of, require_whole

SCORE = 0.5
MODELS = ("detr", "eomt", "mask2former", "maskformer")
"""Of transformers' universal models those that ask for nothing but the picture."""


@dataclass(frozen=True)
class Segmenter:
    """A loaded model as a function frame uint8 (H, W, C), C 1 or 3 (RGB) -> its objects, bool (N, H, W).

    Example:
        >>> from unittest.mock import Mock
        >>> import torch
        >>> result = {"segmentation": torch.eye(4, dtype=torch.int), "segments_info": [{"id": 1}]}
        >>> read = lambda outputs, threshold, target_sizes: [result]
        >>> processor = Mock(return_value={}, post_process_instance_segmentation=read)
        >>> int(Segmenter(Mock(), processor)(np.zeros((4, 4, 1), np.uint8)).sum())
        4
    """

    model: Any
    processor: Any

    def __call__(self, frame: Frames) -> Masks:
        """The objects whose score is at least one half and that cover less than half of the frame."""
        import torch

        rgb = np.repeat(frame, 3 // frame.shape[2], axis=2)
        inputs = self.processor(images=rgb, return_tensors="pt", input_data_format="channels_last")
        with torch.inference_mode():
            outputs = self.model(**inputs)
        objects = self._read(outputs, (frame.shape[0], frame.shape[1]))
        share = objects.mean(axis=(1, 2))
        return np.asarray(objects[(share > 0) & (share < LARGEST_SHARE)])

    def _read(self, outputs: Any, size: tuple[int, int]) -> Masks:
        read = self.processor.post_process_instance_segmentation
        # a map of each object where the family has it; else a single map, in which one hides the other
        whole = {"return_binary_maps": True} if "return_binary_maps" in inspect.signature(read).parameters else {}
        (result,) = read(outputs, threshold=SCORE, target_sizes=[size], **whole)
        maps = result["segmentation"].numpy()
        numbers = np.array([segment["id"] for segment in result["segments_info"]])
        return np.asarray(maps > 0 if maps.ndim == 3 else maps == numbers[:, None, None])


@dataclass(frozen=True)
class SegmentMasks:
    """One object, followed through the segment, with the methods of `MaskKind`.

    Attributes:
        name: the folder or hub id of the model.
        folder: where it lies on this machine.
        objects: frame uint8 (H, W, C) -> its objects, bool (N, H, W).

    Example:
        >>> thing = np.zeros((1, 64, 64), np.bool_)
        >>> thing[0, 10:20, 10:20] = True
        >>> masks = SegmentMasks("a/model", Path("model"), lambda frame: thing)
        >>> int(masks.segment(np.zeros((1, 64, 64, 1), np.uint8), None, np.random.default_rng(0))[0].sum())
        140
    """

    name: str
    folder: Path
    objects: Callable[[Frames], Masks]

    def prepare(self, frames: Frames, name: str) -> None:
        """None: nothing of the whole clip is needed."""

    def segment(self, frames: Frames, state: None, rng: np.random.Generator, start: int = 0) -> tuple[Masks, int]:
        return bounded(follow(map(self.objects, frames), rng), rng)

    def origin(self) -> tuple[str, str]:
        """The folder or hub id, and a fingerprint of the configurations and weights."""
        return self.name, contents(self.folder)


@lru_cache(maxsize=1)
def open_segmenter(name: str) -> SegmentMasks:
    """Masks by the model of a folder that `save_pretrained` wrote, or of a hub id `owner/name`; loaded once.

    Raises PagenError: transformers is not installed, there is no model, it is of another kind, is incomplete, has
    pickled weights only, or code of its own.

    Example:
        >>> try:
        ...     open_segmenter("nowhere")
        ... except PagenError as error:
        ...     print(str(error).partition("; ")[0])
        expected masks 'segment:MODEL' with a folder or a hub id owner/name, found 'segment:nowhere'
    """
    need("transformers", "masks 'segment:MODEL'", "hub")
    model = place_of(name)
    if model is None:
        raise PagenError(
            f"expected masks 'segment:MODEL' with a folder or a hub id owner/name, found 'segment:{name}'; "
            "give for example segment:facebook/mask2former-swin-tiny-coco-instance"
        )
    absolute_name, folder = model
    return SegmentMasks(absolute_name, folder, load(folder))


def load(folder: Path) -> Segmenter:
    """The model of a folder; no network is asked. Raises PagenError as `open_segmenter`.

    Example:
        >>> try:
        ...     load(Path("nowhere"))
        ... except PagenError as error:
        ...     print(str(error).partition("; ")[0])
        expected a transformers model in nowhere, found no config.json
    """
    with loading(folder):
        processor, model, missing = _pretrained(folder)
    require_whole(folder, missing, "a model that was trained for segmentation")
    return Segmenter(model, processor)


def _pretrained(folder: Path) -> tuple[Any, Any, set[str]]:
    """Processor, model, and names of the weights that the folder lacks."""
    from transformers import AutoConfig, AutoImageProcessor, AutoModelForUniversalSegmentation

    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    kind = AutoConfig.from_pretrained(folder, **options).model_type
    if kind not in MODELS:
        wanted = f"a model for instance segmentation ({' '.join(MODELS)})"
        raise PagenError(f"expected {wanted} in {folder}, found {kind!r}; take another")
    # Pillow's on every machine: torchvision resizes to other bytes
    auto: Any = AutoImageProcessor
    processor = auto.from_pretrained(folder, backend="pil", **options)
    options |= {"use_safetensors": True, "output_loading_info": True}
    model, info = AutoModelForUniversalSegmentation.from_pretrained(folder, **options)
    return processor, model, set(info["missing_keys"])
