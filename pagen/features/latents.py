"""The code of a trained autoencoder, of the window that ends with a frame, the clip's first frame repeated.

`latents` averages it over time and space, one vector (C,) a frame; `locations` over time alone, one a cell of 16 x 16
pixels of what the network sees, whose boxes are in pixels of the footage's own size. Of a MemAE it is what the
encoder gives, before the memory. Where H or W is no multiple of 16, the edges are repeated, as when a run is scored.

Of a run on flow, the code that ends with the map from frame t to t + 1 belongs to frame t + 1, and frame 0 takes that
of frame 1. Windows are encoded `WINDOWS_AT_ONCE` by that many, counted from the clip's start, the last ones filled up
by repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from pagen.device import exact
from pagen.errors import PagenError
from pagen.features.source import Found, Stream
from pagen.folders import digest
from pagen.footage.flow import Computed, FlowFolder, encode, flow_folder, grey, open_flow
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.windows import Windows, as_input
from pagen.models.conv_ae import SPACE_FACTOR, ConvAE3d, padded, widths_of
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.pretrained import WEIGHTS
from pagen.models.runs import MODEL, Run, open_run
from pagen.models.speed import fast_clips, fast_layout, keep_memory
from pagen.spread import Workers

Size = tuple[int, int]
Vectors = npt.NDArray[np.float32]
Take = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
"""Indices (T,) of frames or flow maps -> the network's input (C, T, H, W)."""
WINDOWS_AT_ONCE = 4


@dataclass(frozen=True)
class Codes:
    """The source of an autoencoder's codes.

    Attributes:
        prepared: clips at the size that the run was trained at.
        run: its folder.
        weights: SHA-256 of its weights.
        recipe: its recipe.
        features: C.
        flow: of all clips, where the run is of flow.
        own: (H, W) of the footage, where every location has a vector; None averages over space.
        device: of torch's.
    """

    prepared: Prepared
    run: Path
    weights: str
    recipe: Mapping[str, Any]
    features: int
    flow: FlowFolder | None = None
    own: Size | None = None
    device: str = "cpu"

    def config(self) -> Mapping[str, Any]:
        """C, the window, how flow is shown, and the footage's own size where there are locations."""
        keys = ("window", "source", *(("flow_method", "encoding", "radius") if self.flow else ()))
        known = {**self.recipe, "flow_method": self.flow and self.flow.folder.config["method"]}
        place = {"of": "locations", "own": self.own} if self.own else {"of": "latents"}
        return {**place, "features": self.features, **{key: known[key] for key in keys}}

    def inputs(self) -> Mapping[str, str]:
        """The network's weights, and files that the flow is read from."""
        files = self.flow.folder.inputs.get("source") if self.flow else None
        return {"model": self.weights, **({"flow": files} if files else {})}

    @property
    def context(self) -> int:
        """The window; of flow, the frames that its maps lie between."""
        return int(self.recipe["window"]) + int(self.recipe["source"] == "flow")

    def __call__(self, clip: str) -> Found:
        """The codes of a clip."""
        count = self.prepared.length(clip)
        if self.flow is None:
            return self._found(self._codes(self._frames(self.prepared.frames(clip)), count, self._starts(count)))
        codes = self._codes(self._maps(self.flow.flow(clip)), count - 1, self._starts(count - 1))
        return self._found(np.concatenate([codes[:1], codes]))

    def newest(self, frames: npt.NDArray[np.uint8]) -> Found:
        """The code of the newest frame; of flow none, where there is no frame before it.

        Raises:
            PagenError: flow that is read from files.
        """
        count = len(frames)
        if self.recipe["source"] != "flow":
            return self._found(self._codes(self._frames(frames), count, self._starts(count)[-1:], 1))
        method = open_flow(self.recipe["flow"])
        if not isinstance(method, Computed):
            raise PagenError(f"expected a run on flow that is computed, found {self.recipe['flow']} in {self.run}")
        if count < 2:
            return self._found(np.empty((0, *self._shape), np.float32))
        maps = np.stack(list(method.method(map(grey, frames)))).astype(np.float16)
        return self._found(self._codes(self._maps(maps), count - 1, self._starts(count - 1)[-1:], 1))

    def _starts(self, count: int) -> range:
        window = self.recipe["window"]
        return Windows(window, window - 1).starts(count)

    def _frames(self, frames: npt.NDArray[np.uint8]) -> Take:
        return lambda indices: as_input(frames[indices])

    def _maps(self, flow: npt.NDArray[np.float16]) -> Take:
        return lambda indices: encode(flow[indices], self.recipe["encoding"], self.recipe["radius"])

    def _codes(self, take: Take, count: int, starts: Sequence[int], at_once: int = WINDOWS_AT_ONCE) -> Vectors:
        """Codes (N, places, C) of the windows at these starts."""
        network, windows = _opened(self.run, self.weights, self.device), Windows(self.recipe["window"])
        codes = np.empty((len(starts), *self._shape), np.float32)
        for first in range(0, len(starts), at_once):
            chunk = starts[first : first + at_once]
            full = [*chunk, *[chunk[-1]] * (at_once - len(chunk))]
            clips = torch.from_numpy(np.stack([take(windows.indices(start, count)) for start in full]))
            codes[first : first + len(chunk)] = self._encoded(network, clips)[: len(chunk)]
        return codes

    def _encoded(self, network: Any, clips: torch.Tensor) -> Vectors:
        with torch.inference_mode(), exact():
            code = network.encoder(fast_clips(padded(clips.to(self.device)))).mean(dim=2)
            places = code.flatten(2) if self.own else code.mean(dim=(2, 3))[..., None]
            vectors: Vectors = places.transpose(1, 2).cpu().numpy()
        return vectors

    def _found(self, codes: Vectors) -> Found:
        count, places, _ = codes.shape
        boxes = np.tile(cells(self.prepared.size, self.own), (count, 1)) if self.own else None
        return Found(codes.reshape(-1, self.features), np.repeat(np.arange(count), places), boxes)

    @property
    def _shape(self) -> Size:
        """Places and C."""
        return (len(cells(self.prepared.size, self.own)) if self.own else 1), self.features


