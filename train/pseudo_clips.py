"""Pseudo-anomalous clips for training: out of a PA set, or, skipped frames and patches, made as they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pagen.generate.intruders import Intruders, open_intruders
from pagen.generate.pa_set import Item, PASet, Pseudo
from pagen.generate.patch import draw_shown, render
from pagen.generate.skip import draw_skip
from pagen.train.crops import Points, masked_points
from pagen.train.normal_clips import NormalClips, Place
from pagen.train.recipes.clips import OnTheFly, Temporal


@dataclass(frozen=True)
class Drawn:
    """A clip, the points that a crop may follow, and where it comes from."""

    clip: Pseudo
    points: Points
    kind: str
    place: Place


@dataclass(frozen=True)
class PseudoSource:
    """Draws pseudo-anomalous clips.

    Attributes:
        recipe: which kinds, in which shares, and how those on the fly are made.
        normal: the clips that they are made of.
        stored: a PA set; None makes them on the fly.
    """

    recipe: OnTheFly | Temporal
    normal: NormalClips
    stored: PASet | None

    def draw(self, index: int, rng: np.random.Generator) -> Drawn:
        """One; on the fly, of the normal clip of that index."""
        kind = self._kind(rng)
        if self.stored is not None:
            items = self._items[kind]
            return self._rendered(items[rng.integers(len(items))], rng)
        return self._skipped(index, rng) if kind == "skip" else self._patched(index, rng)

    def check(self) -> None:
        """Raise PagenError where no clip is long enough."""
        if self.stored is None and "skip" in self.recipe.kinds:
            self._fast  # noqa: B018  # raises

    def _kind(self, rng: np.random.Generator) -> str:
        kinds, shares = self.recipe.kinds, np.array(self.recipe.shares)
        if len(kinds) == 1:
            return kinds[0]
        return kinds[int(rng.choice(len(kinds), p=shares / shares.sum() if len(shares) else None))]

    @cached_property
    def _items(self) -> dict[str, list[Item]]:
        assert self.stored is not None
        found = {kind: self.stored.items(kind, self.recipe.window) for kind in self.recipe.kinds}
        return {kind: [item for item in items if item.clip in self.normal.names] for kind, items in found.items()}

    def _rendered(self, item: Item, rng: np.random.Generator) -> Drawn:
        assert self.stored is not None
        clip = self.stored.render(item, self.recipe.window)
        if item.kind == "skip":
            return self._moved(clip.pseudo, (item.clip, item.start))
        assert clip.mask is not None
        return Drawn(clip, masked_points(clip.mask > 0, rng), item.kind, (item.clip, item.start))

    def _skipped(self, index: int, rng: np.random.Generator) -> Drawn:
        name, start = self.normal.window(index)
        if name not in self._fast:
            name, start = self._fast[rng.integers(len(self._fast))], -1
        frames = self.normal.source(name)
        skip = draw_skip(len(frames), start, self.recipe.window, self._made.strides, rng)
        return self._moved(frames[skip.indices(self.recipe.window)], (name, skip.start))

    def _patched(self, index: int, rng: np.random.Generator) -> Drawn:
        name, start = self.normal.window(index)
        target = self.normal.source(name)[start : start + self.recipe.window]
        options = (self._made.max_size, self._made.max_move, self._made.patch)
        patch = draw_shown(self._intruders, name, target.shape[1:3], len(target), rng, *options)
        pseudo, mask = render(patch, target, self._intruders)
        return Drawn(Pseudo(pseudo, target, mask), masked_points(mask > 0, rng), "patch", (name, start))

    def _moved(self, pseudo: Any, place: Place) -> Drawn:
        """A clip of skipped frames, whose target goes on frame by frame from the same start."""
        name, start = place
        target = self.normal.source(name)[start : start + self.recipe.window]
        points = self.normal.moving_in(name, start, self.recipe.window)
        return Drawn(Pseudo(pseudo, target, None), points, "skip", place)

    @property
    def _made(self) -> OnTheFly:
        assert isinstance(self.recipe, OnTheFly)  # the verb asks the others for a PA set
        return self.recipe

    @cached_property
    def _fast(self) -> list[str]:
        return self.normal.long_enough(self.recipe.window, self._made.strides)

    @cached_property
    def _intruders(self) -> Intruders:
        return open_intruders(self._made.intruders)(self.normal.prepared)
