"""The verb `transfer`: runs trained on one data set and tested on others, beside each one's trivial baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.eval.evaluate import require_labels
from pagen.eval.results import TRIVIAL, Table
from pagen.eval.scores import score_run
from pagen.eval.tables import EvaluationSettings, table_of
from pagen.eval.transfer.results import Transferred, lines_of, page, text
from pagen.folders import Folder, folder_name, write_text
from pagen.footage.catalogue import DATASETS
from pagen.scoring.rescale import summary
from pagen.version import __version__

if TYPE_CHECKING:
    from pagen.eval.protocol import Protocol
    from pagen.eval.scores import Scores
    from pagen.footage.prepare import Prepared
    from pagen.models.runs import Run


Roots = dict[str, Path | None]


@dataclass(frozen=True)
class Transfer:
    """Score runs on several data sets' test splits, their own among them: trained on one, tested on another."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    datasets: tuple[str, ...]
    """Names of the data sets to test on, as `pagen datasets` lists them."""
    roots: tuple[Path, ...] = ()
    """Where the footage lies: one folder for all data sets, or one for each, in their order."""
    protocol: str = "causal"
    """A protocol's name, or a JSON file of one's own."""
    calibrate: Literal["source", "target"] = "source"
    """What is fused is calibrated by the data set trained on, or by normal clips (unlabelled) of the one tested on."""
    weights: Literal["published", "uniform", "pseudo", "oracle"] = "published"
    """Weights of what is fused: as published, alike, by held-out pseudo-anomalies, or fitted to the test labels."""
    device: str = "auto"
    """Where runs are scored: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    seed: int = 0
    """Seed of the bootstrap behind the intervals."""
    overwrite: bool = False
    """Score again, where scores of an earlier state of a run or of the footage are kept."""
    json: bool = False
    """Print the result as JSON."""
    write: Path | None = None
    """Also write the tables to this Markdown file."""
    plot: Path | None = None
    """Also draw them as a heat map, into this PNG file."""


def run(config: Transfer) -> None:
    """The verb `transfer`."""
    found = transfer(config)
    if config.plot is not None:
        from pagen.eval.transfer.heat_map import heat_map

        heat_map(found, config.plot)
        console.say(f"wrote {config.plot}")
    if config.write is not None:
        write_text(config.write, page(found, config))
        console.say(f"wrote {config.write}")
    console.result(asdict(found), config.json, text(found))


def transfer(config: Transfer) -> Transferred:
    """Score every run, and the trivial baselines, on every data set, and measure them under a protocol.

    Scores are kept as `evaluate` keeps them, and taken up where they were stopped.

    Raises:
        PagenError: no runs or data sets, a name or folder that is none, footage, labels or clips that are missing,
            a test split of one class, or a run that no other data set can be fed to.
    """
    roots = _require(config)
    from pagen.device import device_named
    from pagen.eval.protocols import protocol_named
    from pagen.footage.prepare import prepare
    from pagen.models.runs import open_run

    protocol = protocol_named(config.protocol, "a table of transfers")
    runs = [open_run(path) for path in config.runs]
    device_named(config.device)
    _require_flow(runs, config.datasets)
    targets = [prepare(name, root, size=None, workers=config.workers) for name, root in roots.items()]
    for prepared in targets:
        require_labels(prepared)
    tables = {each.dataset: _table(config, protocol, each, roots[each.dataset], runs) for each in targets}
    return Transferred(
        tuple(config.datasets),
        {each.dataset: str(each.folder.config["label_edition"]) for each in targets},
        protocol.name,
        {name: table.title for name, table in tables.items()},
        *(config.calibrate, config.weights, config.seed, __version__),
        lines_of(tables),
    )


def _table(config: Transfer, protocol: Protocol, prepared: Prepared, root: Path | None, runs: Sequence[Run]) -> Table:
    from pagen.eval.baselines import score_baselines

    trivial = (TRIVIAL, score_baselines(prepared, config.workers))
    scored = [(str(each.path), _scores(config, protocol, prepared.dataset, root, each)) for each in runs]
    how = EvaluationSettings(prepared.dataset, prepared.fps, config.seed, weights=config.weights)
    return table_of(protocol, [trivial, *scored], how)


def _scores(config: Transfer, protocol: Protocol, dataset: str, root: Path | None, of: Run) -> Scores:
    """Of a run on a target; with the target's calibration where that is asked for and something is fused by it."""
    from pagen.eval.scores import score_run

    how = (config.device, config.workers, config.overwrite)
    scores = score_run(of.path, dataset, root, protocol.policy, None, *how)
    if config.calibrate == "source" or of.recipe["recipe"] not in protocol.fused:
        return scores
    return replace(scores, config={**scores.config, "calibration": calibration_of(of.path, dataset, root, *how)})


