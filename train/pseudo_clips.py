"""Pseudo-anomalous clips for training: out of a PA set, or, skipped frames and patches, made as they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from pagen.errors import PagenError
from pagen.generate.intruders import Intruders, open_intruders
from pagen.generate.pa_set import Item, PASet, Pseudo
from pagen.generate.patch import draw_shown, render
from pagen.generate.skip import draw_skip
from pagen.train.crops import Points, masked_points
from pagen.train.normal_clips import NormalClips, Place
from pagen.train.recipes.clips import ClipRecipe, FrameRecipe


@dataclass(frozen=True)
class DrawnClip:
    """A clip and its target, with the frames beyond the window; points that a crop may follow; and its origin."""

    clip: Pseudo
    points: Points
    kind: str
    place: Place


@dataclass(frozen=True)
class PseudoSource:
    """Draws pseudo-anomalous clips out of a PA set; without one it makes them of normal clips as the recipe says."""

    recipe: ClipRecipe
    normal: NormalClips
    stored: PASet | None

    def draw(self, index: int, rng: np.random.Generator) -> DrawnClip:
        """One; on the fly, of the normal clip of that index."""
        kinds, shares = self.recipe.kinds, np.array(self.recipe.shares)
        weights = shares / shares.sum() if len(shares) else None
        kind = kinds[0] if len(kinds) == 1 else kinds[int(rng.choice(len(kinds), p=weights))]
        if self.stored is not None:
            items = self._items[kind]
            return self._rendered(self.stored, items[rng.integers(len(items))], rng)
        return self._skipped(index, rng) if kind == "skip" else self._patched(index, rng)

    def check(self) -> None:
        """Raise PagenError where no clip is long enough, or the PA set has nothing of the clips."""
        if self.stored is not None:
            self._items  # noqa: B018  # raises
        elif "skip" in self.recipe.kinds:
            self._fast  # noqa: B018  # raises

    @cached_property
    def _items(self) -> dict[str, list[Item]]:
        return {kind: self._items_of(kind) for kind in self.recipe.kinds}

    def _items_of(self, kind: str) -> list[Item]:
        """The items of the clips, without those at a clip's end that have no frame beyond them."""
        items = self.stored.items(kind, self.recipe.window) if self.stored else []
        ends = {name: len(self.normal.source(name)) - self.normal.length for name in self.normal.names}
        usable = [item for item in items if item.start <= ends.get(item.clip, -1)]
        if not usable:
            wanted = f"{kind} pseudo-anomalies of {len(ends)} clips (the first is {min(ends)}) in the PA set"
            again = f": `{self.stored.again(limit_clips=None)}`" if self.stored else ""
            raise PagenError(f"expected {wanted}, found none; generate them of all training clips{again}")
        return usable

    def _rendered(self, stored: PASet, item: Item, rng: np.random.Generator) -> DrawnClip:
        clip, place = stored.render(item, self.recipe.window), (item.clip, item.start)
        if self.recipe.beyond:
            after = self._target(place)[self.recipe.window :]
            clip = Pseudo(np.concatenate([clip.pseudo, after]), self._target(place), clip.mask)
        points = self._moving(place) if item.kind == "skip" else masked_points(np.asarray(clip.mask) > 0, rng)
        return DrawnClip(clip, points, item.kind, place)

    def _skipped(self, index: int, rng: np.random.Generator) -> DrawnClip:
        name, start = self.normal.window(index)
        if name not in self._fast:
            name, start = self._fast[rng.integers(len(self._fast))], -1
        frames = self.normal.source(name)
        skip = draw_skip(len(frames), start, self.normal.length, self._made.strides, rng)
        place = name, skip.start
        clip = Pseudo(frames[skip.indices(self.normal.length)], self._target(place), None)
        return DrawnClip(clip, self._moving(place), "skip", place)

    def _patched(self, index: int, rng: np.random.Generator) -> DrawnClip:
        place = self.normal.window(index)
        target = self._target(place)
        options = (self._made.max_size, self._made.max_move, self._made.patch)
        patch = draw_shown(self._intruders, place[0], target.shape[1:3], len(target), rng, *options)
        pseudo, mask = render(patch, target, self._intruders)
        return DrawnClip(Pseudo(pseudo, target, mask), masked_points(mask > 0, rng), "patch", place)

    def _target(self, place: Place) -> Any:
        """The normal clip from there on, frame by frame."""
        return self.normal.source(place[0])[place[1] : place[1] + self.normal.length]

    def _moving(self, place: Place) -> Points:
        return self.normal.moving_in(*place, self.recipe.window)

    @property
    def _made(self) -> FrameRecipe:
        return cast("FrameRecipe", self.recipe)  # the pseudo-anomalies of flow come from a PA set alone

    @cached_property
    def _fast(self) -> list[str]:
        return self.normal.long_enough(self.normal.length, self._made.strides)

    @cached_property
    def _intruders(self) -> Intruders:
        return open_intruders(self._made.intruders)(self.normal.prepared)
