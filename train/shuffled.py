"""An endless order of things: each once, in an order that depends on the seed alone, before any comes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from pagen.seeds import generator

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
