"""Vectors of an encoder for every frame, computed once and kept in the cache folder, as flow is.

A folder belongs to one source (prepared clips, or a PA set), one encoder with these very weights, and one view;
it grows by the clips that are asked for. Each clip is encoded by one thread from its first frame on, so that
neither workers nor resuming change a byte; only another device rounds otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import read_array, write_array
from pagen.device import device_named
from pagen.folders import Folder, digests
from pagen.footage.catalogue import folder_name
from pagen.footage.prepare import Prepared, cache_folder
from pagen.models.encoders import Encoder, open_encoder
from pagen.spread import Workers, spread

if TYPE_CHECKING:
    from pagen.generate.pa_set import PASet


@dataclass(frozen=True)
class FeatureFolder:
    """Vectors of frames."""

    folder: Folder

    @property
    def size(self) -> int:
        """Length D of a vector."""
        return int(self.folder.config["features"])

    def names(self) -> list[str]:
        """What has been encoded, sorted: clips, or `spatial/CLIP` and `spatial_matched/CLIP` of a PA set."""
        return sorted(self.folder.items)

    def features(self, name: str) -> npt.NDArray[np.float32]:
        """Vectors (T, D) float32 of a clip's frames, as the encoder gave them, a read-only memmap."""
        return read_array(self.folder.path / f"features/{name}.npy")

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte."""
        return self.folder.fingerprint()


def feature_folder(
    prepared: Prepared,
    names: Sequence[str],
    encoder: str = "lite0",
    workers: Workers = None,
    device: str = "cpu",
    view: str = "whole",
) -> FeatureFolder:
    """The vectors of the named clips, encoded where they have not been.

    Args:
        encoder, view: as `open_encoder` takes them.
        workers: as `spread` takes them; on another device than the CPU this process does all.
        device: a name of torch's, or `auto`.

    Raises:
        PagenError: no such encoder, device or view.
    """
    frames = {name: prepared.path / f"clips/{name}.npy" for name in names}
    of = f"{folder_name(prepared.dataset)}-{prepared.fingerprint()[:12]}"
    source = _Source("prepared", of, prepared.fingerprint(), prepared.path, frames)
    return _encode(source, encoder, workers, device, view)


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
    root = pseudo.folder.path
    names = [f"{kind}/{name}" for name in pseudo.clips("spatial") for kind in ("spatial", "spatial_matched")]
    frames = {name: root / f"{name}.npy" for name in names if (root / f"{name}.npy").exists()}
    of = f"{folder_name(pseudo.prepared.dataset)}-pa-{pseudo.fingerprint()[:12]}"
    return _encode(_Source("pa_set", of, pseudo.fingerprint(), root, frames), encoder, workers, device, view)


@dataclass(frozen=True)
class _Source:
    """Where frames come from: what kind of folder, its part of the cache's name, and item -> file of frames."""

    kind: str
    of: str
    fingerprint: str
    path: Path
    frames: Mapping[str, Path]


@dataclass(frozen=True)
class _Job:
    name: str
    frames: Path
    path: Path
    encoder: _Opening


@dataclass(frozen=True)
class _Opening:
    """How an encoder is opened; the fingerprint tells changed weights apart."""

    spec: str
    device: str
    view: str
    fingerprint: str


def _encode(source: _Source, spec: str, workers: Workers, device: str, view: str) -> FeatureFolder:
    place = device_named(device)
    found = open_encoder(spec, place, view)
    where, weights = found.origin() or ("", "")
    opening = _Opening(f"{found.name}:{where}" if where else spec, place, view, weights)
    tail = "-".join([found.name, *([weights[:12]] if weights else []), *([view] if view != "whole" else [])])
    path = cache_folder() / f"features-{tail}-{source.of}"
    config = {"encoder": found.name, "features": found.features, "view": view}
    inputs = {source.kind: source.fingerprint} | ({"encoder": weights} if weights else {})
    folder = Folder.begin(path, "features", config, inputs, {source.kind: str(source.path), "encoder": where})
    del found  # each worker opens its own
    jobs = [_Job(name, source.frames[name], path, opening) for name in folder.pending(list(source.frames))]
    done = spread(_features_of, jobs, workers if place == "cpu" else 0)
    for job, files in console.progress(done, f"encode {config['encoder']}", len(jobs)):
        folder.record(job.name, files)
    folder.finish()
    return FeatureFolder(Folder.open(path, "features"))


def _features_of(job: _Job) -> dict[str, dict[str, Any]]:
    out = job.path / f"features/{job.name}.npy"
    write_array(out, _opened(job.encoder)(read_array(job.frames)))
    return digests(job.path, [out])


@lru_cache(maxsize=1)
def _opened(encoder: _Opening) -> Encoder:
    return open_encoder(encoder.spec, encoder.device, encoder.view)
