"""The test clips of a data set with the labels of an edition: what every figure of a data set is measured against.

Prepared clips hold the labels of the first edition that is there. Those of another are read from the footage, and
nothing is prepared or scored again: frames and scores do not depend on labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pagen.arrays import Frames
from pagen.compute import Compute
from pagen.errors import PagenError, require_name
from pagen.eval.counted import require_classes
from pagen.eval.scores import Scores
from pagen.eval.settings import EvaluationSettings
from pagen.footage.catalogue import DATASETS
from pagen.footage.clips import Footage
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared, prepare, require_one_a_frame

ALL = "all"
"""Asks for every edition that is there."""


@dataclass(frozen=True)
class Labelled:
    """A data set at the footage's own size, and what the labels of an edition say of its test clips.

    Attributes:
        labels: test clip -> (T,) uint8, 1 = abnormal, 255 = left out.
        scenes: test clip -> its scene; empty where the data set tells none apart.
    """

    prepared: Prepared
    edition: str
    labels: Mapping[str, Frames]
    scenes: Mapping[str, str]

    def settings(self, others: EvaluationSettings) -> EvaluationSettings:
        """What tables of it are measured with."""
        own = {"dataset": self.prepared.dataset, "fps": self.prepared.fps, "scenes": self.scenes}
        return replace(others, labels=self.edition, **own)

    def of(self, scored: Sequence[tuple[str, Scores]]) -> list[tuple[str, Scores]]:
        """Scores with these labels."""
        return [(run, replace(scores, labels=dict(self.labels))) for run, scores in scored]


def labelled(dataset: str, compute: Compute, edition: str = "") -> Labelled:
    """A data set with the labels of one edition, by default the first. Raises PagenError as `labelled_by_each`."""
    first, *others = labelled_by_each(dataset, compute, edition)
    if others:
        names = " ".join(one.edition for one in (first, *others))
        raise PagenError(f"expected one edition of labels of {dataset}, found {ALL}; choose one of {names}")
    return first


def labelled_by_each(dataset: str, compute: Compute, edition: str = "") -> list[Labelled]:
    """A data set with the labels of an edition, or of each where `all` is asked for.

    Raises PagenError: no such edition there, test clips without its labels, labels that do not fit, or of one class.
    """
    prepared = prepare(dataset, compute.root, size=None, workers=compute.workers, partial=compute.partial)
    footage = locate(dataset, compute.root)
    if not prepared.clips("test"):
        raise PagenError(f"expected test clips in {dataset}, found none; there is nothing to score")
    default = str(prepared.folder.config["label_edition"])
    wanted = footage.editions if edition == ALL else (edition or default,)
    scenes = {clip.name: clip.scene for clip in footage.split("test") if clip.scene}
    return [Labelled(prepared, each, _labels(prepared, footage, each), scenes) for each in wanted or (default,)]


def _labels(prepared: Prepared, footage: Footage, edition: str) -> dict[str, Frames]:
    """Test clip -> (T,), of an edition."""
    if edition == str(prepared.folder.config["label_edition"]):
        found = {name: prepared.labels(name) for name in prepared.clips("test")}
    else:
        require_name(f"edition of labels of {prepared.dataset}", edition, footage.editions)
        found = dict(_read(prepared, footage, edition))
    missing = [name for name, marks in found.items() if marks is None]
    if missing:
        raise _missing(prepared, edition, len(found), missing)
    labels = {name: marks for name, marks in found.items() if marks is not None}
    require_classes(labels, f"test frames of {prepared.dataset}")
    return labels


def _read(prepared: Prepared, footage: Footage, edition: str) -> Iterator[tuple[str, Frames | None]]:
    for clip in footage.split("test"):
        marks = clip.labels(edition)
        if marks is not None:
            require_one_a_frame(clip.name, f"labels of {edition}", len(marks), prepared.length(clip.name))
        yield clip.name, None if marks is None else np.asarray(marks)


def _missing(prepared: Prepared, edition: str, clips: int, missing: Sequence[str]) -> PagenError:
    """Clips have no labels: where these are looked for."""
    footage = prepared.folder.volatile
    layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == footage["layout"]]
    files = " or ".join(source.path for layout in layouts for source in layout.labels)
    return PagenError(
        f"expected frame labels for the {clips} test clips of {prepared.dataset}, found none for {len(missing)} "
        f"({missing[0]} first; edition {edition}); put them into {files} below {footage['root']}"
    )
