"""Normal clips: every window of the training split, in an order that depends on the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.clip_input import ClipInput
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.skip import strides_that_fit
from pagen.seeds import generator
from pagen.train.crops import Points, moving_points

T = TypeVar("T")


@dataclass(frozen=True)
class Shuffled(Generic[T]):
    """Things, and the seed of their order."""

    items: Sequence[T]
    seed: int
    _turn: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)
    """The order of the present turn."""

    def at(self, index: int) -> T:
        """Thing number `index` of the endless order."""
        turn, place = divmod(index, len(self.items))
        if turn not in self._turn:
            self._turn.clear()
            self._turn[turn] = generator(self.seed, "order", turn).permutation(len(self.items))
        return self.items[int(self._turn[turn][place])]


Place = tuple[str, int]
"""A clip's name and the first frame of a window."""


@dataclass(frozen=True)
class NormalClips:
    """The clips that are trained on, in windows of `length` frames or flow maps; the seed is of order and crops."""

    prepared: Prepared
    clip_input: ClipInput
    names: tuple[str, ...]
    length: int
    seed: int

    def source(self, name: str) -> Any:
        """Frames uint8 (T, H, W, C), or flow float16 (T - 1, 2, H, W)."""
        return self.clip_input.source(name)

    @cached_property
    def windows(self) -> list[Place]:
        """Every window that lies inside its clip. Raises PagenError where there is none."""
        window = Windows(self.length)
        places = [(name, start) for name in self.names for start in window.inside(len(self.source(name)))]
        if not places:
            raise self.too_short(self.length + self.clip_input.late, "lower --window")
        return places

    def window(self, index: int) -> Place:
        """Window number `index` of an endless order, in which every window comes once before any comes again."""
        return self._shuffled.at(index)

    @cached_property
    def _shuffled(self) -> Shuffled[Place]:
        return Shuffled(self.windows, self.seed)

    def long_enough(self, length: int, strides: tuple[int, ...]) -> list[str]:
        """The clips that hold `length` frames at one of the strides. Raises PagenError where none does."""
        names = [name for name in self.names if strides_that_fit(self.prepared.length(name), length, strides)]
        if not names:
            slowest = min(strides)
            why = f" for {length} frames at a stride of {slowest}, as training or calibration takes them"
            advice = "lower --strides or --window" if slowest > 2 else "lower --window"
            raise self.too_short((length - 1) * slowest + 1, advice, why)
        return names

    def moving_in(self, name: str, start: int, length: int) -> Points:
        """Points (N, 3) of t, y, x that move within a window."""
        points = self._moving[name]
        first, last = np.searchsorted(points[:, 0], (start + 1, start + length))
        return points[first:last]

    def too_short(self, needed: int, advice: str, why: str = "") -> PagenError:
        """What to say where no clip is long enough."""
        longest = max((self.prepared.length(name) for name in self.names), default=0)
        expected = f"expected training clips of {needed} frames and more{why}, the longest has {longest}"
        return PagenError(f"{expected}; {advice}, or give longer videos")

    @cached_property
    def _moving(self) -> dict[str, Points]:
        frames = self.prepared.frames
        return {name: moving_points(frames(name), generator(self.seed, "moving", name)) for name in self.names}
