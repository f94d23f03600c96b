"""Runs scored on several data sets, and measured there under one protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import scores_of
from pagen.eval.choose import Judge, judge_of, places_of, require_other
from pagen.eval.labelled import Labelled, labelled_by_each, require_tests, to_test
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import Table
from pagen.eval.scores import Scores
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.eval.transfer.calibrating import calibrating, require_calibrating
from pagen.eval.transfer.feeding import require_fed
from pagen.eval.transfer.left_out import left_out
from pagen.eval.transfer.lines import Kin, kin_of, lines_of
from pagen.eval.transfer.results import Transferred
from pagen.footage.clips import NO_LABELS, Footage
from pagen.footage.locate import locate
from pagen.models.runs import Run, open_run
from pagen.version import __version__

NOTHING: Mapping[str, Sequence[str]] = {}


def transfer(
    runs: Sequence[Path],
    roots: Mapping[str, Path | None],
    protocol: str,
    settings: EvaluationSettings,
    compute: Compute,
    editions: Mapping[str, Sequence[str]] = NOTHING,
    calibrate: str = "source",
    leave_one_out: bool = False,
) -> Transferred:
    """Score every run, and the trivial baselines, on every data set, and measure them under a protocol.

    Scores are kept as `evaluate` keeps them, and taken up where they were stopped. Raises PagenError: footage, labels
    or clips that are missing, a test split of one class, no such protocol or device, or a run that no other data set
    can be fed to.

    Args:
        roots: data set to test on -> where its footage lies; the `root` of `compute` plays no part.
        protocol: the name of one, or the path of a JSON file.
        editions: data set -> editions of its labels, a column each, where that is not the first that is there.
        calibrate: by what: `source`, the data set trained on; `target`, training clips of the one tested on, for what
            is fused; or `scene`, those of each of its scenes, for every indicator.
        leave_one_out: also tell, of each method, what runs that were not trained on a data set reach there.
    """
    chosen, opened = protocol_named(protocol, "a table of transfers"), [open_run(run) for run in runs]
    compute = replace(compute, device=compute.place)  # an unknown device is told before anything is prepared
    targets = [_target(name, root, compute, calibrate) for name, root in roots.items()]
    require_other(settings.choose_on, list(roots))
    require_fed(opened, list(roots), compute.device)
    columns = {target.name: target.columns(editions.get(target.name, ("",))) for target in targets}
    first = [next(iter(labels.values())).prepared for labels in columns.values()]
    measuring = Measuring(runs, chosen, settings, calibrate, judge_of(runs, first, settings, compute))
    tables = {name: table for one in targets for name, table in measuring.tables(one, columns[one.name])}
    datasets = {column: name for name, labels in columns.items() for column in labels}
    lines = lines_of(tables, datasets, dict(zip(map(str, runs), map(_kin, opened), strict=True)))
    return Transferred(
        tuple(tables),
        {column: one.edition for labels in columns.values() for column, one in labels.items()},
        chosen.name,
        {name: table.title for name, table in tables.items()},
        *(calibrate, settings.weights, settings.seed, __version__),
        lines,
        left_out(lines, list(tables)) if leave_one_out else (),
        {one.dataset: one.folder.config["missing"] for one in first if "missing" in one.folder.config},
    )


@dataclass(frozen=True)
class Target:
    """A data set tested on, as it was found, and where it is worked on."""

    footage: Footage
    compute: Compute

    @property
    def name(self) -> str:
        return self.footage.name

    def columns(self, editions: Sequence[str]) -> dict[str, Labelled]:
        """The column of each edition of labels that is asked for, and what it is measured by.

        Raises PagenError as `labelled_by_each`.
        """
        each = [one for edition in editions for one in labelled_by_each(self.name, self.compute, edition)]
        if len(each) == 1:
            return {self.name: each[0]}
        return {f"{self.name} ({one.edition})": one for one in each}


@dataclass(frozen=True)
class Measuring:
    """How every data set is measured."""

    runs: Sequence[Path]
    protocol: Protocol
    settings: EvaluationSettings
    calibrate: str
    judge: Judge | None

    def tables(self, target: Target, columns: Mapping[str, Labelled]) -> Iterator[tuple[str, Table]]:
        """The table of each column; what is scored serves all of them."""
        choices = self.judge.choices(self.protocol, target.name) if self.judge else {}
        scored = self._scored(target, next(iter(columns.values())), places_of(choices))
        for column, labelled in columns.items():
            settings = replace(labelled.settings(self.settings), labels="", part="")  # which are told once, above all
            settings = replace(settings, chosen_on=self.judge.chosen_on if self.judge else None)
            series = series_of(self.protocol, labelled.of(scored), settings, choices)
            yield column, table_of(self.protocol, series, settings)

    def _scored(self, target: Target, labelled: Labelled, places: Mapping[str, Path]) -> list[tuple[str, Scores]]:
        """The trivial baselines and runs, at the states of training in `places`, calibrated as is asked for."""
        calibrated, prepared = calibrating(self.calibrate, self.protocol), labelled.prepared
        return [
            (run, calibrated(str(places.get(run, run)), scores, target.footage, prepared, target.compute))
            for run, scores in scores_of(self.runs, prepared, self.protocol, target.compute, places)
        ]


def _kin(run: Run) -> Kin:
    return kin_of([run.recipe, *(each.recipe for each in run.members.values())])


def _target(name: str, root: Path | None, compute: Compute, calibrate: str) -> Target:
    """A data set that has the clips and labels that it needs. Raises PagenError for one that has not."""
    footage = locate(name, root)
    require_tests(footage)
    require_calibrating(calibrate, footage)
    if footage.label_edition == NO_LABELS:
        wanted = " or ".join(source.path for layout in footage.dataset.layouts for source in layout.labels)
        raise PagenError(f"expected frame labels of {name} in {footage.root}, found none; put them into {wanted}")
    return Target(footage, to_test(replace(compute, root=root), footage))
