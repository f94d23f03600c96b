"""Frame scores of a run: one float64 for every frame of every test clip, kept in a folder.

`pagen.scoring` makes the scores, by the table of what runs look at. No setting changes a byte: each clip is scored
with one thread. Only another device rounds otherwise. Reading scores needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_arrays
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.source import farthest
from pagen.fill import fill
from pagen.folders import Folder, atomic, digests, folder_name
from pagen.footage.prepare import Prepared
from pagen.scoring.sources import ClipScorer, Task, source_of
from pagen.spread import Workers

if TYPE_CHECKING:
    from pagen.models.runs import Run

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float64]
ScoreClip = Callable[[Prepared, str], Mapping[str, Values]]
"""Prepared clips and a clip's name -> indicator -> (T,); picklable."""


@dataclass(frozen=True)
class Scores:
    """Scores of a data set's test clips, under one window policy where windows play a part.

    Attributes:
        config: data set, label edition, and the run's recipe and calibration.
        clips: clip -> indicator -> (T,) float64, higher = more anomalous.
        labels: clip -> (T,) uint8, 1 = abnormal, of the clips that have labels.
        ahead: how many frames after the scored one what is scored looks at, windows aside; None if that is not known.
        by_clip: clip -> calibration in place of the one in `config`, where clips are calibrated apart.
    """

    path: Path
    config: dict[str, Any]
    clips: dict[str, dict[str, Values]]
    labels: dict[str, npt.NDArray[np.uint8]]
    ahead: int | None = 0
    by_clip: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    def indicators(self) -> list[str]:
        """Names of what was scored."""
        return sorted({name for arrays in self.clips.values() for name in arrays})

    def of(self, indicator: str) -> dict[str, Values]:
        """Clip -> (T,). Raises PagenError where that was not scored."""
        names = self.indicators()
        if indicator not in names:
            raise PagenError(f"expected {indicator} in {self.path}, found {' '.join(names)}; check its name")
        return {name: arrays[indicator] for name, arrays in self.clips.items()}


def open_scores(path: Path) -> Scores:
    """Read a folder of scores. Raises PagenError when it is missing, unfinished or damaged."""
    folder = Folder.open(Path(path), "scores")
    clips, labels = {}, {}
    for name in folder.config["clips"]:
        arrays = read_arrays(folder.path / f"clips/{name}.npz")
        if "labels" in arrays:
            labels[name] = arrays.pop("labels")
        clips[name] = arrays
    return Scores(folder.path, folder.config, clips, labels)


def fill_scores(
    path: Path,
    score: ScoreClip,
    prepared: Prepared,
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    workers: Workers,
    label: str,
    overwrite: bool = False,
    split: str = "test",
) -> Scores:
    """Score the clips of a split that are not done, each in a process, and read all of them.

    `config` and `inputs` are what the bytes depend on beside the prepared clips; `label` is the progress bar's. Raises
    PagenError: no clips, or a folder that was made otherwise.
    """
    names = prepared.clips(split)
    if not names:
        raise PagenError(f"expected {split} clips in {prepared.dataset}, found none; there is nothing to score")
    about = {"dataset": prepared.dataset, "label_edition": prepared.folder.config["label_edition"], "clips": names}
    inputs = {"prepared": prepared.fingerprint(), **inputs}
    folder = Folder.begin(path, "scores", {**about, **config}, inputs, {"prepared": str(prepared.path)}, overwrite)
    fill(folder, names, partial(_store, path, prepared, score), workers, label)
    return open_scores(path)


def score_run(
    run: Path,
    dataset: str,
    compute: Compute,
    policy: str = "last",
    out: Path | None = None,
    split: str = "test",
    measure: str | None = None,
) -> Scores:
    """Score the clips of a data set with a run; takes up where it was stopped.

    Raises PagenError: no such run, data set or device, or scores of another model in `out`.

    Args:
        dataset: as `prepare` takes it; frames are prepared at the run's size.
        compute: `overwrite` starts again, for example after the run has been trained on.
        policy: of windows, see `pagen.scoring.policies`; a detector sees none, and all its policies are `last`.
        out: by default that of `scores_folder`.
        split: `test`, or `train` for normal clips; give another `out` then.
        measure: of a whole frame's error: mse, pse, bpe, or the network's own.
    """
    from pagen.models.runs import open_run  # reading scores needs no torch

    opened = open_run(Path(run))
    singles = list(opened.single())
    task = Task(dataset, split, *_seen_by(opened, policy, measure), compute)
    scorers = [source_of(single).clips(single, task) for single in singles]
    known = {name: summary for single in singles for name, summary in single.calibration.items()}
    scores = fill_scores(
        out or scores_folder(opened, dataset, policy, measure),
        partial(_scores_of, scorers),
        scorers[0].prepared,
        {"recipe": opened.recipe, "policy": task.policy, "measure": task.measure, "calibration": known},
        {"model" if len(singles) == 1 else f"model {single.path.name}": single.weights for single in singles},
        compute.spread_over,
        f"score {Path(run).name}",
        compute.overwrite,
        split,
    )
    return replace(scores, ahead=farthest(scorers))


def scores_folder(run: Run, dataset: str, policy: str, measure: str | None = None) -> Path:
    """Where `score_run` keeps scores: RUN/scores/DATASET/POLICY, or POLICY-MEASURE."""
    name = "-".join(filter(None, _seen_by(run, policy, measure)))
    return run.path / "scores" / folder_name(dataset) / name


def _seen_by(run: Run, policy: str, measure: str | None) -> tuple[str, str | None]:
    """Policy and measure, or `last` and none where no part of a run sees windows."""
    return (policy, measure) if any(source_of(single).windows for single in run.single()) else ("last", None)


def _scores_of(scorers: list[ClipScorer], prepared: Prepared, clip: str) -> dict[str, Values]:
    return {name: values for scorer in scorers for name, values in scorer.scores(clip).items()}


def _store(path: Path, prepared: Prepared, score: ScoreClip, clip: str) -> dict[str, dict[str, Any]]:
    arrays: dict[str, Array] = dict(score(prepared, clip))
    labels = prepared.labels(clip)
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    out = path / f"clips/{clip}.npz"
    with atomic(out) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]  # its stub takes every keyword for allow_pickle
    return digests(path, [out])
