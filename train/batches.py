"""Batches: step -> tensors. A batch depends on the seed and the step alone, so a run resumes bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pagen.errors import PagenError
from pagen.footage.flow import FlowFolder, encode
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.pa_set import PASet, Pseudo
from pagen.generate.skip import draw_skip, strides_that_fit
from pagen.seeds import generator
from pagen.train.crops import Box, Points, draw_box, masked_points, moving_points
from pagen.train.recipes import Recipe, Skip, Temporal

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Batches:
    """What a recipe trains on.

    Attributes:
        recipe: decides between frames and flow, crops, and the share of pseudo-anomalies.
        prepared: the footage.
        flow: its flow, for recipes that see flow.
        pseudo: a PA set; None makes pseudo-anomalies on the fly, where the recipe can.
        seed: of everything that is drawn.
    """

    recipe: Recipe
    prepared: Prepared
    flow: FlowFolder | None
    pseudo: PASet | None
    seed: int

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.recipe.steps or max(len(self.windows) // self.recipe.batch, 1)

    def draw(self, step: int) -> Batch:
        """The inputs and targets (B, C, T, H, W) in [-1, 1] of a step."""
        first = step * self.recipe.batch
        pairs = [self.sample(first + i) for i in range(self.recipe.batch)]
        inputs, targets = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
        return inputs, targets

    def sample(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Input and target (C, T, H, W) number `index` of the whole run."""
        rng = generator(self.seed, "sample", index)
        if rng.random() < self.recipe.probability:
            clip, points = self._pseudo(index, rng)
        else:
            name, start = self._window(index)
            frames = self._source(name)[start : start + self.recipe.window]
            clip, points = Pseudo(frames, frames, None), self._moving_in(name, start)
        box = draw_box(self.prepared.size, self.recipe.crop, points, self.recipe.moving, rng)
        return self._tensor(clip.pseudo, box), self._tensor(clip.target, box)

    @cached_property
    def windows(self) -> list[tuple[str, int]]:
        """Every window of the training split that lies inside its clip: (clip, start)."""
        window = Windows(self.recipe.window)
        names = self.prepared.clips("train")
        found = [(name, start) for name in names for start in window.inside(len(self._source(name)))]
        if not found:
            raise self._too_short(self.recipe.window + (self.flow is not None), "lower --window")
        return found

    @cached_property
    def fast_clips(self) -> list[str]:
        """The training clips that are long enough for one of the strides of a `Skip` recipe."""
        length, strides = self.recipe.window, self._skip.strides
        names = self.prepared.clips("train")
        found = [name for name in names if strides_that_fit(self.prepared.length(name), length, strides)]
        if not found:
            raise self._too_short((length - 1) * min(strides) + 1, "lower --strides or --window")
        return found

    @property
    def _skip(self) -> Skip:
        assert isinstance(self.recipe, Skip)  # the verb asks the others for a PA set
        return self.recipe

    def check(self) -> None:
        """Raise PagenError where the training split is too short for the recipe."""
        if self.windows and isinstance(self.recipe, Skip) and self.pseudo is None and self.recipe.probability > 0:
            self.fast_clips  # noqa: B018  # raises

    def _window(self, index: int) -> tuple[str, int]:
        """Every window once, in an order of its own, before any comes again."""
        turn, place = divmod(index, len(self.windows))
        return self.windows[int(self._order(turn)[place])]

    def _order(self, turn: int) -> npt.NDArray[np.int64]:
        if turn not in self._orders:
            self._orders.clear()
            self._orders[turn] = generator(self.seed, "order", turn).permutation(len(self.windows))
        return self._orders[turn]

    @cached_property
    def _orders(self) -> dict[int, npt.NDArray[np.int64]]:
        """The order of the present turn."""
        return {}

    def _pseudo(self, index: int, rng: np.random.Generator) -> tuple[Pseudo, Points]:
        if self.pseudo is None:
            return self._skipped_on_the_fly(index, rng)
        items = self.pseudo.items(self.recipe.kind or "", self.recipe.window)
        item = items[rng.integers(len(items))]
        clip = self.pseudo.render(item, self.recipe.window)
        if item.kind == "skip":
            return self._skipped(item.clip, item.start, clip.pseudo)
        assert clip.mask is not None
        return clip, masked_points(clip.mask, rng)

    def _skipped_on_the_fly(self, index: int, rng: np.random.Generator) -> tuple[Pseudo, Points]:
        name, start = self._window(index)
        if name not in self.fast_clips:
            name, start = self.fast_clips[rng.integers(len(self.fast_clips))], -1
        frames = self._source(name)
        skip = draw_skip(len(frames), start, self.recipe.window, self._skip.strides, rng)
        return self._skipped(name, skip.start, frames[skip.indices(self.recipe.window)])

    def _too_short(self, needed: int, advice: str) -> PagenError:
        longest = max((self.prepared.length(name) for name in self.prepared.clips("train")), default=0)
        return PagenError(
            f"expected training clips of {needed} frames and more, the longest has {longest}; "
            f"{advice}, or give longer videos"
        )

    def _skipped(self, name: str, start: int, pseudo: Any) -> tuple[Pseudo, Points]:
        target = self._source(name)[start : start + self.recipe.window]
        return Pseudo(pseudo, target, None), self._moving_in(name, start)

    def _source(self, name: str) -> Any:
        return self.prepared.frames(name) if self.flow is None else self.flow.flow(name)

    def _moving_in(self, name: str, start: int) -> Points:
        points = self._moving[name] if self.recipe.crop else np.empty((0, 3), np.int64)
        first, last = np.searchsorted(points[:, 0], (start + 1, start + self.recipe.window))
        return points[first:last]

    @cached_property
    def _moving(self) -> dict[str, Points]:
        names = self.prepared.clips("train")
        return {name: moving_points(self.prepared.frames(name), generator(self.seed, "moving", name)) for name in names}

    def _tensor(self, clip: npt.NDArray[Any], box: Box) -> npt.NDArray[np.float32]:
        """Frames (T, H, W, C) uint8 or flow (T, 2, H, W) -> the box of it, (C, T, h, w) in [-1, 1]."""
        if isinstance(self.recipe, Temporal):
            return encode(box.of(clip, space=2), self.recipe.encoding, self.recipe.radius)  # type: ignore[arg-type]
        cut = box.of(clip).transpose(3, 0, 1, 2).astype(np.float32)
        return cut / np.float32(127.5) - np.float32(1)
