"""A mixture of Gaussians with full covariances: AccI-VAD's density of velocities, and what MULDE joins its scales by.

scikit-learn fits it, on float64, from a seed, several times; the number of components is the one of the given that
Bayes' information criterion prefers on the training features, so that no label of the test decides. Features are
standardised first (the likelihood remains that of the features themselves), so that the regularisation means the
same whatever their unit. Of very many features a sample is fitted: a density of few dimensions gains nothing by more.
AccI-VAD's own is `Mixture(components=5, restarts=1, standardise=False)`, 2 for Ped2.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import torch

from pagen.errors import PagenError, require_counts
from pagen.models.density.detector import Array, Detector, Features, Rows, Scores, State, rows_of
from pagen.models.density.standard import Standard
from pagen.seeds import entropy, generator

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture


@dataclass(eq=False)
class Mixture(Detector):
    """Log-likelihood (nats) under a mixture of Gaussians.

    Raises PagenError: settings that are not positive.

    Args:
        components: a number, or numbers to choose from.
        regularisation: what is added to the covariances' diagonals.
        restarts: of how many beginnings the likeliest end is kept.
        sample: how many features are fitted at most, drawn by the seed.
        standardise: to mean 0 and deviation 1 before.
        drop_constant: leave features out that do not vary, instead of refusing them.

    Attributes:
        weights: (K,) of the components, sum 1.
        means: (K, D'), standardised.
        whitening: (K, D', D') upper triangular: (z - mean) @ whitening has covariance 1.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(40, 2))
        >>> detector = Mixture(components=1).fit(features)
        >>> detector.anomaly_score(np.array([[0.0, 0.0], [9.0, 9.0]])) > 10
        array([False,  True])
    """

    components: int | Sequence[int] = (1, 3, 5)
    regularisation: float = 1e-6
    restarts: int = 3
    sample: int = 100_000
    standardise: bool = True
    drop_constant: bool = False
    seed: int = 0
    weights: Scores = field(init=False, repr=False)
    means: Scores = field(init=False, repr=False)
    whitening: Scores = field(init=False, repr=False)
    standard: Standard = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_counts({"components": self.counts, "restarts": self.restarts, "sample": self.sample})
        if self.regularisation < 0:
            raise PagenError(f"expected a regularisation of 0 and more, found {self.regularisation:g}")

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of components to choose from."""
        return (self.components,) if isinstance(self.components, int) else tuple(self.components)

    def fit(self, features: Features) -> Self:
        """Fit every number of components and keep the best. Errors as `Detector.fit`."""
        rows = rows_of(features, least=max(2, *self.counts), what=f"{max(self.counts)} components")
        drawn = rows.sample(self.sample, generator(self.seed, "mixture")).astype(np.float64)
        as_it_is = Standard(np.zeros(rows.width), np.ones(rows.width))
        self.standard = Standard.of(Rows((drawn,)), self.drop_constant) if self.standardise else as_it_is
        vectors = self.standard(drawn)
        best = min((self._fitted(count, vectors) for count in self.counts), key=lambda mixture: mixture.bic(vectors))
        self.weights, self.means, self.whitening = best.weights_, best.means_, best.precisions_cholesky_
        self.width = rows.width
        return self

    def _fitted(self, count: int, vectors: Scores) -> GaussianMixture:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        settings = {"reg_covar": self.regularisation, "n_init": self.restarts, "max_iter": 1000}
        mixture = GaussianMixture(count, random_state=entropy(self.seed, "mixture") % 2**32, **settings)
        try:
            with warnings.catch_warnings():
                # of k-means where rows repeat: the components that are too many share their places
                warnings.simplefilter("ignore", ConvergenceWarning)
                return mixture.fit(vectors)
        except ValueError as error:
            raise PagenError(
                f"expected features that {count} components can be fitted to, found a covariance that is not positive; "
                "raise the regularisation, or take fewer components"
            ) from error

    def _scores(self, piece: Array) -> Scores:
        vectors = self.standard(piece.astype(np.float64))
        logs = []
        for mean, root in zip(self.means, self.whitening, strict=True):
            volume = np.log(np.diagonal(root)).sum() - len(root) / 2 * np.log(2 * np.pi)
            logs.append(volume - np.square(vectors @ root - mean @ root).sum(1) / 2)
        scale = np.log(self.standard.std[self.standard.kept]).sum()
        return cast(Scores, np.logaddexp.reduce(np.stack(logs, 1) + np.log(self.weights), axis=1) - scale)

    def _state(self) -> State:
        learnt = {name: torch.from_numpy(getattr(self, name)) for name in ("weights", "means", "whitening")}
        return learnt | self.standard.state("standard")

    def _restore(self, state: State) -> None:
        self.weights, self.means, self.whitening = (state[key].numpy() for key in ("weights", "means", "whitening"))
        self.standard = Standard.restored(state, "standard")
