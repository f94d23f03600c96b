"""The source of a kind of features, of a data set or of a camera."""

from __future__ import annotations

from dataclasses import replace

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.box_kinds import open_boxes
from pagen.features.kinds import FEATURES
from pagen.features.pose import file_of_poses
from pagen.features.segments import Segmented
from pagen.features.source import FeatureSource, Feed
from pagen.features.spec import FeatureSpec, takes
from pagen.features.stretched import Stretched
from pagen.footage.flow_file import check_flow_files
from pagen.footage.locate import locate
from pagen.footage.outline import outline
from pagen.footage.prepare import Size
from pagen.options import SIZE


def open_source(spec: FeatureSpec, dataset: str, compute: Compute) -> FeatureSource:
    """The source of features of a data set's clips, which are prepared where they have not been.

    Raises PagenError: no such kind, data set or device, a model or run that is missing or of another kind, or an option
    too many or too few.
    """
    return _opened(spec, Feed(replace(compute, device=compute.place), dataset))


def open_stream(spec: FeatureSpec, size: Size, device: str) -> FeatureSource:
    """The source of features of a camera, of which `newest` alone can be used; its `prepared` is a `Stream`.

    It needs neither the clips of training nor their flow. `size` is (H, W) of the frames. Errors as `open_source`.
    """
    return _opened(spec, Feed(Compute(device=device), camera=size))


def _opened(spec: FeatureSpec, feed: Feed) -> FeatureSource:
    """The source, averaged over segments where that is wanted and its vectors are not of segments as they come.

    Where clips have breaks, it is given their stretches.
    """
    source = FEATURES[spec.name].source(spec, feed)
    averaged = spec.segment > 1 and source.config().get("span", 1) == 1
    source = Segmented(source, spec.segment) if averaged else source
    broken = not feed.live and len(source.prepared.stretches()) > len(source.prepared.clips())
    return Stretched(source) if broken else source


def check_sources(spec: FeatureSpec, device: str) -> None:
    """Raise PagenError for what is missing of features of recorded clips, or does not fit, before a clip is prepared.

    All that they are made of is opened as for a camera, save the frames.
    """
    open_stream(spec, SIZE, Compute(device=device).place)


def check_files(spec: FeatureSpec, dataset: str, compute: Compute, least: int = 1) -> None:
    """Raise PagenError for fewer training clips, and for files about them that do not fit, before any is prepared.

    Such files are those of boxes, poses or flow.
    """
    count = sum(clip.split == "train" for clip in locate(dataset, compute.root).clips)
    if count < least:
        raise PagenError(f"expected {least} training clips and more in {dataset}, found {count}; give more footage")
    taken = takes(spec.of)
    boxes = open_boxes(spec.boxes) if "boxes" in taken and spec.boxes.startswith("file:") else None
    poses = file_of_poses(spec) if "poses" in taken else None
    if boxes or poses:
        clips = outline(dataset, compute.root, compute.workers, compute.partial)
        for clip in clips.clips("train"):
            if boxes:
                boxes(clips, clip)
            if poses:
                poses.rows(clips, clip)
    if "flow" in taken:
        check_flow_files(spec.flow, dataset, compute)
