"""Flow from disk: what another program computed, one file a clip, `DIR/CLIP.npy`, as `file:DIR`.

A file holds floats (T - 1, 2, H', W') in pixels per frame of its own size, x then y, from each frame to
the next; another size than the prepared one is rescaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import read_array
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.folders import fingerprint
from pagen.footage.outline import outline
from pagen.footage.prepare import Prepared
from pagen.footage.resize import by_area

Flow = npt.NDArray[np.floating[Any]]
FASTEST = 30_000.0
"""Pixels per frame; what is faster is taken for a mark of the unknown (and leaves half floats)."""


@dataclass(frozen=True)
class FileFlow:
    """The flow files of a folder.

    Example:
        >>> FileFlow(Path("nowhere"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a folder of flow files CLIP.npy, found none at nowhere; check the path
    """

    directory: Path

    def __post_init__(self) -> None:
        if not self.directory.is_dir():
            raise PagenError(
                f"expected a folder of flow files CLIP.npy, found none at {self.directory}; check the path"
            )

    def maps(self, prepared: Prepared, name: str) -> Iterator[Flow]:
        """See `FlowSource`. Raises PagenError: no such file, or it does not hold floats of the clip's flow."""
        path = self.directory / f"{name}.npy"
        for flow in self._read(path, prepared.length(name) - 1):
            if not np.abs(flow).max() < FASTEST:  # NaN is not below either
                raise PagenError(
                    f"expected finite flow, in pixels per frame, in {path}, found others; compute it again"
                )
            yield rescale(flow, prepared.size)

    def check(self, clips: Prepared, name: str) -> None:
        """Raise PagenError for a clip whose file is missing, or holds another number of maps; none is looked at."""
        self._read(self.directory / f"{name}.npy", clips.length(name) - 1)

    def identity(self) -> str:
        """A fingerprint of the names, sizes and bytes of the folder's flow files."""
        return fingerprint(self.directory, sorted(self.directory.glob("*.npy")))

    def _read(self, path: Path, count: int) -> Flow:
        if not path.is_file():
            raise PagenError(
                f"expected the flow of clip {path.stem} in {path}, found no such file; compute it, or rename"
            )
        flow = read_array(path)
        fits = flow.ndim == 4 and flow.shape[:2] == (count, 2) and flow.size > 0
        if not fits or not np.issubdtype(flow.dtype, np.floating):
            raise PagenError(
                f"expected floats ({count}, 2, H, W) in {path}, from each frame of the clip to the next, "
                f"found {flow.dtype} {flow.shape}; x goes first, then y"
            )
        return flow


def open_flow_files(option: str) -> FileFlow:
    """The flow of `file:DIR`. Raises PagenError: no folder is named, or there is none.

    Example:
        >>> open_flow_files("")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected flow 'file:DIR' with a folder of CLIP.npy, found 'file'; name the folder
    """
    if not option:
        raise PagenError("expected flow 'file:DIR' with a folder of CLIP.npy, found 'file'; name the folder")
    return FileFlow(Path(option))


def check_flow_files(spec: str, dataset: str, compute: Compute) -> None:
    """Raise PagenError for `file:DIR` without the flow of each training clip, before any clip is prepared.

    Example:
        >>> check_flow_files("dis", "street", Compute())
    """
    name, _, option = spec.partition(":")
    if name == "file":
        files = open_flow_files(option)
        clips = outline(dataset, compute.root, compute.workers, compute.partial)
        for clip in clips.clips("train"):
            files.check(clips, clip)


def rescale(flow: Flow, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Flow (2, H', W') in pixels of its own size as flow (2, H, W) in pixels of the given size (H, W).

    The map is resized (averaged where it shrinks), u is multiplied by W / W' and v by H / H'.

    Example:
        >>> rescale(np.ones((2, 8, 8), np.float32), (4, 16))[:, 0, 0].tolist()
        [2.0, 0.5]
    """
    height, width = flow.shape[1:]
    if (height, width) == size:
        return np.asarray(flow, np.float32)
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    channels_last = np.ascontiguousarray(flow.transpose(1, 2, 0), np.float32)
    return np.asarray(by_area(channels_last, size) * scale, np.float32).transpose(2, 0, 1)
