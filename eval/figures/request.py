"""What a figure is drawn of: runs, their names, videos and frames of a data set, under one protocol."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pagen.compute import Compute
from pagen.errors import PagenError, require_name
from pagen.eval.baselines import scores_of
from pagen.eval.labelled import Labelled, labelled
from pagen.eval.metrics.events import events
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import Series, headline
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.side_by_side import labels_of
from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class Request:
    """The request; `width` is in inches, `frames` may be empty."""

    runs: tuple[Path, ...]
    names: tuple[str, ...]
    labelled: Labelled
    videos: tuple[str, ...]
    frames: tuple[int, ...]
    protocol: Protocol
    compute: Compute
    width: float

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """Of the trivial baselines and of every indicator of the runs, under the protocol."""
        scored = self.labelled.of(scores_of(self.runs, self.prepared, self.protocol, self.compute))
        return series_of(self.protocol, scored, self.labelled.settings(EvaluationSettings()))

    @property
    def prepared(self) -> Prepared:
        """The data set at the footage's own size."""
        return self.labelled.prepared

    def of_run(self, run: Path) -> list[Series]:
        """The series of one run."""
        return [one for one in self.series if one.run == str(run)]

    def spans(self, video: str) -> list[tuple[int, int]]:
        """When a video is labelled abnormal: the first frame, and the one after the last."""
        return [(int(start), int(end)) for start, end in events(np.asarray(self.labelled.labels[video]))]

    def mask(self, video: str, frame: int) -> npt.NDArray[np.bool_] | None:
        """What is marked (H, W) in a frame at the footage's own size; None where there are no masks."""
        masks = self.prepared.each_mask(video)
        return None if masks is None else next(islice(masks, frame, None))

    def shown_frames(self) -> tuple[int, ...]:
        """The frames asked for, else the one of the first video that the first run scores highest."""
        if self.frames:
            return self.frames
        series, video = headline(self.of_run(self.runs[0])), self.videos[0]
        if video not in series.final:
            raise PagenError(f"protocol {self.protocol.name} scores no frame of {video}; give --frame")
        return (int(series.frames[video][np.argmax(series.final[video])]),)


def request_of(
    runs: tuple[Path, ...],
    dataset: str,
    videos: tuple[str, ...],
    frames: tuple[int, ...],
    protocol: str,
    compute: Compute,
    names: tuple[str, ...] = (),
    width: float = 3.4,
    edition: str = "",
) -> Request:
    """Read footage and names.

    Raises PagenError: as `labelled`, an unknown video or protocol, a frame beyond the end, or a run given twice.
    """
    chosen = protocol_named(protocol, "a figure")
    data = labelled(dataset, compute, edition)
    prepared = data.prepared
    clips = prepared.clips("test")
    for video in videos:
        require_name(f"test video of {dataset}", video, clips)
    for frame in frames:
        length = prepared.length(videos[0])
        if not 0 <= frame < length:
            raise PagenError(f"expected a --frame from 0 to {length - 1} of {videos[0]}, found {frame}")
    called = names or tuple(labels_of(runs, dataset))
    return Request(runs, called, data, videos or tuple(clips), frames, chosen, compute, width)
