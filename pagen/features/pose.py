"""Features `pose`: where an object's joints are, x and y by turns (AccI-VAD, Reiss and Hoshen 2022, with AlphaPose).

Poses come out of a file (`file:PATH`, see `box_file`), which knows no boxes of theirs, or from a ViTPose of
transformers (`vitpose:MODEL`) on boxes of any kind. Joints are in the model's order: 17 of COCO in both.

x and y are taken less their smallest and by the height of the pose, from its highest joint to its lowest, so that
neither place nor distance counts. AccI-VAD's published files hold pixels from the corner of the box, which `raw` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from pagen.device import exact
from pagen.errors import PagenError
from pagen.features.box_file import ObjectFile, object_file
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray, Finder, Located
from pagen.features.source import Found
from pagen.features.vision_models import VisionModel, coloured, vision_model
from pagen.footage.prepare import Prepared

Poses = npt.NDArray[np.float32]
FLATTEST = 1.0
"""Pixels: a lower pose counts as so high."""


class Posed(NamedTuple):
    """The poses (N, D) of a clip in pixels, the frame of each (N,), and its box (N, 4) where there is one."""

    poses: Poses
    frames: npt.NDArray[np.int64]
    boxes: BoxArray | None


class PoseFinder(Protocol):
    """A way to find poses, as `boxes.Finder` is one to find boxes."""

    @property
    def context(self) -> int:
        """How many frames, the newest last, a frame's poses are made of."""

    @property
    def features(self) -> int:
        """D: two numbers a joint."""

    def config(self) -> Mapping[str, Any]:
        """All that the poses depend on, as plain data."""

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of what else they depend on."""

    def __call__(self, prepared: Prepared, clip: str) -> Posed:
        """The poses of a clip."""

    def newest(self, frames: npt.NDArray[np.uint8]) -> Posed:
        """The poses of the newest frame of a stream, all of frame 0."""


@dataclass(frozen=True)
class FilePoses:
    """The poses of a file."""

    file: ObjectFile

    @property
    def context(self) -> int:
        """One frame."""
        return 1

    @property
    def features(self) -> int:
        """Columns of the file's table."""
        return int(next(iter(self.file.clips().values())).values.shape[1])

    def config(self) -> Mapping[str, Any]:
        """That they are of a file."""
        return {"poses": "file"}

    def inputs(self) -> Mapping[str, str]:
        """The file."""
        return {"poses": self.file.fingerprint}

    def __call__(self, prepared: Prepared, clip: str) -> Posed:
        """The poses of a clip. Raises PagenError as `ObjectFile.rows`, or for numbers that are not finite."""
        rows = self.file.rows(prepared, clip)
        if not np.isfinite(rows.values).all():
            raise PagenError(f"expected finite poses of clip {clip} in {self.file.path}, found others; write it again")
        return Posed(rows.values, rows.frames, None)

    def newest(self, frames: npt.NDArray[np.uint8]) -> Posed:
        """Raises PagenError: a file knows nothing of a stream."""
        raise self.file.no_stream()