def _require(config: Transfer) -> Roots:
    """Data set -> its root. Raises PagenError for what can be told to be missing without reading any footage."""
    for what, given in (("run folders", config.runs), ("names as --datasets", config.datasets)):
        if not given:
            raise PagenError(f"expected {what}, found none; as in: pagen transfer RUN --datasets ped2 street")
    if len(set(config.datasets)) < len(config.datasets):
        raise PagenError(f"expected each data set once, found {' '.join(config.datasets)}; leave one out")
    if len(config.roots) not in (0, 1, len(config.datasets)):
        raise PagenError(
            f"expected one folder as --roots, or one for each of {len(config.datasets)} data sets, found "
            f"{len(config.roots)}"
        )
    for name in config.datasets:
        DATASETS[name]
    for path in config.runs:
        Folder.open(path, "run", verify=False)
    given = config.roots * len(config.datasets) if len(config.roots) == 1 else config.roots
    roots: Roots = dict(zip(config.datasets, given or (None,) * len(config.datasets), strict=True))
    for name, root in roots.items():
        _require_clips(name, root, ("train", "test") if config.calibrate == "target" else ("test",))
    return roots


def _require_clips(name: str, root: Path | None, splits: Sequence[str]) -> None:
    from pagen.footage.locate import locate

    footage = locate(name, root)
    for split in splits:
        if not any(clip.split == split for clip in footage.clips):
            why = "to be tested on" if split == "test" else "for --calibrate target"
            raise PagenError(f"expected {split} clips of {name} {why}, found none in {footage.root}; put them there")
    if footage.label_edition == "none":
        wanted = " or ".join(each.path for layout in footage.dataset.layouts for each in layout.labels)
        raise PagenError(f"expected frame labels of {name} in {footage.root}, found none; put them into {wanted}")


def _require_flow(runs: Sequence[Run], datasets: Sequence[str]) -> None:
    """Raise PagenError for a run of flow out of files, which are one data set's, where another is to be scored."""
    for single in (single for each in runs for single in each.single()):
        flow, home = str(single.recipe.get("flow")), single.recipe["dataset"]
        others = [name for name in datasets if name != home]
        if flow.startswith("file:") and others:
            raise PagenError(
                f"expected flow that can be computed for {others[0]}, found {flow} of {home} alone in {single.path}; "
                "train with --flow dis, or leave the run out"
            )


POLICY = "block"


def calibration_of(
    run: Path,
    dataset: str,
    root: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> dict[str, dict[str, float]]:
    """Indicator -> what `calibration.json` says of it, with the data set's training clips in place of the run's.

    `pseudo_auroc` stays that of the run, which knows of no other pseudo-anomalies. The scores are kept in
    RUN/scores/DATASET/calibration and resumed there. Arguments and errors are those of `score_run`.
    """
    out = Path(run) / "scores" / folder_name(dataset) / "calibration"
    scores = score_run(run, dataset, root, POLICY, out, device, workers, overwrite, "train")
    source = scores.config["calibration"]
    return {
        name: {**source.get(name, {}), **summary(np.concatenate([*scores.of(name).values()]))}
        for name in scores.indicators()
    }
