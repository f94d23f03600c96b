"""Batches: step -> tensors. A batch depends on the seed and the step alone, so a run resumes bit for bit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch

from pagen.device import exact
from pagen.errors import PagenError
from pagen.footage.clip_input import ClipInput, open_input
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet, Pseudo
from pagen.generate.skip import Skip, draw_skip, strides_that_fit
from pagen.scoring.sliding import WINDOWS_AT_ONCE, Slider
from pagen.scoring.window_scores import score_windows
from pagen.seeds import generator
from pagen.train.crops import Box, Points, draw_box
from pagen.train.normal_clips import NormalClips
from pagen.train.pseudo_clips import DrawnClip, PseudoSource
from pagen.train.recipes.base import Recipe
from pagen.train.recipes.clips import ClipRecipe, FrameRecipe

Batch = dict[str, torch.Tensor]
Sample = dict[str, npt.NDArray[np.float32]]
Indicated = dict[str, npt.NDArray[np.float64]]
"""Indicator -> (N,), higher = more abnormal."""
WINDOWS = 256
"""Windows of the training clips that a calibration is of, evenly spread."""
PAIRS = 32
"""Normal clips, and as many pseudo-anomalous ones, that tell how good a network is."""


class Batches(Protocol):
    """What the loop asks for: the steps of an epoch, and sample number `index` of the whole run, with its origin."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def steps(self) -> int: ...
    def sample(self, index: int) -> Sample: ...
    def describe(self, index: int) -> str: ...


def draw(batches: Batches, indices: range) -> Batch:
    """The samples of these numbers as tensors, the samples along the first axis."""
    samples = [batches.sample(index) for index in indices]
    return {key: torch.from_numpy(np.stack([sample[key] for sample in samples])) for key in samples[0]}


