"""Frame scores of a run: one float64 for every frame of every test clip, kept in a folder.

`pagen.scoring` makes the scores, by the table of what runs look at. No setting changes a byte: each clip is scored
with one thread. Only another device rounds otherwise. Reading scores needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_arrays
from pagen.compute import Compute
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.features.source import farthest
from pagen.fill import fill, fill_each
from pagen.folders import Folder, atomic, digests, folder_name
from pagen.footage.prepare import Prepared
from pagen.models.runs import Run, open_run
from pagen.scoring.sources import ClipScorer, Task, source_of
from pagen.spread import Workers

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float64]
ScoreClip = Callable[[Prepared, str], Mapping[str, Values]]
"""Prepared clips and a clip's name -> indicator -> (T,); picklable."""
AtOnce = Callable[[Sequence[Any], str], Sequence[Mapping[str, Values]]]
"""`pagen.scoring.sources.Source.at_once`."""
Look = tuple[str, str | None]
"""A window policy, and how errors of whole frames are measured: mse, pse, bpe, or None for the network's own."""


@dataclass(frozen=True)
class Scores:
    """Scores of a data set's test clips, under one window policy where windows play a part.

    Attributes:
        config: data set, label edition, and the run's recipe and calibration.
        clips: clip -> indicator -> (T,) float64, higher = more anomalous.
        labels: clip -> (T,) uint8, 1 = abnormal, of the clips that have labels.
        ahead: how many frames after the scored one what is scored looks at, windows aside; None if that is not known.
        by_clip: clip -> calibration in place of the one in `config`, where clips are calibrated apart.
        breaks: clip -> the frames that do not go on from the one before, of clips whose clock breaks.
    """

    path: Path
    config: dict[str, Any]
    clips: dict[str, dict[str, Values]]
    labels: dict[str, npt.NDArray[np.uint8]]
    ahead: int | None = 0
    by_clip: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    breaks: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)

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
    clips = {name: read_arrays(folder.path / f"clips/{name}.npz") for name in folder.config["clips"]}
    labels, breaks = (
        {name: arrays.pop(of_frames) for name, arrays in clips.items() if of_frames in arrays}
        for of_frames in ("labels", "breaks")
    )
    return Scores(folder.path, folder.config, clips, labels, breaks=breaks)


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
    folder = _begun(path, prepared, config, inputs, split, overwrite)
    fill(folder, folder.config["clips"], partial(_store, path, prepared, score), workers, label)
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
    opened, looks = open_run(Path(run)), [(policy, measure)]
    place = out or scores_folder(opened, dataset, *looks[0], compute.precision)
    (scores,) = _scored(opened, looks, [place], dataset, split, compute)
    return scores


def score_looks(run: Path, dataset: str, compute: Compute, looks: Sequence[Look]) -> list[Scores]:
    """The scores of test clips under each of several policies and measures, as `score_run` gives them one by one.

    A clip is scored under all of them at once: what they share of a window is computed once.
    """
    opened = open_run(Path(run))
    folders = {look: scores_folder(opened, dataset, *look, compute.precision) for look in looks}
    places = {folder: look for look, folder in folders.items()}
    scored = _scored(opened, list(places.values()), list(places), dataset, "test", compute)
    known = dict(zip(places, scored, strict=True))
    return [known[folders[look]] for look in looks]


def _scored(
    run: Run, looks: Sequence[Look], outs: Sequence[Path], dataset: str, split: str, compute: Compute
) -> list[Scores]:
    """Scores of clips of a split under each look, in a folder of its own."""
    if compute.device != "auto":  # of which nothing is asked where scores lie ready, for that takes torch
        device_named(compute.device)
    singles = list(run.single())
    tasks = [Task(dataset, split, *_seen_by(run, *look), compute) for look in looks]
    scorers = [[source_of(single).clips(single, task) for task in tasks] for single in singles]
    prepared, at_once = scorers[0][0].prepared, [source_of(single).at_once for single in singles]
    known = {name: summary for single in singles for name, summary in single.calibration.items()}
    weights = {"model" if len(singles) == 1 else f"model {single.path.name}": single.weights for single in singles}
    folders = []
    for out, task in zip(outs, tasks, strict=True):
        about = {"recipe": run.recipe, "policy": task.policy, "measure": task.measure, "calibration": known}
        about |= {"precision": compute.precision} if compute.precision else {}
        folders.append(_begun(out, prepared, about, weights, split, compute.overwrite))
    names, label = prepared.clips(split), f"score {run.path.name}"
    make = partial(_store_each, outs, prepared, scorers, at_once)
    fill_each(folders, dict(zip(names, names, strict=True)), make, compute, label)
    for folder in folders:
        folder.finish()
    ahead = farthest([each[0] for each in scorers])
    return [replace(open_scores(out), ahead=ahead) for out in outs]


def scores_folder(run: Run, dataset: str, policy: str, measure: str | None = None, precision: str = "") -> Path:
    """Where `score_run` keeps scores: RUN/scores/DATASET/POLICY, POLICY-MEASURE, POLICY-bf16 or both."""
    name = "-".join(filter(None, (*_seen_by(run, policy, measure), precision)))
    return run.path / "scores" / folder_name(dataset) / name


def _seen_by(run: Run, policy: str, measure: str | None) -> tuple[str, str | None]:
    """Policy and measure, or `last` and none where no part of a run sees windows."""
    return (policy, measure) if any(source_of(single).windows for single in run.single()) else ("last", None)


def _begun(
    path: Path,
    prepared: Prepared,
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    split: str,
    overwrite: bool,
) -> Folder:
    """A folder of scores of the clips of a split. Raises PagenError as `fill_scores`."""
    names = prepared.clips(split)
    if not names:
        raise PagenError(f"expected {split} clips in {prepared.dataset}, found none; there is nothing to score")
    about = {"dataset": prepared.dataset, "label_edition": prepared.folder.config["label_edition"], "clips": names}
    inputs = {"prepared": prepared.fingerprint(), **inputs}
    return Folder.begin(path, "scores", {**about, **config}, inputs, {"prepared": str(prepared.path)}, overwrite)


def _store_each(
    outs: Sequence[Path],
    prepared: Prepared,
    scorers: Sequence[Sequence[ClipScorer]],
    at_once: Sequence[AtOnce],
    clip: str,
    places: Sequence[int],
) -> list[dict[str, dict[str, Any]]]:
    """The scores of a clip under the looks at these places, each in its folder, of every part of a run together."""
    each: list[dict[str, Values]] = [{} for _ in places]
    for of_part, scored in zip(scorers, at_once, strict=True):
        for whole, found in zip(each, scored([of_part[place] for place in places], clip), strict=True):
            whole |= found
    return [_kept(outs[place], prepared, clip, found) for place, found in zip(places, each, strict=True)]


def _store(path: Path, prepared: Prepared, score: ScoreClip, clip: str) -> dict[str, dict[str, Any]]:
    return _kept(path, prepared, clip, score(prepared, clip))


def _kept(path: Path, prepared: Prepared, clip: str, scores: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
    arrays: dict[str, Array] = dict(scores)
    labels = prepared.labels(clip)
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    if breaks := prepared.breaks(clip):
        arrays["breaks"] = np.asarray(breaks)
    out = path / f"clips/{clip}.npz"
    with atomic(out) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]  # its stub takes every keyword for allow_pickle
    return digests(path, [out])
