"""The verb `evaluate`: runs against a data set's test split, under named protocols, beside trivial baselines."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.eval.tables import LEGEND, TRIVIAL, Measuring, Table, as_markdown, as_text, table_of
from pagen.folders import Folder, write_text
from pagen.footage.catalogue import DATASETS, folder_name
from pagen.version import __version__

if TYPE_CHECKING:
    from pagen.footage.prepare import Prepared


@dataclass(frozen=True)
class Evaluate:
    """Score runs on a data set's test split and print a table for each protocol."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders; with none, the trivial baselines alone are evaluated."""
    dataset: str
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    protocol: tuple[str, ...] = ("causal",)
    """Protocols (causal lntra luss luss_released unified_pa mulde accivad), JSON files of one's own, or `all`."""
    weights: Literal["published", "uniform", "pseudo", "oracle"] = "published"
    """Weights of what is fused: as published, alike, by held-out pseudo-anomalies, or fitted to the test labels."""
    alarms: float = 10.0
    """False alarms an hour that operating points may have."""
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


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    dataset: str
    label_edition: str
    seed: int
    """Of the bootstrap."""
    weights: str
    alarms: float
    """False alarms an hour that operating points may have."""
    pagen: str
    tables: tuple[Table, ...]


def run(config: Evaluate) -> None:
    """The verb `evaluate`."""
    DATASETS[config.dataset]
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    evaluation = evaluate(
        config.runs,
        config.dataset,
        config.root,
        config.protocol,
        config.weights,
        config.alarms,
        config.device,
        config.workers,
        config.seed,
        config.overwrite,
    )
    for path in config.runs:
        console.say(f"scores: {path / 'scores' / folder_name(config.dataset)}")
    if config.write is not None:
        write_text(config.write, page(evaluation, command(config)))
        console.say(f"wrote {config.write}")
    console.result(asdict(evaluation), config.json, text(evaluation))


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

    Raises:
        PagenError: an unknown name, missing footage or labels, or a test split of one class.
    """
    from pagen.eval.baselines import score_baselines
    from pagen.eval.protocol_file import protocols_named
    from pagen.eval.scores import score_run
    from pagen.footage.prepare import prepare

    chosen = protocols_named(protocols)
    prepared = prepare(dataset, root, size=None, workers=workers)
    _require_labels(prepared)
    trivial = (TRIVIAL, score_baselines(prepared, workers))
    scored = {
        policy: [(str(path), score_run(path, dataset, root, policy, None, device, workers, overwrite)) for path in runs]
        for policy in dict.fromkeys(protocol.policy for protocol in chosen)
    }
    how = Measuring(dataset, prepared.fps, seed, alarms, weights)
    tables = tuple(table_of(protocol, [trivial, *scored[protocol.policy]], how) for protocol in chosen)
    edition = str(prepared.folder.config["label_edition"])
    return Evaluation(dataset, edition, seed, weights, alarms, __version__, tables)


def _require_labels(prepared: Prepared) -> None:
    """Raise PagenError for test clips without labels, or of one class: AUROC compares abnormal frames with normal."""
    import numpy as np

    names = prepared.clips("test")
    missing = [name for name in names if prepared.labels(name) is None]
    if missing:
        where = prepared.folder.volatile
        layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == where["layout"]]
        places = " or ".join(source.path for layout in layouts for source in layout.labels)
        raise PagenError(
            f"expected frame labels for the {len(names)} test clips of {prepared.dataset}, found none for "
            f"{len(missing)} ({missing[0]} first); put them into {places} below {where['root']}"
        )
    frames = sum(prepared.length(name) for name in names)
    abnormal = sum(int(np.asarray(prepared.labels(name)).sum()) for name in names)
    if abnormal in (0, frames):
        which = "abnormal" if abnormal else "normal"
        raise PagenError(
            f"AUROC is undefined: all {frames} test frames of {prepared.dataset} are labelled {which}; expected "
            "both classes in the test split, check its labels"
        )


def text(evaluation: Evaluation) -> str:
    """The tables for a terminal."""
    about = f"{evaluation.dataset}, labels: {evaluation.label_edition}; bootstrap seed {evaluation.seed}"
    return "\n\n".join([about, *(as_text(table) for table in evaluation.tables), LEGEND, *_warnings(evaluation)])


def page(evaluation: Evaluation, written_by: str) -> str:
    """The tables as a page that says how they came about."""
    parts = [
        f"# Frame-level AUROC on {evaluation.dataset}",
        f"Labels: {evaluation.label_edition}. Bootstrap seed {evaluation.seed}. pagen {evaluation.pagen}. Written by:",
        f"    {written_by}",
        LEGEND,
        *_warnings(evaluation),
    ]
    for table in evaluation.tables:
        parts += as_markdown(table, evaluation.alarms)
    return "\n\n".join(parts) + "\n"


def _warnings(evaluation: Evaluation) -> list[str]:
    if evaluation.weights != "oracle":
        return []
    return ["ORACLE: the weights of what is fused were fitted to the test labels; an upper bound, and no result."]


def command(config: Evaluate) -> str:
    """The command line that a configuration stands for, defaults left out."""
    words = ["pagen", "evaluate", *map(str, config.runs)]
    for field in fields(config)[1:]:
        value = getattr(config, field.name)
        if value == field.default:
            continue
        values = value if isinstance(value, tuple) else [] if value is True else [value]
        words += [f"--{field.name}", *map(str, values)]
    return shlex.join(words)
