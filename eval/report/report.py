"""The verb `report`: scores of one run or several on a data set as one HTML file that asks the network for nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.flags import Edition, OneProtocol
from pagen.eval.settings import EvaluationSettings
from pagen.flags import Called, Dataset, Device, Json, Partial, Processes, Rescore, Root, Rounding
from pagen.folders import Folder
from pagen.footage.catalogue import DATASETS
from pagen.footage.own import asked_as


@dataclass(frozen=True)
class Report:
    """Draw a run's scores, frames and errors as one HTML file; of several runs, one beside the other."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders: one, or several to compare."""
    dataset: Dataset
    root: Root = None
    protocol: OneProtocol = "causal"
    labels: Edition = ""
    alarms: float = 10.0
    """False alarms an hour that the operating point may have."""
    out: Path | None = None
    """The file; by default RUN/report.html of one run, and report.html of several."""
    pseudo: Path | None = None
    """Folder of a set of pseudo-anomalies, whose gallery the page of one run shows."""
    device: Device = "auto"
    rounding: Rounding = "fp32"
    workers: Processes = None
    overwrite: Rescore = False
    partial: Partial = False
    called: Called = None
    json: Json = False


def run(config: Report) -> None:
    """The verb `report`."""
    DATASETS[config.dataset]
    if not config.runs:
        asked = shlex.join(asked_as(config.dataset))
        raise PagenError(f"expected run folders, found none; as in: pagen report RUN {asked}")
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    if config.pseudo and len(config.runs) > 1:
        raise PagenError(f"expected no --pseudo for several runs, found {config.pseudo}; leave it out, or give one run")
    path = config.out or (config.runs[0] / "report.html" if len(config.runs) == 1 else Path("report.html"))
    about = _write(path, config)
    console.result({"report": str(path), **about}, config.json, f"wrote {path} ({about['bytes'] / 1e6:.1f} MB)")


def _write(path: Path, config: Report) -> dict[str, Any]:
    from pagen.eval.labelled import to_test
    from pagen.footage.locate import locate

    what = (
        config.dataset,
        config.protocol,
        EvaluationSettings(alarms=config.alarms, labels=config.labels),
        to_test(Compute.of(config), locate(config.dataset, config.root)),
    )
    if len(config.runs) > 1:
        from pagen.eval.report.comparison import write_comparison

        return write_comparison(path, config.runs, *what)
    from pagen.eval.report.page import write_report

    return write_report(path, config.runs[0], *what, config.pseudo)
