"""The verb `transfer`: runs trained on one data set and tested on others, beside each one's trivial baselines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.engine import Address, Engine, workers_of
from pagen.errors import PagenError
from pagen.eval.flags import OneProtocol
from pagen.eval.settings import EvaluationSettings
from pagen.figures import require_form
from pagen.flags import Device, Json, Partial, Processes, Rescore, Rounding
from pagen.folders import Folder, write_text
from pagen.footage.catalogue import DATASETS
from pagen.options import FusionWeights


@dataclass(frozen=True)
class Transfer:
    """Score runs on several data sets' test splits, their own among them: trained on one, tested on another."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    datasets: tuple[str, ...]
    """Names of the data sets to test on, as `pagen datasets` lists them."""
    roots: tuple[Path, ...] = ()
    """Where the footage lies: one folder for all data sets, or one for each, in their order."""
    protocol: OneProtocol = "causal"
    calibrate: Literal["source", "target", "scene"] = "source"
    """What is fused is calibrated by the data set trained on, or by training clips (normal, unlabelled) of the one
    tested on; by scene, every indicator is, by those of the same scene."""
    leave_one_out: bool = False
    """Also tell, of each method, what runs that were not trained on a data set reach there."""
    labels: tuple[str, ...] = ()
    """Editions of labels, where they are not the first that is there: EDITION for all data sets, or DATASET=EDITION;
    several of one data set, or DATASET=all, give it several columns."""
    weights: FusionWeights = "published"
    """Weights of what is fused: as published, alike, by held-out pseudo-anomalies, or fitted to the test labels."""
    choose_on: str | None = None
    """Another labelled data set, on which weights of what is fused, the smoothing and checkpoints are chosen."""
    choose_root: Path | None = None
    """Where its footage lies, if not where `pagen datasets` finds it."""
    device: Device = "auto"
    rounding: Rounding = "fp32"
    workers: Processes = None
    engine: Engine = "local"
    address: Address = None
    seed: int = 0
    """Seed of the bootstrap behind the intervals."""
    overwrite: Rescore = False
    partial: Partial = False
    json: Json = False
    write: Path | None = None
    """Also write the tables to this Markdown file."""
    plot: Path | None = None
    """Also draw them as a heat map, into this file (.png, .pdf or .svg)."""

    def __post_init__(self) -> None:
        workers_of(self)  # refuses an address that nothing would go to


def run(config: Transfer) -> None:
    """The verb `transfer`."""
    roots = require_roots(config)
    if config.plot is not None:
        require_form(config.plot)
    from pagen.eval.transfer import results, transferring

    settings = EvaluationSettings(seed=config.seed, weights=config.weights, choose_on=config.choose_on)
    settings = replace(settings, choose_root=config.choose_root)
    how = (config.protocol, settings, Compute.of(config), editions_of(config), config.calibrate, config.leave_one_out)
    transferred = transferring.transfer(config.runs, roots, *how)
    if config.plot is not None:
        from pagen.eval.transfer.heat_map import heat_map

        heat_map(transferred, config.plot)
        console.say(f"wrote {config.plot}")
    if config.write is not None:
        write_text(config.write, results.page(transferred, config))
        console.say(f"wrote {config.write}")
    console.result(asdict(transferred), config.json, results.text(transferred))


def require_roots(config: Transfer) -> dict[str, Path | None]:
    """Data set -> its root. Raises PagenError for what can be told to be missing without reading any footage."""
    for what, given in (("run folders", config.runs), ("names as --datasets", config.datasets)):
        if not given:
            raise PagenError(f"expected {what}, found none; as in: pagen transfer RUN --datasets ped2 street")
    if len(set(config.datasets)) < len(config.datasets):
        raise PagenError(f"expected each data set once, found {' '.join(config.datasets)}; leave one out")
    if config.choose_on and config.calibrate != "source":
        found = f"{config.calibrate}, which moves scores that nothing was chosen by"
        raise PagenError(f"expected --calibrate source with --choose-on, found {found}; leave one of them out")
    if len(config.roots) not in (0, 1, len(config.datasets)):
        wanted = f"one folder as --roots, or one for each of {len(config.datasets)} data sets"
        raise PagenError(f"expected {wanted}, found {len(config.roots)}")
    for name in config.datasets:
        DATASETS[name]
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    roots = config.roots * len(config.datasets) if len(config.roots) == 1 else config.roots
    return dict(zip(config.datasets, roots or (None,) * len(config.datasets), strict=True))


def editions_of(config: Transfer) -> dict[str, tuple[str, ...]]:
    """Data set -> the editions of its labels that are asked for. Raises PagenError for one that is not tested on."""
    editions: dict[str, tuple[str, ...]] = {}
    for asked in config.labels:
        dataset, named, edition = asked.partition("=")
        if named and dataset not in config.datasets:
            wanted = f"DATASET=EDITION as --labels, of {' '.join(config.datasets)}"
            raise PagenError(f"expected {wanted}, found {asked}; name one of them")
        for name in (dataset,) if named else config.datasets:
            editions[name] = (*editions.get(name, ()), edition if named else asked)
    return editions
