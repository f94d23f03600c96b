"""Features of several kinds of objects joined to one vector each, `velocity+deep`: their joint density, beside a sum.

Rows of the kinds have to correspond: kinds that look into boxes look into the same ones. Poses of a file have no boxes,
and correspond where the file has as many poses as boxes in every frame, in the order of the boxes (AccI-VAD's published
one has not).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pagen.errors import PagenError
from pagen.features.box_file import ObjectFile, object_file
from pagen.features.kinds import FEATURES, JOIN
from pagen.features.pose import file_of_poses
from pagen.features.source import FeatureSource, Feed, Frames, FrameVectors, farthest
from pagen.features.spec import FeatureSpec
from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class Joined:
    """The vectors of several sources of objects, one after the other; boxes are those of the first that has them."""

    sources: tuple[FeatureSource, ...]

    @property
    def prepared(self) -> Prepared:
        return self.sources[0].prepared

    @property
    def context(self) -> int:
        return max(source.context for source in self.sources)

    @property
    def ahead(self) -> int | None:
        """How many frames after its own a vector is made of: the most of a kind; None where one does not say."""
        return farthest(self.sources)

    @cached_property
    def _configs(self) -> list[dict[str, Any]]:
        return [dict(source.config()) for source in self.sources]

    def config(self) -> Mapping[str, Any]:
        features = sum(config["features"] for config in self._configs)
        return {
            "of": JOIN.join(config["of"] for config in self._configs),
            "features": features,
            "parts": self._configs,
        }

    def inputs(self) -> Mapping[str, str]:
        named = zip(self._configs, self.sources, strict=True)
        return {f"{config['of']} {name}": each for config, one in named for name, each in one.inputs().items()}

    def __call__(self, clip: str) -> FrameVectors:
        """Raises PagenError: kinds whose rows do not correspond."""
        parts = [source(clip) for source in self.sources]
        boxes = next((part.boxes for part in parts if part.boxes is not None), None)
        for config, part in zip(self._configs, parts, strict=True):
            alike = boxes is None or part.boxes is None or np.array_equal(part.boxes, boxes)
            if not alike or not np.array_equal(part.frames, parts[0].frames):
                first, other = (
                    f"{len(one.frames)} {of['of']}" for one, of in ((parts[0], self._configs[0]), (part, config))
                )
                raise _apart(clip, first, other)
        return FrameVectors(np.concatenate([part.vectors for part in parts], axis=1), parts[0].frames, boxes)

    def newest(self, frames: Frames) -> FrameVectors:
        """Of the newest frame; none where a kind has none yet. Raises PagenError as the kinds do."""
        parts = [source.newest(frames[-source.context :]) for source in self.sources]
        count = min(len(part.frames) for part in parts)
        vectors = np.concatenate([part.vectors[:count] for part in parts], axis=1)
        boxes = parts[0].boxes
        return FrameVectors(vectors, np.zeros(count, np.int64), None if boxes is None else boxes[:count])


def open_joined(spec: FeatureSpec, feed: Feed) -> Joined:
    """The kinds that stand between plus signs, each by the options that it looks at.

    Raises PagenError as they do, and for poses of a file that do not belong to the boxes.
    """
    names = spec.name.split(JOIN)
    if "pose" in names and (poses := file_of_poses(spec)) is not None:
        _require_matching(poses, spec.boxes)
    return Joined(tuple(_opened(spec, name, feed) for name in names))


def _opened(spec: FeatureSpec, name: str, feed: Feed) -> FeatureSource:
    kind = FEATURES[name]
    options = {field: getattr(spec, field) for field in kind.takes}
    return kind.source(FeatureSpec(name, **options), feed)


def _require_matching(poses: ObjectFile, boxes: str) -> None:
    """Raise PagenError, before anything is computed, for poses that are not one for each of the boxes of a file."""
    kind, _, path = boxes.partition(":")
    placed = object_file(path, "box").clips() if kind == "file" else {}
    for clip, posed in poses.clips().items():
        frames = placed[clip].frames if clip in placed else np.empty(0, np.int64)
        if not np.array_equal(posed.frames, frames):
            raise _apart(clip, f"{len(frames)} boxes of {boxes!r}", f"{len(posed.frames)} poses")


def _apart(clip: str, first: str, other: str) -> PagenError:
    return PagenError(
        f"expected kinds of features of the same objects to join, found {first} and {other} in clip {clip}, or "
        "others by frame; add them up instead: train with --features objects --kinds"
    )
