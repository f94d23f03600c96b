"""Normal clips: every window of the training split, in an order that depends on the seed alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.flow import FlowFolder
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.skip import strides_that_fit
from pagen.seeds import generator
from pagen.train.crops import Points, moving_points

Place = tuple[str, int]
"""A clip's name and the first frame of a window."""


@dataclass(frozen=True)
class NormalClips:
    """The clips that are trained on.

    Attributes:
        prepared: the footage.
        flow: its flow, for recipes that see flow.
        names: the clips.
        length: frames (or flow maps) of a window.
        seed: of the order, and of the points that crops follow.
    """

    prepared: Prepared
    flow: FlowFolder | None
    names: tuple[str, ...]
    length: int
    seed: int

    def source(self, name: str) -> Any:
        """Frames uint8 (T, H, W, C), or flow float16 (T - 1, 2, H, W)."""
        return self.prepared.frames(name) if self.flow is None else self.flow.flow(name)

    @cached_property
    def windows(self) -> list[Place]:
        """Every window that lies inside its clip. Raises PagenError where there is none."""
        window = Windows(self.length)
        found = [(name, start) for name in self.names for start in window.inside(len(self.source(name)))]
        if not found:
            raise self.too_short(self.length + (self.flow is not None), "lower --window")
        return found

    def window(self, index: int) -> Place:
        """Every window once, in an order of its own, before any comes again."""
        turn, place = divmod(index, len(self.windows))
        return self.windows[int(self._order(turn)[place])]

    def long_enough(self, length: int, strides: tuple[int, ...]) -> list[str]:
        """The clips that hold `length` frames at one of the strides. Raises PagenError where none does."""
        found = [name for name in self.names if strides_that_fit(self.prepared.length(name), length, strides)]
        if not found:
            raise self.too_short((length - 1) * min(strides) + 1, "lower --strides or --window")
        return found

    def moving_in(self, name: str, start: int, length: int) -> Points:
        """Points (N, 3) of t, y, x that move within a window."""
        points = self._moving[name]
        first, last = np.searchsorted(points[:, 0], (start + 1, start + length))
        return points[first:last]

    def too_short(self, needed: int, advice: str) -> PagenError:
        """What to say where no clip is long enough."""
        longest = max((self.prepared.length(name) for name in self.names), default=0)
        return PagenError(
            f"expected training clips of {needed} frames and more, the longest has {longest}; "
            f"{advice}, or give longer videos"
        )

    def _order(self, turn: int) -> npt.NDArray[np.int64]:
        if turn not in self._orders:
            self._orders.clear()
            self._orders[turn] = generator(self.seed, "order", turn).permutation(len(self.windows))
        return self._orders[turn]

    @cached_property
    def _orders(self) -> dict[int, npt.NDArray[np.int64]]:
        """The order of the present turn."""
        return {}

    @cached_property
    def _moving(self) -> dict[str, Points]:
        frames = self.prepared.frames
        return {name: moving_points(frames(name), generator(self.seed, "moving", name)) for name in self.names}
