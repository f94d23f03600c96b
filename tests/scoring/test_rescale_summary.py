from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.scoring.rescale import (
    by_quantile,
    calibrated,
    object_min_max,
    object_min_most,
    of_objects,
    summary,
    trained_min_max,
    z_positive,
)


def between_neighbours(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_summary_is_what_a_plain_loop_and_the_standard_library_say(values: list[float]) -> None:
    known = summary(np.array(values))
    close = {"rel": 1e-9, "abs": 1e-6}
    assert known["mean"] == pytest.approx(statistics.fmean(values), **close)
    assert known["std"] == pytest.approx(statistics.pstdev(values), **close)
    assert known["count"] == len(values)
    assert known["median"] == known["p50"] == pytest.approx(statistics.median(values), **close)
    for percent in range(101):
        assert known[f"p{percent}"] == pytest.approx(between_neighbours(sorted(values), percent / 100), **close)
    assert len(known) == 105
    assert all(type(value) is float for value in known.values())


def test_every_rescaling_by_training_scores_takes_it() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    known = summary(values)
    assert np.median(calibrated(values, known)) == pytest.approx(0)
    assert trained_min_max(values, known).min() == 0
    assert trained_min_max(values, known).max() == 1
    assert z_positive(values, known).max() == pytest.approx((values.max() - values.mean()) / values.std())
    objects = of_objects(values)
    assert objects == {f"object_{name}": value for name, value in known.items()} | {
        "object_p99.9": pytest.approx(between_neighbours(sorted(values), 0.999))
    }
    assert object_min_max(values, objects).max() == 1
    assert object_min_most(values, objects).max() > 1
    np.testing.assert_allclose(
        object_min_most(values, objects),
        object_min_max(values, objects) / (object_min_max(objects["object_p99.9"], objects)),
    )
    assert by_quantile(np.median(values), known) == pytest.approx(0.5)
