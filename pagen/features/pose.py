"""Features `pose`: where an object's joints are, x and y by turns (AccI-VAD, Reiss and Hoshen 2022, with AlphaPose).

Poses come out of a file (`file:PATH`, or `file` of the boxes' file; see `box_file`), which knows no boxes of theirs, or
from a ViTPose of transformers (`vitpose:MODEL`) on boxes of any kind. Joints are in the model's order: 17 of COCO in
both.

x and y are taken less their smallest and by the height of the pose, from its highest joint to its lowest, so that
neither place nor distance counts. AccI-VAD's published files hold pixels from the corner of the box, which `raw` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from pagen.device import exact
from pagen.errors import PagenError
from pagen.features.box_file import ObjectFile, object_file
from pagen.features.box_kinds import open_boxes
from pagen.features.boxes import BoxArray
from pagen.features.objects import ObjectSource, Placed
from pagen.features.source import FeatureSource, Feed, Frames, FrameVectors
from pagen.features.spec import FeatureSpec, require_poses
from pagen.features.vision_models import VisionModel, coloured, vision_model
from pagen.footage.prepare import Prepared

Poses = npt.NDArray[np.float32]
FLATTEST = 1.0  # pixels: a lower pose counts as so high


@dataclass(frozen=True)
class FilePose:
    """The poses of a file about clips at the footage's own size; `raw`: pixels, in place of parts of their height."""

    prepared: Prepared
    file: ObjectFile
    raw: bool = False
    context: ClassVar[int] = 1

    def config(self) -> Mapping[str, Any]:
        """What the bytes depend on; D is the number of columns of the file's table."""
        features = int(next(iter(self.file.clips().values())).values.shape[1])
        return {"of": "pose", "features": features, "raw": self.raw, "poses": "file"}

    def inputs(self) -> Mapping[str, str]:
        return {"poses": self.file.fingerprint}

    def __call__(self, clip: str) -> FrameVectors:
        """A vector (D,) for every pose of a clip. Raises PagenError: as `ObjectFile.rows`, or for NaN or infinity."""
        rows = self.file.rows(self.prepared, clip)
        if not np.isfinite(rows.values).all():
            raise PagenError(f"expected finite poses of clip {clip} in {self.file.path}, found others; write it again")
        return FrameVectors(rows.values if self.raw else normalised(rows.values), rows.frames)

    def newest(self, frames: Frames) -> FrameVectors:
        """Raises PagenError: a file knows nothing of a stream."""
        raise self.file.no_stream()


@dataclass(frozen=True)
class ModelPose(ObjectSource):
    """The poses that a ViTPose finds in boxes, those of a frame at once; `raw` as in `FilePose`."""

    model: VisionModel
    raw: bool = False

    @property
    def features(self) -> int:
        """D: two numbers a joint."""
        return 2 * int(self.model.opened()[0].config.num_labels)

    def config(self) -> Mapping[str, Any]:
        poses = {"poses": "vitpose", "boxes": self.boxes.config()}
        return {"of": "pose", "features": self.features, "raw": self.raw, **poses}

    def inputs(self) -> Mapping[str, str]:
        return {**super().inputs(), "poses": self.model.fingerprint}

    def vectors_of(self, placed: Iterable[Placed]) -> Poses:
        """Poses, one a box."""
        of_frames = [self._poses(frames[-1], boxes) for frames, boxes in placed]
        poses = np.concatenate([np.empty((0, self.features), np.float32), *of_frames])
        return poses if self.raw else normalised(poses)

    def _poses(self, frame: Frames, boxes: BoxArray) -> Poses:
        """The poses (n, D) in boxes (n, 4) of a frame (H, W, C), in pixels from the box's corner."""
        import torch  # poses of files need none

        network, processor = self.model.opened()
        sized = [np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)]
        crops = processor(coloured(frame), boxes=sized, input_data_format="channels_last", return_tensors="pt")
        experts = {"dataset_index": torch.zeros(len(boxes), dtype=torch.long)}  # ViTPose+ asks; 0 is COCO
        with torch.inference_mode(), exact():
            output = network(**{key: value.to(self.model.device) for key, value in (crops | experts).items()})
        (poses,) = processor.post_process_pose_estimation(output, boxes=sized)
        joints = np.stack([pose["keypoints"].numpy() for pose in poses]) - boxes[:, None, :2]
        return joints.reshape(len(boxes), -1).astype(np.float32)


def normalised(poses: Poses) -> Poses:
    """Poses (n, D), x and y by turns, less their smallest x and y and by their height."""
    joints = poses.reshape(len(poses), poses.shape[1] // 2, 2)
    joints = joints - joints.min(axis=1, keepdims=True)
    height = np.maximum(joints[..., 1].max(axis=1), FLATTEST)
    return cast(Poses, (joints / height[:, None, None]).reshape(poses.shape))


def open_pose(spec: FeatureSpec, feed: Feed) -> FeatureSource:
    """The features `pose`: of what `poses` names, a file, the file of `boxes`, or a model.

    Raises PagenError: as `file_of_poses`, or no such boxes, model or device.
    """
    file, device = file_of_poses(spec), feed.compute.device
    if file is not None:
        return FilePose(feed.clips(None, spec.colour), file, spec.raw_poses)
    model = vision_model("vitpose", spec.poses.partition(":")[2], device)
    boxes = open_boxes(spec.boxes, device)
    return ModelPose(feed.clips(None, spec.colour), boxes, model, spec.raw_poses)


def file_of_poses(spec: FeatureSpec) -> ObjectFile | None:
    """The file that holds the poses; None where a model finds them.

    Raises PagenError: no file named, no such file, or none of poses in it.
    """
    require_poses(spec)
    name, _, option = spec.poses.partition(":")
    if name != "file":
        return None
    file = object_file(option or spec.boxes.partition(":")[2], "pose")
    file.clips()  # refuses a damaged one at once
    return file
