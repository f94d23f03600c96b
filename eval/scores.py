"""Frame scores of a run: one float64 for every frame of every test clip, kept in a folder.

Windows of the run's length move over a clip by one frame; where one reaches beyond the clip, its first
or last frame is repeated. One pass serves both window policies: `last` takes the error of a window's
last frame (no look-ahead), `ninth` that of its ninth. A flow map is scored like a frame, and what map
t -> t + 1 gets belongs to frame t + 1.

No setting changes a byte: windows are run `WINDOWS_AT_ONCE` by that many, counted from the clip's
start, the last ones filled up by repetition, each clip with one thread. Only another device rounds
otherwise.

Reading scores needs no torch: it is imported where a run is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.eval.protocols import POLICIES, frames_of_maps
from pagen.folders import Folder, atomic, digest, digests
from pagen.footage.catalogue import folder_name
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.windows import Windows
from pagen.spread import spread

if TYPE_CHECKING:
    from pagen.footage.flow import FlowFolder
    from pagen.models.runs import Run

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float64]
Take = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
WINDOWS_AT_ONCE = 4
INDICATORS = {"frames": "psnr", "flow": "flow"}
"""What a run is fed with -> the name of its error."""


@dataclass(frozen=True)
class Scores:
    """Scores of a data set's test clips.

    Attributes:
        path: the folder.
        config: data set, label edition, and what is known of the run.
        clips: clip -> key -> (T,) float64, higher = more anomalous. A key is `indicator@policy`, or
            the indicator alone where no window plays a part.
        labels: clip -> (T,) uint8, 1 = abnormal, of the clips that have labels.
    """

    path: Path
    config: dict[str, Any]
    clips: dict[str, dict[str, Values]]
    labels: dict[str, npt.NDArray[np.uint8]]

    def indicators(self) -> list[str]:
        """Names of what was scored, without the policies."""
        return sorted({key.partition("@")[0] for arrays in self.clips.values() for key in arrays})

    def of(self, indicator: str, policy: str) -> dict[str, Values]:
        """Clip -> (T,), under a window policy. Raises PagenError where that was not scored."""
        return {name: self._array(name, indicator, policy) for name in self.clips}

    def _array(self, name: str, indicator: str, policy: str) -> Values:
        arrays = self.clips[name]
        for key in (f"{indicator}@{policy}", indicator):
            if key in arrays:
                return arrays[key]
        found = " ".join(sorted(arrays))
        raise PagenError(f"expected {indicator}@{policy} in {self.path}, found {found}; choose another protocol")


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
) -> Scores:
    """Score the test clips that are not done, each in a process, and read all of them.

    Args:
        score: picklable; (prepared clips, clip name) -> key -> (T,).
        config, inputs: what the bytes depend on, beside the prepared clips.
        label: of the progress bar.
    """
    names = prepared.clips("test")
    if not names:
        raise PagenError(f"expected test clips in {prepared.dataset}, found none; only a test split can be scored")
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
    out: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> Scores:
    """Score the test clips of a data set with a run; takes up where it was stopped.

    Args:
        run: the run's folder.
        dataset, root: as `prepare` takes them; frames are prepared at the run's size.
        out: by default RUN/scores/DATASET.
        device: `auto` (CUDA where there is one), or a name of torch's.
        workers: processes on the CPU, one clip each; 0 works in this one.
        overwrite: start again, for example after the run has been trained on.

    Raises:
        PagenError: no such run, data set or device, or scores of another model in `out`.
    """
    from pagen.models.pretrained import WEIGHTS
    from pagen.models.runs import MODEL, open_run

    place = device_named(device)
    recipe = open_run(Path(run)).recipe
    size = tuple(recipe["size"]) if recipe["size"] else None
    prepared = prepare(
        dataset, root, size, colour=recipe["source"] == "frames" and recipe["channels"] == 3, workers=workers
    )
    flows = _flows(prepared, recipe, workers)
    weights = digest(Path(run) / MODEL / WEIGHTS)["sha256"]
    return fill(
        out or Path(run) / "scores" / folder_name(dataset),
        partial(_scores_of_clip, Path(run), weights, flows, place),
        prepared,
        {"recipe": recipe},
        {"model": weights},
        workers if place == "cpu" else 0,
        f"score {Path(run).name}",
        overwrite,
    )


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


def _flows(prepared: Prepared, recipe: Mapping[str, Any], workers: int | None) -> FlowFolder | None:
    if recipe["source"] != "flow":
        return None
    from pagen.footage.flow import flow_folder

    return flow_folder(prepared, prepared.clips("test"), recipe["flow"], workers)


def _scores_of_clip(
    path: Path, weights: str, flows: FlowFolder | None, device: str, prepared: Prepared, name: str
) -> dict[str, Values]:
    run = _opened(path, weights, device)
    count, frames = prepared.length(name), prepared.frames(name)
    if flows is None:
        errors = window_scores(run, partial(_frames, frames), count, device)
    else:
        take = partial(_maps, flows.flow(name), run.recipe["encoding"], run.recipe["radius"])
        errors = {policy: frames_of_maps(maps) for policy, maps in window_scores(run, take, count - 1, device).items()}
    return {f"{INDICATORS[run.recipe['source']]}@{policy}": values for policy, values in errors.items()}


@lru_cache(maxsize=1)
def _opened(path: Path, weights: str, device: str) -> Run:
    """The run with its model on the device, opened once in a process; `weights` tells a retrained one apart."""
    import torch

    from pagen.models.memory import keep_memory
    from pagen.models.runs import open_run

    keep_memory()
    run = open_run(path)
    run.model.to(device=device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # not in torch's stub
    return run


def window_scores(run: Run, take: Take, count: int, device: str = "cpu") -> dict[str, Values]:
    """Policy -> (count,), the score of every frame (or flow map) of a clip.

    Args:
        take: indices (T,) -> the model's input (C, T, H, W) float32.
        count: how many there are to take from.
    """
    import torch

    length = run.recipe["window"]
    policies = {name: Windows(length, range(length)[index]) for name, index in POLICIES.items() if index < length}
    starts = sorted({start for windows in policies.values() for start in windows.starts(count)})
    scores = {name: np.empty(count) for name in policies}
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), exact:
        for first in range(0, len(starts), WINDOWS_AT_ONCE):
            chunk = starts[first : first + WINDOWS_AT_ONCE]
            errors = _errors(run, take, Windows(length), chunk, count, device)
            for name, windows in policies.items():
                for start, values in zip(chunk, errors, strict=True):
                    if start in windows.starts(count):
                        scores[name][windows.frame(start)] = values[windows.scored]
    return scores


def _errors(run: Run, take: Take, windows: Windows, starts: Sequence[int], count: int, device: str) -> Values:
    """Errors (len(starts), T) of all frames of the windows."""
    import torch

    from pagen.eval.errors import flow_l2, frame_mse, psnr
    from pagen.models.conv_ae import reconstruct

    full = [*starts, *[starts[-1]] * (WINDOWS_AT_ONCE - len(starts))]
    clips = torch.from_numpy(np.stack([take(windows.indices(start, count)) for start in full]))
    # the layout that 3D convolutions are fastest in, on CPUs twice as fast
    rebuilt = reconstruct(run.model, clips.to(device).contiguous(memory_format=torch.channels_last_3d)).cpu()
    clips, rebuilt = clips[: len(starts)], rebuilt[: len(starts)]
    errors = -psnr(frame_mse(clips, rebuilt), peak=2.0) if run.recipe["source"] == "frames" else flow_l2(clips, rebuilt)
    return errors.numpy()


def _frames(frames: npt.NDArray[np.uint8], indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Frames (T, H, W, C) uint8 as (C, T, H, W) in [-1, 1]."""
    return (frames[indices].astype(np.float32) / np.float32(127.5) - 1).transpose(3, 0, 1, 2)


def _maps(
    flow: npt.NDArray[np.float16], encoding: str, radius: float, indices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    from pagen.footage.flow import encode

    return encode(flow[indices], encoding, radius)
