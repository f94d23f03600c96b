"""Frame scores of a run: one float64 for every frame of every test clip, kept in a folder.

What a window says of its frames, and which window scores which frame, is `pagen.scoring`'s. A flow map is
scored like a frame, and what map t -> t + 1 gets belongs to frame t + 1. No setting changes a byte: each clip
is scored with one thread. Only another device rounds otherwise.

Reading scores needs no torch: it is imported where a run is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.eval.protocol import frames_of_maps
from pagen.folders import Folder, atomic, digest, digests, folder_name
from pagen.footage.prepare import Prepared, prepare
from pagen.scoring.sliding import Slider, frames_in, maps_in
from pagen.spread import spread

if TYPE_CHECKING:
    from pagen.eval.density_scores import RowScores
    from pagen.features.extract import FeatureFolder
    from pagen.footage.flow import FlowFolder
    from pagen.models.runs import Run

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores of a data set's test clips, under one window policy where windows play a part.

    Attributes:
        path: the folder.
        config: data set, label edition, and what is known of the run.
        clips: clip -> indicator -> (T,) float64, higher = more anomalous.
        labels: clip -> (T,) uint8, 1 = abnormal, of the clips that have labels.
    """

    path: Path
    config: dict[str, Any]
    clips: dict[str, dict[str, Values]]
    labels: dict[str, npt.NDArray[np.uint8]]

    def indicators(self) -> list[str]:
        """Names of what was scored."""
        return sorted({name for arrays in self.clips.values() for name in arrays})

    def of(self, indicator: str) -> dict[str, Values]:
        """Clip -> (T,). Raises PagenError where that was not scored."""
        if indicator not in self.indicators():
            raise PagenError(
                f"expected {indicator} in {self.path}, found {' '.join(self.indicators())}; check its name"
            )
        return {name: arrays[indicator] for name, arrays in self.clips.items()}


def open_scores(path: Path) -> Scores:
    """Read a folder of scores. Raises PagenError when it is missing, unfinished or damaged."""
    folder = Folder.open(Path(path), "scores")
    clips, labels = {}, {}
    for name in folder.config["clips"]:
        with np.load(folder.path / f"clips/{name}.npz", allow_pickle=False) as file:
            clips[name] = {key: file[key] for key in file.files if key != "labels"}
            if "labels" in file.files:
                labels[name] = file["labels"]
    return Scores(folder.path, folder.config, clips, labels)


def fill(
    path: Path,
    score: Callable[[Prepared, str], Mapping[str, Values]],
    prepared: Prepared,
    config: Mapping[str, Any],
    inputs: Mapping[str, str],
    workers: int | None,
    label: str,
    overwrite: bool = False,
    split: str = "test",
) -> Scores:
    """Score the clips of a split that are not done, each in a process, and read all of them.

    Args:
        score: picklable; (prepared clips, clip name) -> key -> (T,).
        config, inputs: what the bytes depend on, beside the prepared clips.
        label: of the progress bar.
    """
    names = prepared.clips(split)
    if not names:
        raise PagenError(f"expected {split} clips in {prepared.dataset}, found none; there is nothing to score")
    about = {"dataset": prepared.dataset, "label_edition": prepared.folder.config["label_edition"], "clips": names}
    sources = {"prepared": prepared.fingerprint(), **inputs}
    folder = Folder.begin(path, "scores", {**about, **config}, sources, {"prepared": str(prepared.path)}, overwrite)
    pending = folder.pending(names)
    function = partial(_store, path, prepared, score)
    for name, files in console.progress(spread(function, pending, workers), label, len(pending)):
        folder.record(name, files)
    folder.finish()
    return open_scores(path)


def score_run(
    run: Path,
    dataset: str,
    root: Path | None = None,
    policy: str = "last",
    out: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
    split: str = "test",
    measure: str | None = None,
) -> Scores:
    """Score the clips of a data set with a run; takes up where it was stopped.

    Args:
        run: the run's folder.
        dataset, root: as `prepare` takes them; frames are prepared at the run's size.
        policy: of windows, see `pagen.scoring.policies`; a detector sees none, and all its policies are `last`.
        out: by default that of `scores_folder`.
        device: `auto` (CUDA where there is one), or a name of torch's.
        workers: processes on the CPU, one clip each; 0 works in this one.
        overwrite: start again, for example after the run has been trained on.
        split: `test`, or `train` for normal clips; give another `out` then.
        measure: of a whole frame's error: mse, pse, bpe, or the network's own.

    Raises:
        PagenError: no such run, data set or device, or scores of another model in `out`.
    """
    from pagen.models.runs import open_run

    place = device_named(device)
    opened = open_run(Path(run))
    singles = tuple(opened.single())
    how = {"policy": _policy_of(opened, policy), "measure": measure}
    parts = tuple(_part(single, dataset, root, how, place, workers, split) for single in singles)
    known = {name: each for single in singles for name, each in single.calibration.items()}
    return fill(
        out or scores_folder(opened, dataset, policy, measure),
        partial(_scores_of_clip, parts),
        parts[0].prepared,
        {"recipe": opened.recipe, **how, "calibration": known},
        {f"model {part.path.name}" if len(parts) > 1 else "model": part.weights for part in parts},
        workers if place == "cpu" else 0,
        f"score {Path(run).name}",
        overwrite,
        split,
    )


