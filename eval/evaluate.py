"""The verb `evaluate`: runs on a data set's test split, beside trivial baselines; and anybody's scores and boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.engine import Address, Engine, workers_of
from pagen.errors import PagenError
from pagen.eval.flags import Protocols
from pagen.eval.results import Evaluation
from pagen.eval.settings import EvaluationSettings
from pagen.flags import Called, Device, Json, Partial, Processes, Rescore, Root, Rounding
from pagen.folders import Folder, folder_name, write_text
from pagen.footage.catalogue import DATASETS
from pagen.options import FusionWeights, flag_of


@dataclass(frozen=True)
class Evaluate:
    """Score runs on a data set's test split, or take scores out of files, and print a table for each protocol."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders; with none, the trivial baselines alone are evaluated."""
    dataset: str | None = None
    """Name of the data set, as `pagen datasets` lists them."""
    root: Root = None
    protocol: Protocols = ()
    weights: FusionWeights = "published"
    """Weights of what is fused: as published, alike, by held-out pseudo-anomalies, or fitted to the test labels."""
    choose_on: str | None = None
    """Another labelled data set, on which weights of what is fused, the smoothing and checkpoints are chosen."""
    choose_root: Path | None = None
    """Where its footage lies; by default below --root, too."""
    alarms: float = 10.0
    """False alarms an hour that operating points may have."""
    localise: bool = False
    """Also measure where runs err, by RBDC and TBDC, against the data set's pixel masks."""
    by_event: bool = False
    """Also measure each kind of anomaly on its own, where the data set names them, and else each clip's."""
    scores: tuple[Path, ...] = ()
    """In place of runs: files of scores (.npz .npy .csv .json, or a folder); differences are to the first one."""
    labels: str | None = None
    """Edition of the data set's labels, or `all` for a row of each; by default the first that is there. Of scores out
    of files, and for the frames of boxes out of files: a file in the same forms, 1 = abnormal, 255 = left out."""
    fps: float | None = None
    """Frames a second of these scores; without it, nothing is said of alarms."""
    detections: Path | None = None
    """In place of runs: a folder of VIDEO.txt with lines frame,x_min,y_min,x_max,y_max,score."""
    tracks: Path | None = None
    """For these: a folder of VIDEO.txt with lines track,frame,x_min,y_min,x_max,y_max."""
    frames: Path | None = None
    """In place of --labels of boxes: a JSON file {"video": number of frames}."""
    device: Device = "auto"
    rounding: Rounding = "fp32"
    workers: Processes = None
    engine: Engine = "local"
    address: Address = None
    seed: int = 0
    """Seed of the bootstrap behind the intervals."""
    overwrite: Rescore = False
    partial: Partial = False
    called: Called = None
    json: Json = False
    write: Path | None = None
    """Also write the tables to this Markdown file."""

    def __post_init__(self) -> None:
        workers_of(self)  # refuses an address that nothing would go to


WAYS = {
    "dataset": ((), ("runs", "root", "called", "localise", "by_event", "labels", "choose_on", "choose_root")),
    "scores": (("labels",), ("labels", "fps")),
    "detections": (("tracks",), ("tracks", "labels", "frames")),
}
"""What is evaluated -> the options that it needs, and all that belong to it alone."""


def run(config: Evaluate) -> None:
    """The verb `evaluate`."""
    way = require_way(config)
    if way == "dataset":
        for name in filter(None, (config.dataset, config.choose_on)):
            DATASETS[name]
        for path in config.runs:
            Folder.open(path, "run", verify=False)
    from pagen.eval import render

    evaluation = _evaluation(config, way)
    if config.write is not None:
        write_text(config.write, render.page(evaluation, render.command(config)))
        console.say(f"wrote {config.write}")
    console.result(evaluation.plain(), config.json, render.text(evaluation))


def _evaluation(config: Evaluate, way: str) -> Evaluation:
    from pagen.eval import evaluation

    settings = EvaluationSettings(fps=config.fps, seed=config.seed, alarms=config.alarms, weights=config.weights)
    labels = Path(config.labels) if config.labels else None
    if way == "scores":
        return evaluation.evaluate_files(config.scores, Path(str(labels)), config.protocol or ("raw",), settings)
    if way == "detections":
        boxes, tracks = Path(str(config.detections)), Path(str(config.tracks))
        return evaluation.evaluate_boxes(boxes, tracks, labels, config.frames, settings)
    dataset, protocols, compute = str(config.dataset), config.protocol or ("causal",), Compute.of(config)
    choices = replace(settings, choose_on=config.choose_on, choose_root=config.choose_root)
    settings = replace(choices, labels=config.labels or "")
    of_runs = evaluation.evaluate(config.runs, dataset, protocols, settings, compute, config.localise, config.by_event)
    for path in config.runs:
        console.say(f"scores: {path / 'scores' / folder_name(dataset)}")
    return of_runs


def require_way(config: Evaluate) -> str:
    """Which of `WAYS` is asked for. Raises PagenError for none, several, or options that do not belong together."""
    given = [name for name in WAYS if getattr(config, name)]
    if len(given) != 1:
        raise PagenError(
            "expected one of --dataset NAME (with or without runs), --scores FILE with --labels FILE, or "
            f"--detections DIR with --tracks DIR, found {' and '.join(f'--{name}' for name in given) or 'none'}"
        )
    (way,) = given
    if config.localise and config.choose_on:
        raise PagenError(
            "expected no --localise with --choose-on, which chooses nothing for maps, found both; leave one"
        )
    needed, own = WAYS[way]
    for name in needed:
        if getattr(config, name) is None:
            raise PagenError(f"expected --{name} with --{way}, found none; give it")
    for name in {name: None for _, owned in WAYS.values() for name in owned if name not in own}:
        if getattr(config, name):
            shown = "runs" if name == "runs" else flag_of(name)
            raise PagenError(f"expected no {shown} with --{way}, found {getattr(config, name)}; leave it out")
    return way
