"""Boxes by an object detector of transformers, `detector:MODEL`: what AccI-VAD does with Mask R-CNN of Detectron2.

Its thresholds for Ped2: scores over 0.5, 100 square pixels and more, and the overlap rule; of all classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch

from pagen.device import exact
from pagen.features.boxes import BoxArray, Located, clipped, located, uncovered
from pagen.features.source import Frames
from pagen.features.vision_models import VisionModel, coloured, vision_model
from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class DetectorBoxes:
    """The boxes of a detector that sees every frame alone.

    Attributes:
        model: how it is opened.
        score: what a box's score has to exceed.
        area: square pixels that a box has at least.
        covered: share of a box that a larger one may cover.
    """

    model: VisionModel
    score: float = 0.5
    area: float = 100
    covered: float = 0.6
    context: ClassVar[int] = 1
    ahead: ClassVar[int] = 0

    def config(self) -> Mapping[str, Any]:
        return {"by": "detector", "score": self.score, "area": self.area, "covered": self.covered}

    def inputs(self) -> Mapping[str, str]:
        return {"boxes": self.model.fingerprint}

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        return located([self._boxes(frame) for frame in prepared.frames(clip)])

    def newest(self, frames: Frames) -> BoxArray:
        return self._boxes(frames[-1])

    def _boxes(self, frame: Frames) -> BoxArray:
        network, processor = self.model.opened()
        # one picture a batch: no batching changes a byte
        picture = processor(images=coloured(frame), input_data_format="channels_last", return_tensors="pt")
        with torch.inference_mode(), exact():
            output = network(**picture.to(self.model.device))
        sizes = [frame.shape[:2]]
        (objects,) = processor.post_process_object_detection(output, threshold=self.score, target_sizes=sizes)
        boxes = clipped(objects["boxes"].cpu().numpy(), (frame.shape[0], frame.shape[1]))
        boxes = boxes[np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) >= self.area]
        return cast(BoxArray, boxes[uncovered(boxes, self.covered)])


def open_detector(option: str, device: str) -> DetectorBoxes:
    """The detector of a folder or hub id. Raises PagenError as `vision_model`."""
    return DetectorBoxes(vision_model("detector", option, device))