def scores_folder(run: Run, dataset: str, policy: str, measure: str | None = None) -> Path:
    """Where `score_run` keeps scores: RUN/scores/DATASET/POLICY, or POLICY-MEASURE."""
    name = "-".join(filter(None, (_policy_of(run, policy), measure)))
    return run.path / "scores" / folder_name(dataset) / name


def _policy_of(run: Run, policy: str) -> str:
    """The policy, or `last` for detectors, which see no windows."""
    return policy if any(single.recipe["source"] != "density" for single in run.single()) else "last"


@dataclass(frozen=True)
class Part:
    """What a process needs of a run of one network."""

    path: Path
    weights: str
    recipe: Mapping[str, Any]
    prepared: Prepared
    flow: FlowFolder | None
    features: FeatureFolder | None
    rows: RowScores | None
    how: Mapping[str, Any]
    device: str


def _part(
    run: Run, dataset: str, root: Path | None, how: Mapping[str, Any], device: str, workers: int | None, split: str
) -> Part:
    from pagen.models.pretrained import WEIGHTS
    from pagen.models.runs import MODEL

    recipe, size = run.recipe, tuple(run.recipe["size"])
    prepared = prepare(dataset, root, size, colour=recipe["colour"], workers=workers)
    names, flow, features, rows = prepared.clips(split), None, None, None
    if recipe["source"] == "density":
        from pagen.eval.density_scores import row_scores

        rows = row_scores(run, dataset, root, names, device, workers)
    if recipe["source"] == "flow":
        from pagen.footage.flow import flow_folder

        flow = flow_folder(prepared, names, recipe["flow"], workers)
    if recipe["source"] == "features":
        from pagen.compute import Compute
        from pagen.features.extract import feature_folder

        features = feature_folder(prepared, names, recipe["encoder"], Compute(device=device, workers=workers))
    weights = digest(run.path / MODEL / WEIGHTS)["sha256"]
    return Part(run.path, weights, recipe, prepared, flow, features, rows, how, device)


def _store(
    path: Path, prepared: Prepared, score: Callable[[Prepared, str], Mapping[str, Values]], name: str
) -> dict[str, dict[str, Any]]:
    arrays: dict[str, Array] = dict(score(prepared, name))
    labels = prepared.labels(name)
    if labels is not None:
        arrays["labels"] = np.asarray(labels)
    out = path / f"clips/{name}.npz"
    with atomic(out) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]  # its stub takes every keyword for allow_pickle
    return digests(path, [out])


def _scores_of_clip(parts: tuple[Part, ...], prepared: Prepared, name: str) -> dict[str, Values]:
    scores: dict[str, Values] = {}
    for part in parts:
        scores |= _scores_of_part(part, name)
    return scores


def _scores_of_part(part: Part, name: str) -> dict[str, Values]:
    count = part.prepared.length(name)
    if part.rows is not None:
        return {part.rows.indicator: part.rows.of_frames(name, count)}
    network = _opened(part.path, part.weights, part.device)
    if part.features is not None:
        from pagen.scoring.window_scores import log_odds

        return {"semantic": log_odds(network, part.features.features(name))}
    slider = Slider(network, part.recipe["source"], part.recipe["window"], device=part.device, **part.how)
    if part.flow is None:
        return slider.scores(partial(frames_in, part.prepared.frames(name)), count)
    take = partial(maps_in, part.flow.flow(name), part.recipe["encoding"], part.recipe["radius"])
    return {key: frames_of_maps(values) for key, values in slider.scores(take, count - 1).items()}


@lru_cache(maxsize=3)
def _opened(path: Path, weights: str, device: str) -> Any:
    """The network on the device, opened once in a process; `weights` tells a retrained one apart."""
    from pagen.models.runs import open_run
    from pagen.models.speed import fast_layout, keep_memory

    keep_memory()
    network = open_run(path).network.to(device)
    fast_layout(network)
    return network
