from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from pagen.errors import PagenError
from pagen.models.density.detector import rows_of
from pagen.models.density.mixture import Mixture
from pagen.models.density.standard import Standard
from pagen.seeds import entropy

Vectors = npt.NDArray[np.float64]


def clouds(count: int, centres: int = 3, seed: int = 0) -> Vectors:
    """Three well separated clouds, each stretched along a line of its own."""
    rng = np.random.default_rng(seed)
    which = rng.integers(centres, size=count)
    stretch = np.array([[[1, 0.8], [0, 0.3]], [[0.2, 0], [-0.5, 1]], [[1, 0], [0, 1]]])[which]
    return np.array([[0, 0], [20, 5], [-5, 20]])[which] + np.einsum(
        "nd,nde->ne", rng.standard_normal((count, 2)), stretch
    )


def test_without_standardising_it_is_scikit_learns_own() -> None:
    training, new = clouds(400), clouds(50, seed=1)
    ours = Mixture(components=5, restarts=1, standardise=False, seed=3).fit(training)
    theirs = GaussianMixture(5, max_iter=1000, random_state=entropy(3, "mixture") % 2**32).fit(training)
    np.testing.assert_allclose(ours.score_samples(new), theirs.score_samples(new), rtol=1e-9)


def test_the_score_is_the_log_density_of_the_features_themselves() -> None:
    training, new = clouds(600), clouds(50, seed=1)
    fitted = Mixture(components=3).fit(training)
    covariances = [np.linalg.inv(root @ root.T) for root in fitted.whitening]
    scale, centre = fitted.standard.std, fitted.standard.mean
    density = sum(
        weight * multivariate_normal(centre + scale * mean, np.outer(scale, scale) * covariance).pdf(new)
        for weight, mean, covariance in zip(fitted.weights, fitted.means, covariances, strict=True)
    )
    np.testing.assert_allclose(fitted.score_samples(new), np.log(density), rtol=1e-9)


def test_it_comes_near_the_density_that_features_were_drawn_from() -> None:
    fitted = Mixture(components=1).fit(clouds(20_000, centres=1))
    new = clouds(200, centres=1, seed=1)
    stretch = np.array([[1, 0.8], [0, 0.3]])
    exact = multivariate_normal([0, 0], stretch.T @ stretch).logpdf(new)
    np.testing.assert_allclose(fitted.score_samples(new), exact, atol=0.15)


@pytest.mark.parametrize(("centres", "chosen"), [(1, 1), (3, 3)])
def test_bayes_information_criterion_finds_the_number_of_components(centres: int, chosen: int) -> None:
    assert len(Mixture().fit(clouds(500, centres)).weights) == chosen


def test_the_unit_of_a_feature_shifts_the_likelihood_and_does_no_more() -> None:
    training, new, unit = clouds(300), clouds(40, seed=1), np.array([1e-4, 1e5])
    plain, other = Mixture().fit(training), Mixture().fit(training * unit)
    expected = plain.score_samples(new) - np.log(unit).sum()
    np.testing.assert_allclose(other.score_samples(new * unit), expected, rtol=1e-6)


def test_columns_that_follow_from_one_another_are_regularised() -> None:
    column = np.random.default_rng(0).standard_normal((200, 1))
    fitted = Mixture().fit(np.repeat(column, 16, axis=1))
    scores = fitted.score_samples(np.concatenate([np.zeros((1, 16)), np.full((1, 16), 4.0), np.eye(16)[:1]]))
    assert scores[0] > scores[1] > scores[2]  # off the line is worse than far along it
    with pytest.raises(PagenError, match="raise the regularisation"):
        Mixture(regularisation=0.0).fit(np.repeat(column, 16, axis=1))


def test_rows_that_repeat_are_no_obstacle() -> None:
    scores = Mixture().fit(np.repeat([[0.0, 1.0], [2.0, 5.0]], 20, axis=0)).score_samples(np.array([[0.0, 1], [1, 9]]))
    assert scores[0] > scores[1]


def test_of_many_features_a_sample_is_fitted() -> None:
    training = clouds(2000)
    few, same, other = (Mixture(components=3, sample=100, seed=seed).fit(training) for seed in (0, 0, 1))
    np.testing.assert_array_equal(few.means, same.means)
    assert not np.allclose(np.sort(few.means, 0), np.sort(other.means, 0))
    counts = few.weights * 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-6)


def test_errors() -> None:
    with pytest.raises(PagenError, match="expected 5 features at least for 5 components, found 4"):
        Mixture().fit(clouds(4))
    for wrong, said in {
        "components": (0, "of 1 and more, found 0$"),
        "restarts": (0, "of 1 and more, found 0$"),
        "sample": (0, "of 1 and more, found 0$"),
        "regularisation": (-1.0, "of 0 and more, found -1$"),
    }.items():
        with pytest.raises(PagenError, match=f"^expected a? ?{wrong} {said[1]}"):
            Mixture(**{wrong: said[0]})  # type: ignore[arg-type]
    with pytest.raises(PagenError, match=r"^expected components of 1 and more, found none$"):
        Mixture(components=())


@given(st.integers(2, 200), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_standard_is_numpys(count: int, width: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(seed % 1000, 3, (count, width))
    standard = Standard.of(rows_of([rows[:1], rows[1:]]))
    np.testing.assert_allclose(standard.mean, rows.mean(0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(standard.std, rows.std(0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(standard(rows), (rows - rows.mean(0)) / rows.std(0, ddof=1), rtol=1e-6, atol=1e-9)


def test_standard_over_many_pieces() -> None:
    rows = np.random.default_rng(0).normal(1e4, 1, (10_000, 3)).astype(np.float32)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(Standard.of(rows_of(rows)).std, exact.std(0, ddof=1), rtol=1e-12)