@dataclass(frozen=True)
class ClipBatches:
    """Clips, of which a recipe composes its samples.

    Attributes:
        recipe: decides between frames and flow, crops, and the share of pseudo-anomalies.
        clip_input: what the network is shown of the footage: frames or flow.
        stored: a PA set; None makes pseudo-anomalies on the fly, where the recipe can.
        names: the clips; by default all of the training split.
    """

    recipe: ClipRecipe
    prepared: Prepared
    clip_input: ClipInput
    stored: PASet | None
    seed: int
    names: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.recipe.steps or max(len(self.normal.windows) // self.recipe.batch, 1)

    @property
    def about(self) -> str:
        """How many windows there are."""
        return f"{len(self.normal.windows):,} windows"

    def sample(self, index: int) -> Sample:
        """Sample number `index` of the whole run, as `recipe.sample` composes it."""
        return self.recipe.sample(self, index, generator(self.seed, "sample", index))

    def describe(self, index: int) -> str:
        """Kind, clip and first frame of a sample."""
        clip = self.drawn(index, generator(self.seed, "sample", index))
        return f"{clip.kind} {clip.place[0]}@{clip.place[1]}"

    def check(self) -> None:
        """Raise PagenError where the clips are too short for the recipe, or the PA set has none of its kinds."""
        if self.normal.windows and self.recipe.probability > 0:
            self._pseudo.check()
        self.recipe.check_clips(self)

    def check_pairs(self, wanted: bool) -> None:
        """Raise PagenError where clips are too short for pairs, or none can be drawn though they are wanted."""
        pair = self._pair()
        if not pair and wanted:
            advice = "give --pseudo DIR and --probability above 0, or --validate none"
            raise PagenError(f"expected a PA set to validate {self.recipe.name} by, found none; {advice}")
        for batches in pair:
            batches.check()

    def within(self, names: tuple[str, ...]) -> ClipBatches:
        """The same of these clips alone."""
        return replace(self, names=names)

    @cached_property
    def normal(self) -> NormalClips:
        """The normal clips, with the frames beyond the window that the recipe looks at."""
        names, length = self.names or tuple(self.prepared.stretches("train")), self.recipe.window + self.recipe.beyond
        return NormalClips(self.prepared, self.clip_input, names, length, self.seed)

    def drawn(self, index: int, rng: np.random.Generator) -> DrawnClip:
        """The clip of a sample: pseudo-anomalous with the recipe's probability, else the next normal one."""
        if rng.random() < self.recipe.share_at(index // self.recipe.batch, self.steps):
            return self._pseudo.draw(index, rng)
        name, start = self.normal.window(index)
        frames = self.normal.source(name)[start : start + self.normal.length]
        return DrawnClip(Pseudo(frames, frames, None), self._moving(name, start), "normal", (name, start))

    def accelerated(
        self, share: float, strides: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], bool]:
        """A clip (C, T, H, W) from elsewhere, and whether it is accelerated: either would start at the same frame."""
        length, names = self.recipe.window, self.accelerable(strides)
        name = names[rng.integers(len(names))]
        frames = self.normal.source(name)
        skip = draw_skip(len(frames), -1, length, strides, rng)
        accelerated = rng.random() < share
        clip = frames[(skip if accelerated else Skip(skip.start, 1)).indices(length)]
        return self.tensor(clip, self.box(self._moving(name, skip.start), rng)), accelerated

    def stride_of_step(self, index: int) -> tuple[int, ...]:
        """The stride of all clips that are accelerated in a sample's step, one of the recipe's that fit some clip."""
        strides = cast("FrameRecipe", self.recipe).strides  # flow is never accelerated
        longest = max(self.prepared.length(name) for name in self.normal.names)
        fitting = strides_that_fit(longest, self.recipe.window, strides)
        rng = generator(self.seed, "stride", index // self.recipe.batch)
        return (fitting[int(rng.integers(len(fitting)))],)

    def accelerable(self, strides: tuple[int, ...]) -> list[str]:
        """Clips that one of the strides fits into, each as often as it has windows. Raises PagenError: none."""
        if strides not in self._accelerable:
            long = set(self.normal.long_enough(self.recipe.window, strides))
            self._accelerable[strides] = [name for name, _ in self.normal.windows if name in long]
        return self._accelerable[strides]

    @cached_property
    def _accelerable(self) -> dict[tuple[int, ...], list[str]]:
        return {}

    def box(self, points: Points, rng: np.random.Generator) -> Box:
        """Where a crop lies, about one of the points (N, 3) as a rule."""
        return draw_box(self.prepared.size, self.recipe.crop, points, self.recipe.moving, rng)

    def tensor(self, clip: npt.NDArray[Any], box: Box) -> npt.NDArray[np.float32]:
        """Frames (T, H, W, C) uint8 or flow (T, 2, H, W) -> the box of it, (C, T, h, w) in [-1, 1]."""
        return self.clip_input.shown(box.of(clip, self.recipe.rows))

    def number(self, value: float) -> npt.NDArray[np.float32]:
        """A number of a sample, as an array ()."""
        return np.asarray(value, np.float32)

    def normal_scores(self, network: Any) -> Indicated:
        """The indicators of at most `WINDOWS` windows: frames as the last of their window, whole frames in any case."""
        device = str(next(network.parameters()).device)
        slider = Slider(network.eval(), self.clip_input, self.recipe.window, device=device)
        places = self.normal.windows
        chosen = [places[i] for i in np.linspace(0, len(places) - 1, min(WINDOWS, len(places))).astype(int)]
        rows = []
        for name in dict.fromkeys(name for name, _ in chosen):
            scores = slider.windows(name, [start for clip, start in chosen if clip == name])
            newest = {indicator: values[:, 0] for indicator, values in scores.frames.items()}
            rows.append({**newest, **scores.window, **scores.after})
        return _joined(rows)

    def pair_scores(self, network: Any) -> tuple[Indicated, Indicated] | None:
        """The indicators of `PAIRS` normal and of as many pseudo-anomalous clips; None where no kind can be drawn."""
        firsts = range(0, PAIRS, WINDOWS_AT_ONCE)
        scores = [_joined([batches._scores(network, first) for first in firsts]) for batches in self._pair()]
        return (scores[0], scores[1]) if scores else None

    def _pair(self) -> list[ClipBatches]:
        """Whole clips, none of them pseudo-anomalous, and all of them; nothing where no kind can be drawn."""
        recipe = self.recipe.validation(self.stored is not None)
        return [replace(self, recipe=replace(recipe, probability=share)) for share in (0.0, 1.0) if recipe]

    def _scores(self, network: Any, first: int) -> Indicated:
        """A number for each clip, the mean over its frames, of whole clips with the frames beyond their windows."""
        indices = range(first, first + WINDOWS_AT_ONCE)
        drawn = [self.drawn(index, generator(self.seed, "sample", index)).clip.pseudo for index in indices]
        clips = torch.from_numpy(np.stack([self.clip_input.shown(clip) for clip in drawn]))
        with torch.inference_mode(), exact():
            shown = clips.to(next(network.parameters()).device)
            scores = score_windows(network, shown, range(self.recipe.window), self.clip_input.rebuilt)
        frames = {name: values.mean(dim=1) for name, values in scores.frames.items()}
        return {name: values.numpy() for name, values in {**frames, **scores.window, **scores.after}.items()}

    @cached_property
    def _pseudo(self) -> PseudoSource:
        return PseudoSource(self.recipe, self.normal, self.stored)

    def _moving(self, name: str, start: int) -> Points:
        moving = bool(self.recipe.crop)
        return self.normal.moving_in(name, start, self.recipe.window) if moving else np.empty((0, 3), np.int64)


def _joined(rows: list[Indicated]) -> Indicated:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def clip_batches(config: Any, prepared: Prepared, stored: PASet | None, held_out: tuple[str, ...]) -> ClipBatches:
    """The batches of a recipe of clips; flow is computed of all training clips, held out or not.

    Raises PagenError as `open_input` and `ClipBatches.check`.
    """
    recipe, names = config.recipe, prepared.stretches("train")
    clip_input = open_input({**asdict(recipe), "source": recipe.source}, prepared, names, config.workers)
    kept = tuple(name for name in names if name not in held_out)
    batches = ClipBatches(recipe, prepared, clip_input, stored, config.seed, kept)
    batches.check()
    return batches
