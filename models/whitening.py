"""Features as their principal components, each of deviation 1: fewer numbers, and none that says what others say.

Deviation from MULDE, which standardises each feature by itself. Encoders that were not made for crops of people (lite0)
give a thousand correlated features, most of them noise; standardised one by one, these weigh as much as any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from pagen.models.detectors import Array, Rows, Scores, State
from pagen.models.mixture import Standard


@dataclass(frozen=True)
class Whitening:
    """Features to the first principal components of training, of mean 0 and deviation 1.

    Attributes:
        mean: (D,) float64.
        axes: (D, K) float64, whose columns are over the components' deviations.
    """

    mean: Scores
    axes: Scores

    @classmethod
    def of(cls, rows: Rows, count: int) -> Self:
        """The first `count`, or as many as vary, in two passes.

        Raises:
            PagenError: NaN, one row alone, or features none of which varies.
        """
        standard = Standard.of(rows, drop_constant=True)
        covariance = np.zeros((rows.width, rows.width))
        for piece in rows.pieces():
            centred = piece.astype(np.float64) - standard.mean
            covariance += centred.T @ centred
        values, vectors = np.linalg.eigh(covariance / (len(rows) - 1))
        first = np.argsort(-values, kind="stable")[:count]
        first = first[values[first] > 1e-10 * values.max()]
        return cls(standard.mean, vectors[:, first] / np.sqrt(values[first]))

    @property
    def size(self) -> int:
        """K."""
        return int(self.axes.shape[1])

    def __call__(self, rows: Array) -> Scores:
        """Rows (n, D) -> (n, K) float64."""
        white: Scores = (rows - self.mean) @ self.axes
        return white

    def state(self, prefix: str) -> State:
        """Both as tensors, by names with that prefix."""
        axes = torch.from_numpy(np.ascontiguousarray(self.axes))
        return {f"{prefix}.mean": torch.from_numpy(self.mean), f"{prefix}.axes": axes}

    @classmethod
    def restored(cls, state: State, prefix: str) -> Self:
        """What `state` gave. Raises KeyError where it is not there."""
        return cls(state[f"{prefix}.mean"].numpy(), state[f"{prefix}.axes"].numpy())
