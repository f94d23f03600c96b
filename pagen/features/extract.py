"""Features of every clip, computed once and kept in the cache folder, as flow is.

A folder belongs to one source: prepared clips, a kind of features, these very weights. It grows by the clips that
are asked for. Each clip is done by one thread from its first frame on, so that neither workers nor resuming change a
byte; only another device rounds otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_array, write_array
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.frames import Encoded, Painted, encoder_handle
from pagen.features.source import FeatureSource, FrameVectors
from pagen.fill import fill
from pagen.folders import Folder, digests, folder_name
from pagen.footage.prepare import Prepared
from pagen.manifest import cache_folder

if TYPE_CHECKING:
    from pagen.generate.pa_set import PASet


@dataclass(frozen=True)
class FeatureFolder:
    """Features of clips; of a PA set clips are called `spatial/CLIP` and `spatial_matched/CLIP`."""

    folder: Folder

    @property
    def size(self) -> int:
        """Length D of a vector."""
        return int(self.folder.config["features"])

    @property
    def span(self) -> int:
        """Frames that a vector is of, as in `FrameVectors`; of more than one, vectors are of segments."""
        return int(self.folder.config.get("span", 1))

    @property
    def objects(self) -> bool:
        """Boxes are of objects, of a kind of features that need not be."""
        return bool(self.folder.config.get("objects", False))

    def features(self, name: str) -> npt.NDArray[np.float32]:
        """Vectors (N, D) float32 of a clip, a read-only memmap."""
        return read_array(self.folder.path / f"features/{name}.npy")

    def frames(self, name: str) -> npt.NDArray[np.int64]:
        """The frame (N,) int64 of the clip that each vector belongs to, ascending."""
        kept = self._kept("frames", name)
        return np.arange(len(self.features(name))) if kept is None else kept

    def boxes(self, name: str) -> npt.NDArray[np.float32] | None:
        """The part (N, 4) of the frame that each vector is of, as in `FrameVectors`; None of whole frames."""
        return self._kept("boxes", name)

    def _kept(self, kind: str, name: str) -> npt.NDArray[Any] | None:
        file = f"{kind}/{name}.npy"
        return read_array(self.folder.path / file) if file in self.folder.items[name]["files"] else None


def extract(
    source: FeatureSource, names: Sequence[str], compute: Compute, out: Path | None = None, overwrite: bool = False
) -> FeatureFolder:
    """The features of the named clips, computed where they have not been.

    Args:
        compute: over what clips are spread; on another device than the CPU this process does all.
        out: the folder; by default one in the cache, named after the kind, its inputs, and the clips.
        overwrite: start again, whatever features lie there; `compute.overwrite` is of what they are for.

    Raises:
        PagenError: `out` holds something else, features that are not finite, or what the source says of a clip.
    """
    path, config = out or default_path(source), dict(source.config())
    inputs = {"prepared": source.prepared.fingerprint(), **source.inputs()}
    volatile = {"prepared": str(source.prepared.path)}
    folder = Folder.begin(path, "features", config, inputs, volatile, overwrite)
    fill(folder, names, partial(write_features, source, path), compute, f"features {config['of']}")
    return FeatureFolder(Folder.open(path, "features", partial=True))  # another command may be adding other clips


def feature_folder(
    prepared: Prepared, names: Sequence[str], encoder: str, compute: Compute, view: str = "whole"
) -> FeatureFolder:
    """An encoder's vectors of the frames of the named clips; `encoder` and `view` as `open_encoder` takes them.

    Raises PagenError: as `open_encoder` and `extract`.
    """
    return extract(Encoded(prepared, encoder_handle(encoder, compute.device, view)), names, compute)


def pa_feature_folder(pseudo: PASet, encoder: str, compute: Compute, view: str = "whole") -> FeatureFolder:
    """The vectors of a PA set's spatial pseudo-anomalies, `spatial/CLIP`, and `spatial_matched/CLIP` if it has those.

    Frame t of `spatial/CLIP` belongs to frame t of the clip, of whose vectors `feature_folder` keeps the normal
    ones. Arguments and errors are those of `feature_folder`.
    """
    names = [f"{kind}/{name}" for name in pseudo.clips("spatial") for kind in ("spatial", "spatial_matched")]
    present = [name for name in names if (pseudo.folder.path / f"{name}.npy").exists()]
    source = Painted(pseudo.prepared, encoder_handle(encoder, compute.device, view), pseudo=pseudo)
    return extract(source, present, compute)


def default_path(source: FeatureSource) -> Path:
    """The folder in the cache that belongs to this source alone."""
    config, prepared = source.config(), source.prepared
    identity = hashlib.sha256(json.dumps([config, source.inputs()], sort_keys=True, default=dict).encode())
    clips = f"{folder_name(prepared.dataset)}-{prepared.fingerprint()[:12]}"
    return cache_folder() / f"features-{folder_name(config['of'])}-{identity.hexdigest()[:12]}-{clips}"


def write_features(source: FeatureSource, path: Path, name: str) -> dict[str, dict[str, Any]]:
    """Write the features of a clip below `path`, and return the digests of their files. Errors as `extract`."""
    of_clip = source(name)
    _check_form(of_clip, source.config(), name)
    bad, total = of_clip.frames[~np.isfinite(of_clip.vectors).all(axis=1)], len(of_clip.vectors)
    if len(bad):
        raise PagenError(
            f"clip {name}: expected finite features, found NaN or infinity in {len(bad)} of {total} rows, first of "
            f"frame {bad[0]}; mend the weights or the file that they come from"
        )
    arrays: dict[str, npt.NDArray[Any]] = {"features": of_clip.vectors}
    if not np.array_equal(of_clip.frames, np.arange(len(of_clip.vectors))):
        arrays["frames"] = of_clip.frames
    if of_clip.boxes is not None:
        arrays["boxes"] = of_clip.boxes
    files = {path / f"{kind}/{name}.npy": array for kind, array in arrays.items()}
    for file, array in files.items():
        write_array(file, array)
    return digests(path, files)


def _check_form(of_clip: FrameVectors, config: Mapping[str, Any], name: str) -> None:
    """Raise PagenError for what is not as `FrameVectors` says, which only features of others give."""
    vectors, frames, boxes = (np.asarray(getattr(of_clip, part, None)) for part in ("vectors", "frames", "boxes"))
    wanted = f"vectors (N, {config['features']}) of floats, ascending frames (N,) and boxes (N, 4) or none"
    fits = vectors.ndim == 2 and vectors.shape[1] == config["features"] and vectors.dtype.kind == "f"
    fits = fits and frames.shape == vectors.shape[:1] and frames.dtype.kind in "iu"
    fits = fits and bool((np.diff(frames, prepend=0) >= 0).all())
    if not fits or (boxes.shape and boxes.shape != (len(vectors), 4)):
        shown = f"vectors {vectors.dtype} {vectors.shape}, frames {frames.dtype} {frames.shape}, boxes {boxes.shape}"
        raise PagenError(f"clip {name}: expected {wanted} of features {config['of']}, found {shown}; mend that kind")
