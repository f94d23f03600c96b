"""Features brought to one scale: each number by itself, or by principal components."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from pagen.errors import PagenError
from pagen.models.density.detector import Array, Rows, Scores, State


@dataclass(frozen=True)
class _Fitted:
    """Arrays that training gives, saved by the names of their fields."""

    mean: Scores

    def state(self, prefix: str) -> State:
        """Its arrays as tensors, by names with that prefix."""
        arrays = {f"{prefix}.{name}": np.ascontiguousarray(array) for name, array in vars(self).items()}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    @classmethod
    def restored(cls, state: State, prefix: str) -> Self:
        """The arrays that `state` gave. Raises KeyError where one is missing."""
        return cls(**{field.name: state[f"{prefix}.{field.name}"].numpy() for field in fields(cls)})


@dataclass(frozen=True)
class Standard(_Fitted):
    """Features to mean 0 and deviation 1, by those of training (n - 1), as MULDE.

    Attributes:
        mean: (D,) float64.
        std: (D,) float64; infinite for a feature that is left out, because it did not vary.

    Example:
        >>> standard = Standard.of(Rows((np.array([[0.0, 5.0], [2.0, 9.0]]),)))
        >>> standard(np.array([[1.0, 7.0]])).tolist()
        [[0.0, 0.0]]
    """

    std: Scores

    @classmethod
    def of(cls, rows: Rows, drop_constant: bool = False) -> Self:
        """The mean and deviation of rows, in one pass. Raises PagenError: NaN, one row alone, or constant features."""
        count, mean, square = 0, np.zeros(rows.width), np.zeros(rows.width)
        for piece in rows.pieces(checked=True):
            exact, total = piece.astype(np.float64), count + len(piece)
            middle = exact.mean(0)
            shift = middle - mean
            square += ((exact - middle) ** 2).sum(0) + shift**2 * (count * len(piece) / total)
            mean += shift * (len(piece) / total)
            count = total
        std = np.sqrt(square / max(count - 1, 1))
        constant = std <= 1e-7 * np.abs(mean)  # less than float32 resolves
        if constant.all() or (constant.any() and not drop_constant):
            raise PagenError(
                f"expected features that vary over {count} rows, found {constant.sum()} of {len(std)} constant, the "
                f"first in column {constant.argmax()}; leave them out, or set drop_constant"
            )
        return cls(mean, np.where(constant, np.inf, std))

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """(D,), whether a feature takes part."""
        return np.isfinite(self.std)

    @property
    def size(self) -> int:
        """D'."""
        return int(self.kept.sum())

    def __call__(self, rows: Array) -> Scores:
        """Rows (n, D) -> (n, D') of those that are kept, float64."""
        kept = self.kept
        return (rows[:, kept] - self.mean[kept]) / self.std[kept]


@dataclass(frozen=True)
class Whitening(_Fitted):
    """Features to the first principal components of training, of mean 0 and deviation 1.

    Attributes:
        mean: (D,) float64.
        axes: (D, K) float64, whose columns are over the components' deviations.

    Example:
        >>> whitening = Whitening.of(Rows((np.random.default_rng(0).normal(size=(40, 3)),)), count=2)
        >>> whitening(np.zeros((5, 3))).shape
        (5, 2)
    """

    axes: Scores

    @classmethod
    def of(cls, rows: Rows, count: int) -> Self:
        """The first `count` components of rows, or as many as vary, in two passes. Errors as `Standard.of`."""
        standard = Standard.of(rows, drop_constant=True)
        centred = (piece.astype(np.float64) - standard.mean for piece in rows.pieces())
        covariance = sum((part.T @ part for part in centred), np.zeros((rows.width, rows.width)))
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
        return (rows - self.mean) @ self.axes
