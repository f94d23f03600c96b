"""The test clips of a data set with the labels of an edition: what every figure of a data set is measured against.

Prepared clips hold the labels of the first edition that is there. Those of another are read from the footage, and
nothing is prepared or scored again: frames and scores do not depend on labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pagen.arrays import Frames
from pagen.compute import Compute
from pagen.errors import PagenError, require_name
from pagen.eval.counted import require_classes
from pagen.eval.scores import Scores
from pagen.eval.settings import EvaluationSettings
from pagen.footage.catalogue import DATASETS
from pagen.footage.clips import NO_LABELS, Footage
from pagen.footage.editions import told
from pagen.footage.labels.said import Fitted
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared, prepare, require_one_a_frame

ALL = "all"
"""Asks for every edition that is there."""


@dataclass(frozen=True)
class Labelled:
    """A data set at the footage's own size, and what the labels of an edition say of its test clips.

    Attributes:
        labels: test clip -> (T,) uint8, 1 = abnormal, 255 = left out.
        told: which labels were made to fit their clips, in a line; empty where all did fit.
    """

    prepared: Prepared
    edition: str
    labels: Mapping[str, Frames]
    told: str = ""

    @property
    def scenes(self) -> dict[str, str]:
        """Test clip -> its scene; empty where the data set tells none apart."""
        return {name: scene for name in self.labels if (scene := self.prepared.scene(name))}

    def settings(self, others: EvaluationSettings) -> EvaluationSettings:
        """What tables of it are measured with."""
        where = replace(others, dataset=self.prepared.dataset, fps=self.prepared.fps, scenes=self.scenes)
        return replace(where, labels=self.edition, told=self.told, part=self.prepared.part)

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
    footage = locate(dataset, compute.root)
    require_tests(footage)
    default = footage.label_edition
    wanted = (edition or default,) if footage.editions and edition != ALL else footage.editions or (default,)
    for name in wanted:  # before anything is prepared
        require_name(f"edition of labels of {dataset}", name, footage.editions or (default,))
    prepared = prepare(dataset, compute.root, size=None, workers=compute.workers, partial=compute.partial)
    read = {name: dict(_prepared(prepared) if name == default else _read(prepared, footage, name)) for name in wanted}
    return [_labelled(prepared, name, found) for name, found in read.items()]


def to_test(compute: Compute, footage: Footage) -> Compute:
    """The same, for footage that is tested on: nothing of its training split need be there."""
    missing = footage.missing
    untrained = missing.keys() == {"train"} and missing["train"][0] == 0
    return replace(compute, partial=compute.partial or untrained)


def require_tests(footage: Footage) -> None:
    """Raise PagenError for a data set in which there is nothing to test on."""
    if not footage.split("test"):
        where = f" in {footage.root}; put them there" if footage.root else "; test on each data set by itself"
        raise PagenError(f"expected test clips of {footage.name} to be tested on, found none{where}")


def _labelled(prepared: Prepared, edition: str, found: Mapping[str, Fitted | None]) -> Labelled:
    """With labels that are there for every clip, and of both classes."""
    missing = [name for name, fitted in found.items() if fitted is None]
    if missing:
        raise _missing(prepared, edition, len(found), missing)
    fitting = {name: fitted for name, fitted in found.items() if fitted is not None}
    labels = {name: fitted.labels for name, fitted in fitting.items()}
    require_classes(labels, f"test frames of {prepared.dataset}")
    return Labelled(prepared, edition, labels, told({name: fitted.surplus for name, fitted in fitting.items()}))


def _prepared(prepared: Prepared) -> Iterator[tuple[str, Fitted | None]]:
    """Test clip -> its labels of the edition that was prepared."""
    for name in prepared.clips("test"):
        labels = prepared.labels(name)
        yield name, None if labels is None else Fitted(labels, prepared.surplus(name))


def _read(prepared: Prepared, footage: Footage, edition: str) -> Iterator[tuple[str, Fitted | None]]:
    """Test clip -> its labels of another edition."""
    for clip in footage.split("test"):
        fitted = clip.fitted_labels(edition, prepared.length(clip.name))
        if fitted is not None:
            require_one_a_frame(clip.name, "labels", len(fitted.labels), prepared.length(clip.name))
        yield clip.name, fitted


def _missing(prepared: Prepared, edition: str, clips: int, missing: Sequence[str]) -> PagenError:
    """Clips have no labels: where these are looked for."""
    footage = prepared.folder.volatile
    layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == footage["layout"]]
    of = f" of edition {edition}" if edition != NO_LABELS else ""
    files = " or ".join(source.path for layout in layouts for source in layout.labels)
    return PagenError(
        f"expected frame labels{of} for the {clips} test clips of {prepared.dataset}, found none for {len(missing)} "
        f"({missing[0]} first); put them into {files} below {footage['root']}"
    )
