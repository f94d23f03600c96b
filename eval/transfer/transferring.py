"""Runs scored on several data sets, and measured there under one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.evaluation import labelled, scores_of
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import Table
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.eval.transfer.calibrating import calibrating, require_calibrating
from pagen.eval.transfer.feeding import require_fed
from pagen.eval.transfer.left_out import left_out
from pagen.eval.transfer.lines import kin_of, lines_of
from pagen.eval.transfer.results import Transferred
from pagen.footage.clips import Footage
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared
from pagen.models.runs import open_run
from pagen.version import __version__


def transfer(
    runs: Sequence[Path],
    roots: Mapping[str, Path | None],
    protocol: str,
    settings: EvaluationSettings,
    compute: Compute,
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
        calibrate: by what: `source`, the data set trained on; `target`, training clips of the one tested on, for what
            is fused; or `scene`, those of each of its scenes, for every indicator.
        leave_one_out: also tell, of each method, what runs that were not trained on a data set reach there.
    """
    footage = {name: locate(name, root) for name, root in roots.items()}
    for each in footage.values():
        _require_clips(each, calibrate)
    chosen, opened = protocol_named(protocol, "a table of transfers"), [open_run(run) for run in runs]
    compute = replace(compute, device=compute.place)  # an unknown device is told before anything is prepared
    require_fed(opened, list(roots), compute.device)
    places = {name: replace(compute, root=root) for name, root in roots.items()}
    targets = [Target(footage[name], labelled(name, place), place) for name, place in places.items()]
    tables = {one.name: _table(runs, chosen, settings, calibrate, one) for one in targets}
    recipes = ([run.recipe, *(each.recipe for each in run.members.values())] for run in opened)
    kin = {str(path): kin_of(each) for path, each in zip(runs, recipes, strict=True)}
    lines = lines_of(tables, {name: name for name in tables}, kin)
    return Transferred(
        tuple(roots),
        {one.name: str(one.prepared.folder.config["label_edition"]) for one in targets},
        chosen.name,
        {name: table.title for name, table in tables.items()},
        *(calibrate, settings.weights, settings.seed, __version__),
        lines,
        left_out(lines, list(roots)) if leave_one_out else (),
    )


@dataclass(frozen=True)
class Target:
    """A data set tested on, as it was found and as it was prepared, and where that was done."""

    footage: Footage
    prepared: Prepared
    compute: Compute

    @property
    def name(self) -> str:
        return self.prepared.dataset


def _table(
    runs: Sequence[Path], protocol: Protocol, settings: EvaluationSettings, calibrate: str, target: Target
) -> Table:
    """The table of one data set, calibrated as is asked for."""
    prepared, calibrated = target.prepared, calibrating(calibrate, protocol)
    scored = [
        (run, calibrated(run, scores, target.footage, prepared, target.compute))
        for run, scores in scores_of(runs, prepared, protocol, target.compute)
    ]
    settings = replace(settings, dataset=prepared.dataset, fps=prepared.fps)
    return table_of(protocol, series_of(protocol, scored, settings), settings)


def _require_clips(footage: Footage, calibrate: str) -> None:
    name, where = footage.name, footage.root
    if not footage.split("test"):
        raise PagenError(f"expected test clips of {name} to be tested on, found none in {where}; put them there")
    require_calibrating(calibrate, footage)
    if footage.label_edition == "none":
        wanted = " or ".join(source.path for layout in footage.dataset.layouts for source in layout.labels)
        raise PagenError(f"expected frame labels of {name} in {where}, found none; put them into {wanted}")
