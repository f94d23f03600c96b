"""Features of every clip, computed once and kept in the cache folder, as flow is.

A folder belongs to one source: prepared clips, a kind of features, these very weights. It grows by the clips that
are asked for. Each clip is done by one thread from its first frame on, so that neither workers nor resuming change a
byte; only another device rounds otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import read_array, write_array
from pagen.device import device_named
from pagen.errors import PagenError
from pagen.features.frames import Encoded, Painted, opening
from pagen.features.source import Found, Source
from pagen.folders import Folder, digests, folder_name
from pagen.footage.prepare import Prepared, cache_folder
from pagen.spread import Workers, spread

if TYPE_CHECKING:
    from pagen.generate.pa_set import PASet


@dataclass(frozen=True)
class FeatureFolder:
    """Features of clips."""

    folder: Folder

    @property
    def size(self) -> int:
        """Length D of a vector."""
        return int(self.folder.config["features"])

    def names(self) -> list[str]:
        """What has been extracted, sorted: clips, or `spatial/CLIP` and `spatial_matched/CLIP` of a PA set."""
        return sorted(self.folder.items)

    def features(self, name: str) -> npt.NDArray[np.float32]:
        """Vectors (N, D) float32 of a clip, a read-only memmap."""
        return read_array(self.folder.path / f"features/{name}.npy")

    def frames(self, name: str) -> npt.NDArray[np.int64]:
        """The frame (N,) int64 of the clip that each vector belongs to, ascending."""
        kept = self._kept("frames", name)
        return np.arange(len(self.features(name))) if kept is None else kept

    def boxes(self, name: str) -> npt.NDArray[np.float32] | None:
        """The part (N, 4) of the frame that each vector is of, as in `Found`; None where they are of whole frames."""
        return self._kept("boxes", name)

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()

    def _kept(self, kind: str, name: str) -> npt.NDArray[Any] | None:
        file = f"{kind}/{name}.npy"
        return read_array(self.folder.path / file) if file in self.folder.items[name]["files"] else None


def extract(
    source: Source,
    names: Sequence[str],
    workers: Workers = None,
    device: str = "cpu",
    out: Path | None = None,
    overwrite: bool = False,
) -> FeatureFolder:
    """The features of the named clips, computed where they have not been.

    Args:
        workers: as `spread` takes them; on another device than the CPU this process does all.
        device: where the source computes: a name of torch's, or `auto`.
        out: the folder; by default one in the cache, named after the kind, its inputs, and the clips.
        overwrite: start again, whatever features lie there.

    Raises:
        PagenError: `out` holds something else, features that are not finite, or what the source says of a clip.
    """
    path, config = out or _place(source), dict(source.config())
    inputs = {"prepared": source.prepared.fingerprint(), **source.inputs()}
    folder = Folder.begin(path, "features", config, inputs, {"prepared": str(source.prepared.path)}, overwrite)
    jobs = [_Job(name, source, path) for name in folder.pending(list(names))]
    done = spread(_features_of, jobs, workers if device_named(device) == "cpu" else 0)
    for job, files in console.progress(done, f"features {config['of']}", len(jobs)):
        folder.record(job.name, files)
    folder.finish()
    return FeatureFolder(Folder.open(path, "features"))


def feature_folder(
    prepared: Prepared,
    names: Sequence[str],
    encoder: str = "lite0",
    workers: Workers = None,
    device: str = "cpu",
    view: str = "whole",
) -> FeatureFolder:
    """An encoder's vectors of the frames of the named clips.

    Args:
        encoder, view: as `open_encoder` takes them.
        workers, device: as `extract` takes them.

    Raises:
        PagenError: no such encoder, device or view.
    """
    return extract(Encoded(prepared, opening(encoder, device, view)), names, workers, device)


def pa_feature_folder(
    pseudo: PASet,
    encoder: str = "lite0",
    workers: Workers = None,
    device: str = "cpu",
    view: str = "whole",
) -> FeatureFolder:
    """The vectors of a PA set's spatial pseudo-anomalies, `spatial/CLIP`, and `spatial_matched/CLIP` if it has those.

    Frame t of `spatial/CLIP` belongs to frame t of the clip, of whose vectors `feature_folder` keeps the normal
    ones. Arguments and errors are those of `feature_folder`.
    """
    names = [f"{kind}/{name}" for name in pseudo.clips("spatial") for kind in ("spatial", "spatial_matched")]
    there = [name for name in names if (pseudo.folder.path / f"{name}.npy").exists()]
    source = Painted(pseudo.prepared, opening(encoder, device, view), pseudo=pseudo)
    return extract(source, there, workers, device)


@dataclass(frozen=True)
class _Job:
    name: str
    source: Source
    path: Path


def _place(source: Source) -> Path:
    config, prepared = source.config(), source.prepared
    text = json.dumps([config, source.inputs()], sort_keys=True, default=dict)
    made = hashlib.sha256(text.encode()).hexdigest()[:12]
    of = f"{folder_name(prepared.dataset)}-{prepared.fingerprint()[:12]}"
    return cache_folder() / f"features-{folder_name(config['of'])}-{made}-{of}"


def _features_of(job: _Job) -> dict[str, dict[str, Any]]:
    found = job.source(job.name)
    _require_finite(found, job.name)
    arrays: dict[str, npt.NDArray[Any]] = {"features": found.vectors}
    if not np.array_equal(found.frames, np.arange(len(found.vectors))):
        arrays["frames"] = found.frames
    if found.boxes is not None:
        arrays["boxes"] = found.boxes
    files = {job.path / f"{kind}/{job.name}.npy": array for kind, array in arrays.items()}
    for path, array in files.items():
        write_array(path, array)
    return digests(job.path, files)


def _require_finite(found: Found, name: str) -> None:
    bad = found.frames[~np.isfinite(found.vectors).all(axis=1)]
    if len(bad):
        raise PagenError(
            f"clip {name}: expected finite features, found NaN or infinity in {len(bad)} of {len(found.vectors)} rows, "
            f"first of frame {bad[0]}; mend the weights or the file that they come from"
        )
