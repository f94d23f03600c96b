from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.neighbors import NearestNeighbors

from pagen.errors import PagenError
from pagen.models.density.neighbours import Neighbours


def features(count: int, seed: int = 0, centre: float = 0.0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(centre, 1, (count, 6)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 4])
def test_neighbours_are_those_of_scikit_learn(k: int) -> None:
    training, queries = features(9000), features(2500, seed=1)  # pieces of 4096, blocks of 1024
    squared, where = Neighbours(k).fit([training[:10], training[10:5000], training[5000:]]).nearest(queries)
    reference = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(training.astype(np.float64))
    distances, indices = reference.kneighbors(queries.astype(np.float64))
    np.testing.assert_array_equal(where, indices)
    np.testing.assert_allclose(squared, distances**2, rtol=1e-9)


@pytest.mark.parametrize("centre", [0.0, 1000.0])
def test_a_training_vector_has_distance_zero_and_others_their_own_wherever_they_lie(centre: float) -> None:
    training = features(500, centre=centre)
    detector = Neighbours().fit(training)
    np.testing.assert_array_equal(detector.anomaly_score(training), 0)
    new = features(40, seed=1, centre=centre)
    exact = np.square(new[:, None].astype(np.float64) - training).sum(2).min(1)
    np.testing.assert_allclose(detector.anomaly_score(new), exact, rtol=1e-9)


def test_the_score_is_the_mean_of_the_squared_distances() -> None:
    training, new = features(50), features(8, seed=1)
    exact = np.sort(np.square(new[:, None].astype(np.float64) - training).sum(2), 1)
    np.testing.assert_allclose(Neighbours(3).fit(training).anomaly_score(new), exact[:, :3].mean(1), rtol=1e-9)


@pytest.mark.parametrize("k", [1, 2])
def test_calibration_leaves_one_video_out(k: int) -> None:
    videos = [features(count, seed) for seed, count in enumerate((5, 9, 1, 7))]
    expected = []
    for index, video in enumerate(videos):
        others = np.concatenate([other for at, other in enumerate(videos) if at != index])
        squared = np.square(video[:, None].astype(np.float64) - others).sum(2)
        expected.append(np.sort(squared, 1)[:, :k].mean(1))
    np.testing.assert_allclose(Neighbours(k).training_score(videos), np.concatenate(expected), rtol=1e-9)


def test_a_repeated_video_is_its_own_neighbour_and_a_lone_one_is_far() -> None:
    videos = [features(5), features(5), features(5, seed=1, centre=9)]
    scores = Neighbours().training_score(videos)
    np.testing.assert_array_equal(scores[:10], 0)
    assert scores[10:].min() > 50


def test_errors() -> None:
    with pytest.raises(PagenError, match="expected k of 1 and more, found 0"):
        Neighbours(0)
    with pytest.raises(PagenError, match="expected 4 features at least for 4 neighbours, found 3"):
        Neighbours(4).fit(features(3))
    with pytest.raises(PagenError, match="two videos"):
        Neighbours().training_score([features(3)])
    with pytest.raises(PagenError, match="two videos"):
        Neighbours().training_score(features(3))  # type: ignore[arg-type]
    with pytest.raises(PagenError, match="expected 3 features at least for 3 neighbours, found 2"):
        Neighbours(3).training_score([features(5), features(2)])
