"""The verb `report`: a run's scores on a data set as one HTML file that asks the network for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.eval.settings import EvaluationSettings
from pagen.folders import Folder
from pagen.footage.catalogue import DATASETS


@dataclass(frozen=True)
class Report:
    """Draw a run's scores, frames and errors as one HTML file."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    dataset: str
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    protocol: str = "causal"
    """Protocol (raw causal lntra luss luss_released unified_pa mulde accivad), or a JSON file of one's own."""
    alarms: float = 10.0
    """False alarms an hour that the operating point may have."""
    out: Path | None = None
    """The file; by default RUN/report.html."""
    pseudo: Path | None = None
    """Folder of a set of pseudo-anomalies, whose gallery the page shows."""
    device: str = "auto"
    """Where the run is scored: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    overwrite: bool = False
    """Score again, where scores of an earlier state of the run or the footage are kept."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Report) -> None:
    """The verb `report`."""
    DATASETS[config.dataset]
    Folder.open(config.run, "run", verify=False)
    from pagen.eval.report.page import write_report

    path, settings = config.out or config.run / "report.html", EvaluationSettings(alarms=config.alarms)
    about = write_report(path, config.run, config.dataset, config.protocol, settings, Compute.of(config), config.pseudo)
    console.result({"report": str(path), **about}, config.json, f"wrote {path} ({about['bytes'] / 1e6:.1f} MB)")
