"""The verb `evaluate`: runs against a data set's test split, under named protocols, beside trivial baselines; and
anybody's scores and boxes, out of files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.eval.render import command, page, text
from pagen.eval.results import TRIVIAL, Evaluation
from pagen.eval.tables import EvaluationSettings, table_of
from pagen.folders import Folder, folder_name, write_text
from pagen.footage.catalogue import DATASETS
from pagen.version import __version__

if TYPE_CHECKING:
    from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class Evaluate:
    """Score runs on a data set's test split, or take scores out of files, and print a table for each protocol."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders; with none, the trivial baselines alone are evaluated."""
    dataset: str | None = None
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    protocol: tuple[str, ...] = ()
    """Protocols (raw causal lntra luss luss_released unified_pa mulde accivad), JSON files of one's own, or `all`; by
    default causal for runs, and raw for scores out of files."""
    weights: Literal["published", "uniform", "pseudo", "oracle"] = "published"
    """Weights of what is fused: as published, alike, by held-out pseudo-anomalies, or fitted to the test labels."""
    alarms: float = 10.0
    """False alarms an hour that operating points may have."""
    localise: bool = False
    """Also measure where runs err, by RBDC and TBDC, against the data set's pixel masks."""
    scores: tuple[Path, ...] = ()
    """In place of runs: files of scores (.npz .npy .csv .json, or a folder); differences are to the first one."""
    labels: Path | None = None
    """Of these scores, or for the number of frames that boxes are measured over: the same forms, 1 = abnormal."""
    fps: float | None = None
    """Frames a second of these scores; without it, nothing is said of alarms."""
    detections: Path | None = None
    """In place of runs: a folder of VIDEO.txt with lines frame,x_min,y_min,x_max,y_max,score."""
    tracks: Path | None = None
    """For these: a folder of VIDEO.txt with lines track,frame,x_min,y_min,x_max,y_max."""
    frames: Path | None = None
    """In place of --labels of boxes: a JSON file {"video": number of frames}."""
    device: str = "auto"
    """Where runs are scored: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    seed: int = 0
    """Seed of the bootstrap behind the intervals."""
    overwrite: bool = False
    """Score again, where scores of an earlier state of the run or the footage are kept."""
    json: bool = False
    """Print the result as JSON."""
    write: Path | None = None
    """Also write the tables to this Markdown file."""


WAYS = {
    "dataset": ((), ("runs", "root", "localise")),
    "scores": (("labels",), ("labels", "fps")),
    "detections": (("tracks",), ("tracks", "labels", "frames")),
}
"""What is evaluated -> the options that it needs, and all that belong to it alone."""


def run(config: Evaluate) -> None:
    """The verb `evaluate`."""
    evaluation = {"dataset": _of_runs, "scores": _of_scores, "detections": _of_boxes}[way(config)](config)
    if config.write is not None:
        write_text(config.write, page(evaluation, command(config)))
        console.say(f"wrote {config.write}")
    console.result(asdict(evaluation), config.json, text(evaluation))


def way(config: Evaluate) -> str:
    """Which of `WAYS` is asked for. Raises PagenError for none, several, or options that do not belong together."""
    given = [name for name in WAYS if getattr(config, name)]
    if len(given) != 1:
        raise PagenError(
            "expected one of --dataset NAME (with or without runs), --scores FILE with --labels FILE, or "
            f"--detections DIR with --tracks DIR, found {' and '.join(f'--{name}' for name in given) or 'none'}"
        )
    needed, own = WAYS[given[0]]
    for name in needed:
        if getattr(config, name) is None:
            raise PagenError(f"expected --{name} with --{given[0]}, found none; give it")
    for name in {name: None for _, owned in WAYS.values() for name in owned if name not in own}:
        if getattr(config, name):
            shown = "runs" if name == "runs" else f"--{name}"
            raise PagenError(f"expected no {shown} with --{given[0]}, found {getattr(config, name)}; leave it out")
    return given[0]


def _of_runs(config: Evaluate) -> Evaluation:
    dataset = str(config.dataset)
    DATASETS[dataset]
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    evaluation = evaluate(
        config.runs,
        dataset,
        config.root,
        config.protocol or ("causal",),
        config.weights,
        config.alarms,
        config.device,
        config.workers,
        config.seed,
        config.overwrite,
        config.localise,
    )
    for path in config.runs:
        console.say(f"scores: {path / 'scores' / folder_name(dataset)}")
    return evaluation


def _of_scores(config: Evaluate) -> Evaluation:
    labels, protocols = Path(str(config.labels)), config.protocol or ("raw",)
    return evaluate_files(config.scores, labels, config.fps, protocols, config.alarms, config.seed)


def _of_boxes(config: Evaluate) -> Evaluation:
    from pagen.eval.localise import localise_boxes
    from pagen.eval.score_files import frames_of

    detections, tracks = Path(str(config.detections)), Path(str(config.tracks))
    places = localise_boxes(detections, tracks, frames_of(config.labels, config.frames), config.seed)
    return Evaluation(None, str(tracks), config.seed, config.weights, config.alarms, __version__, (), places)


def evaluate(
    runs: Sequence[Path],
    dataset: str,
    root: Path | None = None,
    protocols: Sequence[str] = ("causal",),
    weights: str = "published",
    alarms: float = 10.0,
    device: str = "auto",
    workers: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
    localise: bool = False,
) -> Evaluation:
    """Score runs and the trivial baselines, and measure them under protocols.

    Args:
        runs: run folders.
        dataset, root, workers: as `prepare` takes them.
        protocols: names, paths of JSON files, or `("all",)`.
        weights: of what is fused, a name of `fusion.WEIGHTS`.
        alarms: false alarms an hour that operating points may have.
        device, overwrite: as `score_run` takes them.
        seed: of the bootstrap; every row draws the same videos.
        localise: also measure the runs' maps of errors against the data set's pixel masks.

    Raises:
        PagenError: an unknown name, missing footage, labels or masks, or a test split of one class.
    """
    from pagen.eval.baselines import score_baselines
    from pagen.eval.protocols import protocols_named
    from pagen.eval.scores import score_run
    from pagen.footage.prepare import prepare

    chosen = protocols_named(protocols)
    prepared = prepare(dataset, root, size=None, workers=workers)
    require_labels(prepared)
    if localise:
        from pagen.eval.localise import localise_runs, require_masks

        require_masks(prepared)
    trivial = (TRIVIAL, score_baselines(prepared, workers))
    scored = {
        policy: [(str(path), score_run(path, dataset, root, policy, None, device, workers, overwrite)) for path in runs]
        for policy in dict.fromkeys(protocol.policy for protocol in chosen)
    }
    how = EvaluationSettings(dataset, prepared.fps, seed, alarms, weights)
    tables = tuple(table_of(protocol, [trivial, *scored[protocol.policy]], how) for protocol in chosen)
    places = localise_runs(runs, prepared, root, device, workers, seed, overwrite) if localise else None
    edition = str(prepared.folder.config["label_edition"])
    return Evaluation(dataset, edition, seed, weights, alarms, __version__, tables, places)


def evaluate_files(
    scores: Sequence[Path],
    labels: Path,
    fps: float | None = None,
    protocols: Sequence[str] = ("raw",),
    alarms: float = 10.0,
    seed: int = 0,
) -> Evaluation:
    """Measure anybody's scores under protocols; neither footage nor a run is needed.

    Args:
        scores, labels: as `score_files.read_score_files` takes them.
        fps: frames a second; None leaves out what is said of alarms.
        protocols, alarms, seed: as `evaluate` takes them; window policies play no part.

    Raises:
        PagenError: files that cannot be read or do not belong together, an unknown name, or labels of one class.
    """
    from pagen.eval.protocol import ANY
    from pagen.eval.protocols import protocols_named
    from pagen.eval.score_files import read_score_files

    chosen, scored = protocols_named(protocols), read_score_files(scores, labels)
    _require_classes(scored[0][1].labels, f"frames of {labels}")
    how = EvaluationSettings(ANY, fps, seed, alarms)
    tables = tuple(table_of(protocol, scored, how) for protocol in chosen)
    return Evaluation(None, str(labels), seed, how.weights, alarms, __version__, tables)


def require_labels(prepared: Prepared) -> None:
    """Raise PagenError for test clips without labels, or of one class."""
    labels = {name: prepared.labels(name) for name in prepared.clips("test")}
    if not labels:
        raise PagenError(f"expected test clips in {prepared.dataset}, found none; there is nothing to score")
    missing = [name for name, marks in labels.items() if marks is None]
    if missing:
        where = prepared.folder.volatile
        layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == where["layout"]]
        places = " or ".join(source.path for layout in layouts for source in layout.labels)
        raise PagenError(
            f"expected frame labels for the {len(labels)} test clips of {prepared.dataset}, found none for "
            f"{len(missing)} ({missing[0]} first); put them into {places} below {where['root']}"
        )
    _require_classes(labels, f"test frames of {prepared.dataset}")


def _require_classes(labels: Mapping[str, Any], what: str) -> None:
    """Raise PagenError for labels of one class: AUROC compares abnormal frames with normal ones."""
    frames, abnormal = sum(map(len, labels.values())), sum(int(marks.sum()) for marks in labels.values())
    if abnormal in (0, frames):
        which = "abnormal" if abnormal else "normal"
        raise PagenError(
            f"AUROC is undefined: all {frames} {what} are labelled {which}; expected both classes, check the labels"
        )
