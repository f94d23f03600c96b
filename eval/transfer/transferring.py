"""Runs scored on several data sets, and measured there under one protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import scores_of
from pagen.eval.choose import Judge, judge_of, require_other
from pagen.eval.labelled import Labelled, labelled
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import Table
from pagen.eval.scores import Scores, score_run
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.eval.transfer.results import Transferred, lines_of
from pagen.folders import folder_name
from pagen.footage.locate import locate
from pagen.models.runs import Run, open_run
from pagen.scoring.indicator_table import fused_of
from pagen.scoring.rescale import of_objects, summary
from pagen.scoring.row_scores import row_scores
from pagen.version import __version__


def transfer(
    runs: Sequence[Path],
    roots: Mapping[str, Path | None],
    protocol: str,
    settings: EvaluationSettings,
    compute: Compute,
    by_target: bool = False,
    editions: Mapping[str, str] | None = None,
) -> Transferred:
    """Score every run, and the trivial baselines, on every data set, and measure them under a protocol.

    Scores are kept as `evaluate` keeps them, and taken up where they were stopped. Raises PagenError: footage, labels
    or clips that are missing, a test split of one class, no such protocol or device, or a run that no other data set
    can be fed to.

    Args:
        roots: data set to test on -> where its footage lies; the `root` of `compute` plays no part.
        protocol: the name of one, or the path of a JSON file.
        by_target: what is fused is calibrated by training clips of the data set tested on.
        editions: data set -> edition of its labels, where that is not the first that is there.
    """
    for name, root in roots.items():
        _require_clips(name, root, ("train", "test") if by_target else ("test",))
    chosen = protocol_named(protocol, "a table of transfers")
    _require_flow([open_run(run) for run in runs], list(roots))
    compute = replace(compute, device=compute.place)  # an unknown device is told before anything is prepared
    places = {name: replace(compute, root=root) for name, root in roots.items()}
    require_other(settings.choose_on, list(roots))
    targets = {name: labelled(name, place, (editions or {}).get(name, "")) for name, place in places.items()}
    judge = judge_of(runs, [target.prepared for target in targets.values()], settings, compute)
    measured = partial(_table, runs, chosen, settings, by_target, judge)
    tables = {name: measured(target, places[name]) for name, target in targets.items()}
    return Transferred(
        tuple(roots),
        {name: target.edition for name, target in targets.items()},
        chosen.name,
        {name: table.title for name, table in tables.items()},
        *("target" if by_target else "source", settings.weights, settings.seed, __version__),
        lines_of(tables),
    )


def _table(
    runs: Sequence[Path],
    protocol: Protocol,
    settings: EvaluationSettings,
    by_target: bool,
    judge: Judge | None,
    target: Labelled,
    compute: Compute,
) -> Table:
    """The table of one data set; with its own calibration where that is asked for and something is fused by it."""
    prepared = target.prepared
    scored = target.of(scores_of(runs, prepared, protocol, compute))
    if by_target:
        scored = [scored[0], *(_calibrated(*one, protocol, prepared.dataset, compute) for one in scored[1:])]
    settings = replace(target.settings(settings), chosen_on=judge.chosen_on if judge else None)
    choices = judge.choices(protocol, prepared.dataset) if judge else {}
    return table_of(protocol, series_of(protocol, scored, settings, choices), settings)


def _calibrated(run: str, scores: Scores, protocol: Protocol, dataset: str, compute: Compute) -> tuple[str, Scores]:
    if len(fused_of(scores.config["recipe"], protocol.fused)) < 2:
        return run, scores
    calibration = calibration_of(Path(run), dataset, compute)
    return run, replace(scores, config={**scores.config, "calibration": calibration})


def calibration_of(run: Path, dataset: str, compute: Compute) -> dict[str, dict[str, float]]:
    """Indicator -> what `calibration.json` says of it, with the data set's training clips in place of the run's.

    `pseudo_auroc` stays that of the run, which knows of no other pseudo-anomalies. The scores are kept in
    RUN/scores/DATASET/calibration and resumed there. Errors are those of `score_run`.
    """
    out = run / "scores" / folder_name(dataset) / "calibration"
    scores = score_run(run, dataset, compute, "block", out, "train")
    trained, objects = scores.config["calibration"], _objects(run, dataset, scores.config["clips"], compute)
    judged = {name: {key: of[key] for key in ("pseudo_auroc",) if key in of} for name, of in trained.items()}
    return {
        name: judged.get(name, {}) | summary(np.concatenate([*scores.of(name).values()])) | objects.get(name, {})
        for name in scores.indicators()
    }


def _objects(run: Path, dataset: str, clips: Sequence[str], compute: Compute) -> dict[str, dict[str, float]]:
    """Indicator of a density run -> figures of all that the clips show."""
    detectors = [single for single in open_run(run).single() if single.detector is not None]
    rows = [row_scores(single, dataset, clips, compute) for single in detectors]
    return {of.indicator: of_objects(np.concatenate([of.scores(clip) for clip in clips])) for of in rows}


def _require_clips(name: str, root: Path | None, splits: Sequence[str]) -> None:
    footage = locate(name, root)
    for split in splits:
        if not any(clip.split == split for clip in footage.clips):
            why = "to be tested on" if split == "test" else "for --calibrate target"
            raise PagenError(f"expected {split} clips of {name} {why}, found none in {footage.root}; put them there")
    if footage.label_edition == "none":
        wanted = " or ".join(source.path for layout in footage.dataset.layouts for source in layout.labels)
        raise PagenError(f"expected frame labels of {name} in {footage.root}, found none; put them into {wanted}")


def _require_flow(runs: Sequence[Run], datasets: Sequence[str]) -> None:
    """Raise PagenError for a run of flow out of files, which are one data set's, where another is to be scored."""
    for single in (single for run in runs for single in run.single()):
        flow, home = str(single.recipe.get("flow")), single.recipe["dataset"]
        others = [name for name in datasets if name != home]
        if flow.startswith("file:") and others:
            raise PagenError(
                f"expected flow that can be computed for {others[0]}, found {flow} of {home} alone in {single.path}; "
                "train with --flow dis, or leave the run out"
            )
