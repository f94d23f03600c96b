"""The verb `report`: a run's scores on a data set as one HTML file that asks the network for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.eval.settings import EvaluationSettings
from pagen.flags import Dataset, Device, Json, Processes, Rescore, Root
from pagen.folders import Folder
from pagen.footage.catalogue import DATASETS


@dataclass(frozen=True)
class Report:
    """Draw a run's scores, frames and errors as one HTML file."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    dataset: Dataset
    root: Root = None
    protocol: str = "causal"
    """Protocol (raw causal robust_causal lntra luss luss_released unified_pa unified_pa_without_d mulde accivad
    accivad_frames), or a JSON file of one's own."""
    alarms: float = 10.0
    """False alarms an hour that the operating point may have."""
    out: Path | None = None
    """The file; by default RUN/report.html."""
    pseudo: Path | None = None
    """Folder of a set of pseudo-anomalies, whose gallery the page shows."""
    device: Device = "auto"
    workers: Processes = None
    overwrite: Rescore = False
    json: Json = False


def run(config: Report) -> None:
    """The verb `report`."""
    DATASETS[config.dataset]
    Folder.open(config.run, "run", verify=False)
    from pagen.eval.report.page import write_report

    path, settings = config.out or config.run / "report.html", EvaluationSettings(alarms=config.alarms)
    about = write_report(path, config.run, config.dataset, config.protocol, settings, Compute.of(config), config.pseudo)
    console.result({"report": str(path), **about}, config.json, f"wrote {path} ({about['bytes'] / 1e6:.1f} MB)")