@dataclass(frozen=True)
class ModelPoses:
    """Poses that a ViTPose finds in boxes, those of a frame at once."""

    boxes: Finder
    model: VisionModel

    @property
    def context(self) -> int:
        """What the boxes need."""
        return self.boxes.context

    @property
    def features(self) -> int:
        """Two numbers a joint."""
        return 2 * int(self.model.opened()[0].config.num_labels)

    def config(self) -> Mapping[str, Any]:
        """What the poses depend on."""
        return {"poses": "vitpose", "boxes": self.boxes.config()}

    def inputs(self) -> Mapping[str, str]:
        """What the boxes are of, and the model."""
        return {**self.boxes.inputs(), "poses": self.model.fingerprint}

    def __call__(self, prepared: Prepared, clip: str) -> Posed:
        """The poses of a clip."""
        where, frames = self.boxes(prepared, clip), prepared.frames(clip)
        found = [self._poses(frames[frame], where.boxes[where.frames == frame]) for frame in np.unique(where.frames)]
        return self._posed(found, where)

    def newest(self, frames: npt.NDArray[np.uint8]) -> Posed:
        """The poses of the newest frame. Raises PagenError: boxes of a file."""
        boxes = self.boxes.newest(frames)
        found = [self._poses(frames[-1], boxes)] if len(boxes) else []
        return self._posed(found, Located(np.zeros(len(boxes), np.int64), boxes))

    def _posed(self, found: list[Poses], where: Located) -> Posed:
        poses = np.concatenate([np.empty((0, self.features), np.float32), *found])
        return Posed(poses, where.frames, where.boxes)

    def _poses(self, frame: npt.NDArray[np.uint8], boxes: BoxArray) -> Poses:
        """The poses (n, D) in boxes (n, 4) of a frame (H, W, C), in pixels from the box's corner."""
        import torch

        network, processor = self.model.opened()
        sized = [np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)]
        seen = processor(coloured(frame), boxes=sized, input_data_format="channels_last", return_tensors="pt")
        experts = {"dataset_index": torch.zeros(len(boxes), dtype=torch.long)}  # ViTPose+ asks; 0 is COCO
        with torch.inference_mode(), exact():
            output = network(**{key: value.to(self.model.device) for key, value in (seen | experts).items()})
        (found,) = processor.post_process_pose_estimation(output, boxes=sized)
        joints = np.stack([pose["keypoints"].numpy() for pose in found]) - boxes[:, None, :2]
        return joints.reshape(len(boxes), -1).astype(np.float32)


@dataclass(frozen=True)
class Pose:
    """Poses of the objects of clips.

    Attributes:
        prepared: the clips, at the footage's own size.
        poses: where they come from.
        raw: pixels, in place of parts of the pose's height.
    """

    prepared: Prepared
    poses: PoseFinder
    raw: bool = False

    def config(self) -> Mapping[str, Any]:
        """What the bytes depend on."""
        return {"of": "pose", "features": self.poses.features, "raw": self.raw, **self.poses.config()}

    def inputs(self) -> Mapping[str, str]:
        """What the poses are of."""
        return self.poses.inputs()

    @property
    def context(self) -> int:
        """What the poses need."""
        return self.poses.context

    def __call__(self, clip: str) -> Found:
        """A vector (D,) for every pose of a clip."""
        return self._found(self.poses(self.prepared, clip))

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """A vector for every pose of the newest frame. Raises PagenError: poses or boxes of a file."""
        return self._found(self.poses.newest(frames))

    def _found(self, posed: Posed) -> Found:
        return Found(posed.poses if self.raw else normalised(posed.poses), posed.frames, posed.boxes)


def normalised(poses: Poses) -> Poses:
    """Poses (n, D), x and y by turns, less their smallest x and y and by their height."""
    joints = poses.reshape(len(poses), poses.shape[1] // 2, 2)
    joints = joints - joints.min(axis=1, keepdims=True)
    height = np.maximum(joints[..., 1].max(axis=1), FLATTEST)
    scaled: Poses = (joints / height[:, None, None]).reshape(poses.shape)
    return scaled


def open_pose(
    prepared: Prepared, boxes: str = "motion", encoder: str = "", raw: bool = False, device: str = "cpu"
) -> Pose:
    """The features of clips.

    Args:
        boxes: as `open_boxes` takes them; without a pose model `file:PATH`, a file of poses.
        encoder: `vitpose:MODEL`, or anything else for none.
        device: of the model, and of a detector.

    Raises:
        PagenError: neither a file nor a pose model, or no such file, boxes, model or device.
    """
    name, _, option = encoder.partition(":")
    if name == "vitpose":
        return Pose(prepared, ModelPoses(open_boxes(boxes, device), vision_model("vitpose", option, device)), raw)
    kind, _, path = boxes.partition(":")
    if kind != "file":
        raise PagenError(
            f"expected poses of a file (boxes 'file:PATH') or of a model (encoder 'vitpose:MODEL'), found boxes "
            f"{boxes!r} and encoder {encoder!r}; give one of them"
        )
    file = object_file(path, "pose")
    file.clips()
    return Pose(prepared, FilePoses(file), raw)
