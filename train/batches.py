"""Batches: step -> tensors. A batch depends on the seed and the step alone, so a run resumes bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from pagen.footage.flow import FlowFolder, encode
from pagen.footage.prepare import Prepared
from pagen.footage.windows import as_input
from pagen.generate.pa_set import PASet, Pseudo
from pagen.generate.skip import Skip, draw_skip
from pagen.seeds import generator
from pagen.train.crops import Box, draw_box
from pagen.train.normal_clips import NormalClips
from pagen.train.pseudo_clips import Drawn, PseudoSource
from pagen.train.recipes.base import ClipRecipe, Recipe
from pagen.train.recipes.clips import Luss, OnTheFly, Steal, Temporal

Batch = dict[str, torch.Tensor]
Sample = dict[str, npt.NDArray[np.float32]]


class Batches(Protocol):
    """What the loop asks for."""

    @property
    def recipe(self) -> Recipe:
        """What is trained."""

    @property
    def steps(self) -> int:
        """Steps in an epoch."""

    def sample(self, index: int) -> Sample:
        """Sample number `index` of the whole run."""

    def describe(self, index: int) -> str:
        """Where that sample comes from."""


def draw(batches: Batches, indices: range) -> Batch:
    """The samples of these numbers as tensors, the samples along the first axis."""
    samples = [batches.sample(index) for index in indices]
    return {key: torch.from_numpy(np.stack([sample[key] for sample in samples])) for key in samples[0]}


@dataclass(frozen=True)
class ClipBatches:
    """Clips, as a recipe wants them.

    Attributes:
        recipe: decides between frames and flow, crops, and the share of pseudo-anomalies.
        prepared: the footage.
        flow: its flow, for recipes that see flow.
        stored: a PA set; None makes pseudo-anomalies on the fly, where the recipe can.
        seed: of everything that is drawn.
        names: the clips; by default all of the training split.

    What a sample holds: `clips` and `targets` (C, T, H, W) in [-1, 1]; of `steal` also `signs`, -1 where it is
    to be reconstructed badly; of `luss` `clips`, `next` (C, 1, H, W), `fast` (C, T, H, W) and `labels`, 1 where
    `fast` is accelerated.
    """

    recipe: ClipRecipe
    prepared: Prepared
    flow: FlowFolder | None
    stored: PASet | None
    seed: int
    names: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.recipe.steps or max(len(self.normal.windows) // self.recipe.batch, 1)

    def sample(self, index: int) -> Sample:
        """Sample number `index` of the whole run."""
        rng = generator(self.seed, "sample", index)
        return self._luss(index, rng) if isinstance(self.recipe, Luss) else self._rebuilt(index, rng)

    def describe(self, index: int) -> str:
        """Kind, clip and first frame of a sample."""
        rng = generator(self.seed, "sample", index)
        drawn = self._drawn(index, rng)
        return f"{drawn.kind} {drawn.place[0]}@{drawn.place[1]}"

    def check(self) -> None:
        """Raise PagenError where the training split is too short for the recipe."""
        if self.normal.windows and self.recipe.probability > 0:
            self._pseudo.check()
        if isinstance(self.recipe, Luss):
            self._fast_clips  # noqa: B018  # raises

    @cached_property
    def normal(self) -> NormalClips:
        """The normal clips."""
        names = self.names or tuple(self.prepared.clips("train"))
        length = self.recipe.window + isinstance(self.recipe, Luss)
        return NormalClips(self.prepared, self.flow, names, length, self.seed)

    @cached_property
    def _pseudo(self) -> PseudoSource:
        assert isinstance(self.recipe, (OnTheFly, Temporal))  # no other has a share of pseudo-anomalies
        return PseudoSource(self.recipe, self.normal, self.stored)

    def _drawn(self, index: int, rng: np.random.Generator) -> Drawn:
        if rng.random() < self.recipe.probability:
            return self._pseudo.draw(index, rng)
        name, start = self.normal.window(index)
        frames = self.normal.source(name)[start : start + self.normal.length]
        return Drawn(Pseudo(frames, frames, None), self._moving_in(name, start), "normal", (name, start))

    def _rebuilt(self, index: int, rng: np.random.Generator) -> Sample:
        drawn = self._drawn(index, rng)
        clip, box = drawn.clip, self._box(drawn.points, rng)
        if not isinstance(self.recipe, Steal):
            return {"clips": self._tensor(clip.pseudo, box), "targets": self._tensor(clip.target, box)}
        shown = self._tensor(clip.pseudo, box)
        return {"clips": shown, "targets": shown, "signs": np.asarray(1 if drawn.kind == "normal" else -1, np.float32)}

    def _luss(self, index: int, rng: np.random.Generator) -> Sample:
        drawn = self._drawn(index, rng)
        clip = self._tensor(drawn.clip.target, self._box(drawn.points, rng))
        fast, label = self._fast(rng)
        return {"clips": clip[:, :-1], "next": clip[:, -1:], "fast": fast, "labels": np.asarray(label, np.float32)}

    def _fast(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.float32], bool]:
        """A clip from elsewhere, accelerated or not, and which of the two: both start at the same frame."""
        assert isinstance(self.recipe, Luss)
        length, names = self.recipe.window, self._fast_clips
        name = names[rng.integers(len(names))]
        frames = self.normal.source(name)
        skip = draw_skip(len(frames), -1, length, self.recipe.strides, rng)
        accelerated = rng.random() < self.recipe.accelerated
        clip = frames[(skip if accelerated else Skip(skip.start, 1)).indices(length)]
        box = self._box(self._moving_in(name, skip.start), rng)
        return self._tensor(clip, box), accelerated

    @cached_property
    def _fast_clips(self) -> list[str]:
        """Clips that are long enough to be accelerated, each as often as it has windows."""
        assert isinstance(self.recipe, Luss)
        long = set(self.normal.long_enough(self.recipe.window, self.recipe.strides))
        return [name for name, _ in self.normal.windows if name in long]

    def _moving_in(self, name: str, start: int) -> Any:
        if not self.recipe.crop:
            return np.empty((0, 3), np.int64)
        return self.normal.moving_in(name, start, self.recipe.window)

    def _box(self, points: Any, rng: np.random.Generator) -> Box:
        return draw_box(self.prepared.size, self.recipe.crop, points, self.recipe.moving, rng)

    def _tensor(self, clip: npt.NDArray[Any], box: Box) -> npt.NDArray[np.float32]:
        """Frames (T, H, W, C) uint8 or flow (T, 2, H, W) -> the box of it, (C, T, h, w) in [-1, 1]."""
        if isinstance(self.recipe, Temporal):
            return encode(box.of(clip, space=2), self.recipe.encoding, self.recipe.radius)  # type: ignore[arg-type]  # a box keeps the type
        return as_input(box.of(clip))
