"""A detector: the Mahalanobis distance to the mean of normal features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch

from pagen.models.density.detector import Array, Detector, Features, Scores, State, rows_of


@dataclass(eq=False)
class Mahalanobis(Detector):
    """The Mahalanobis distance to the mean of normal features, by a covariance that is drawn towards the identity.

    Attributes:
        shrinkage: what is added to the variances.
    """

    shrinkage: float = 1e-3
    mean: Array = field(init=False, repr=False)
    precision: Array = field(init=False, repr=False)

    def fit(self, features: Features) -> Self:
        """Learn mean and covariance of features (N, D)."""
        rows = rows_of(features, least=2, what="a covariance")
        values = np.concatenate(list(rows.pieces(checked=True))).astype(np.float64)
        covariance = np.cov(values.T).reshape(rows.width, rows.width)
        self.mean, self.precision = values.mean(0), np.linalg.inv(covariance + self.shrinkage * np.eye(rows.width))
        self.width = rows.width
        return self

    def _scores(self, piece: Array) -> Scores:
        away = piece.astype(np.float64) - self.mean
        distances: Scores = np.einsum("nd,de,ne->n", away, self.precision, away)
        return -distances

    def _state(self) -> State:
        return {"mean": torch.from_numpy(self.mean), "precision": torch.from_numpy(self.precision)}

    def _restore(self, state: State) -> None:
        self.mean, self.precision = state["mean"].numpy(), state["precision"].numpy()
