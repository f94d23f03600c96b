"""The code of a trained autoencoder, of the window that ends with a frame, the clip's first frame repeated.

`latents` averages it over time and space, one vector (C,) a frame; `locations` over time alone, one a cell of 16 x 16
pixels of what the network sees, whose boxes are in pixels of the footage's own size. Of a MemAE it is what the
encoder gives, before the memory. Where H or W is no multiple of 16, the edges are repeated, as when a run is scored.
Of a run on flow, the code that ends with the map from frame t to t + 1 belongs to frame t + 1, and frame 0 takes that
of frame 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pagen.batching import in_batches
from pagen.errors import PagenError
from pagen.features.source import Feed, Frames, FrameVectors, Vectors
from pagen.features.spec import FeatureSpec
from pagen.footage.clip_input import ClipInput, FlowInput, open_input, taker
from pagen.footage.flow import open_flow
from pagen.footage.prepare import Prepared, Size
from pagen.models.conv_ae import SPACE_FACTOR, Autoencoder, padded
from pagen.models.runs import Run, open_run, opened
from pagen.models.speed import fast_clips
from pagen.models.streaming import over_windows

FRAMES_AT_ONCE = 4


@dataclass(frozen=True)
class Codes:
    """The source of an autoencoder's codes of C `features`.

    Attributes:
        prepared: clips at the size that the run was trained at.
        shown: what of them the run's network is shown.
        run, weights, recipe: its folder, the SHA-256 of its weights, and its recipe.
        own: (H, W) of the footage, where every location has a vector; None averages over space.
    """

    prepared: Prepared
    shown: ClipInput
    run: Path
    weights: str
    recipe: Mapping[str, Any]
    features: int
    own: Size | None = None
    device: str = "cpu"

    def config(self) -> Mapping[str, Any]:
        kind = {"of": "locations", "own": self.own} if self.own else {"of": "latents"}
        config = {**kind, "features": self.features, "window": self.window, "source": self.recipe["source"]}
        if isinstance(self.shown, FlowInput):
            method, shown = self.shown.spec.partition(":")[0], self.shown
            config |= {"flow_method": method, "encoding": shown.encoding, "radius": shown.radius}
        return config

    def inputs(self) -> Mapping[str, str]:
        identity = open_flow(self.shown.spec).identity() if isinstance(self.shown, FlowInput) else ""
        return {"model": self.weights, **({"flow": identity} if identity else {})}

    @property
    def window(self) -> int:
        """Frames or flow maps that a code is of."""
        return int(self.recipe["window"])

    @property
    def context(self) -> int:
        """The window; of flow, the frames that its maps lie between."""
        return self.window + self.shown.late

    @property
    def ahead(self) -> int | None:
        """None of flow out of files, of which nobody knows how it was made."""
        return None if isinstance(self.shown, FlowInput) and self.shown.spec.startswith("file:") else 0

    def __call__(self, clip: str) -> FrameVectors:
        take, count = taker(self.shown, clip)
        encode = over_windows(self._encoder, self.window)

        def encoded(newest: list[int]) -> torch.Tensor:
            frames = torch.from_numpy(take(np.array(newest))).transpose(0, 1)[:, :, None]
            return self._means(encode(fast_clips(padded(frames.to(self.device)))))

        codes = in_batches(encoded, range(count), FRAMES_AT_ONCE, (self._places, self.features))
        return self._placed(np.concatenate([codes[: self.shown.late], codes]))

    def newest(self, frames: Frames) -> FrameVectors:
        """The code of the newest frame; of flow none without one before it. Raises PagenError: flow of files."""
        late = self.shown.late
        ends = range(1, len(frames) + 1)
        each = [self.shown.newest(list(frames[max(end - 1 - late, 0) : end])) for end in ends]
        inputs = [shown for shown in each if shown is not None][-self.window :]
        window = [*inputs[:1] * (self.window - len(inputs)), *inputs]

        def encoded(_: list[int]) -> torch.Tensor:
            clip = torch.from_numpy(np.concatenate(window, axis=1))[None]
            return self._means(self._encoder(fast_clips(padded(clip.to(self.device)))))

        return self._placed(in_batches(encoded, range(min(len(inputs), 1)), 1, (self._places, self.features)))

    @property
    def _encoder(self) -> nn.Module:
        encoder: nn.Module = opened(self.run, self.weights, self.device).encoder
        return encoder

    @property
    def _places(self) -> int:
        return len(cells(self.prepared.size, self.own)) if self.own else 1

    def _means(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (N, C, T', H', W') averaged, (N, places, C)."""
        means = codes.mean(dim=2)
        return (means.flatten(2) if self.own else means.mean(dim=(2, 3))[..., None]).transpose(1, 2)

    def _placed(self, codes: Vectors) -> FrameVectors:
        """Codes (T, places, C) as those of frames 0 to T - 1."""
        count, places, _ = codes.shape
        boxes = np.tile(cells(self.prepared.size, self.own), (count, 1)) if self.own else None
        return FrameVectors(codes.reshape(-1, self.features), np.repeat(np.arange(count), places), boxes)


def cells(size: Size, own: Size) -> Vectors:
    """The rectangles (h w, 4), row by row, that the codes of frames of `size` are of, in pixels of frames of `own`."""
    ends = (np.minimum(np.arange(0, side + SPACE_FACTOR, SPACE_FACTOR), side) for side in size)
    rows, columns = (edges * (whole / side) for edges, whole, side in zip(ends, own, size, strict=True))
    boxes = [(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
    return np.array(boxes, np.float32)


def open_latents(spec: FeatureSpec, feed: Feed) -> Codes:
    """The features `latents:RUN`: a code a frame. Raises PagenError: no such run, or one of no or several of them."""
    return _open_codes(open_run(spec.run), feed, None)


def open_locations(spec: FeatureSpec, feed: Feed) -> Codes:
    """The features `locations:RUN`: a code a location. Errors as `open_latents`."""
    return _open_codes(open_run(spec.run), feed, feed.own_size())


def _open_codes(run: Run, feed: Feed, own: Size | None) -> Codes:
    features, recipe = _code_size(run), run.recipe
    clips = feed.clips(tuple(recipe["size"]), recipe["colour"])
    given, names = (None, []) if feed.live else (clips, clips.clips())
    shown = open_input(recipe, given, names, feed.compute.workers)
    return Codes(clips, shown, run.path, run.weights, recipe, features, own, feed.compute.device)


def _code_size(run: Run) -> int:
    """C. Raises PagenError for a run of no or several autoencoders."""
    network = run.network
    if not isinstance(network, Autoencoder):
        raise PagenError(
            f"expected a run of an autoencoder in {run.path}, found {run.recipe['recipe']}; give another, "
            "for example one that `pagen train baseline` wrote"
        )
    clip = torch.zeros(1, int(run.recipe["channels"]), int(run.recipe["window"]), SPACE_FACTOR, SPACE_FACTOR)
    with torch.inference_mode():
        return int(network.encoder(clip).shape[1])