def cells(size: Size, own: Size) -> Vectors:
    """The rectangles (h w, 4), row by row, that the codes of frames of `size` are of, in pixels of frames of `own`."""
    rows, columns = (_edges(*sides) for sides in zip(size, own, strict=True))
    boxes = [(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
    return np.array(boxes, np.float32)


def _edges(side: int, own: int) -> npt.NDArray[np.float64]:
    """Where cells begin and end along an axis."""
    return np.minimum(np.arange(0, side + SPACE_FACTOR, SPACE_FACTOR), side) * (own / side)


def open_codes(
    run: Path,
    dataset: str,
    root: Path | None = None,
    device: str = "cpu",
    workers: Workers = None,
    places: bool = False,
) -> Codes:
    """The codes of a data set by a run; flow is computed for all of its clips.

    Args:
        dataset, root: as `prepare` takes them.
        device: of torch's.
        places: one vector a location, instead of one a frame.

    Raises:
        PagenError: no such run or data set, or a run of no or several autoencoders.
    """
    opened = open_run(run)
    _autoencoder(opened)
    recipe = opened.recipe
    prepared = prepare(dataset, root, tuple(recipe["size"]), recipe["colour"], workers=workers)
    flow = flow_folder(prepared, prepared.clips(), recipe["flow"], workers) if recipe["source"] == "flow" else None
    own = _own_size(dataset, root) if places else None
    return _codes(opened, prepared, flow, own, device)


def stream_codes(run: Path | str, own: Size | None, device: str) -> Codes:
    """The codes of frames that come one by one, at the run's size.

    Args:
        own: (H, W) of the stream, for one vector a location.

    Raises:
        PagenError: no such run, or a run of no or several autoencoders.
    """
    opened = open_run(Path(run))
    clips: Any = Stream(tuple(opened.recipe["size"]), opened.recipe["colour"])
    return _codes(opened, clips, None, own, device)


def _codes(run: Run, prepared: Prepared, flow: FlowFolder | None, own: Size | None, device: str) -> Codes:
    network = _autoencoder(run)
    weights = digest(run.path / MODEL / WEIGHTS)["sha256"]
    return Codes(prepared, run.path, weights, run.recipe, widths_of(network.config["widths"])[3], flow, own, device)


def _autoencoder(run: Run) -> ConvAE3d | MemAE | LUSSAE:
    network = run.network
    if not isinstance(network, (ConvAE3d, MemAE, LUSSAE)):
        raise PagenError(
            f"expected a run of an autoencoder in {run.path}, found {run.recipe['recipe']}; give another, "
            "for example one that `pagen train baseline` wrote"
        )
    return network


def _own_size(dataset: str, root: Path | None) -> Size:
    height, width = next(locate(dataset, root).clips[0].frames()).shape[:2]
    return height, width


@lru_cache(maxsize=3)
def _opened(path: Path, weights: str, device: str) -> nn.Module:
    """The network on the device, opened once in a process; `weights` tells a retrained one apart."""
    keep_memory()
    network = open_run(path).network.to(device)
    fast_layout(network)
    return network
