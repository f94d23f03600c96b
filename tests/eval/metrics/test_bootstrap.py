from __future__ import annotations

import copy
import json
import math
import pickle
from functools import partial

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.eval.metrics.bootstrap import bootstrap, interval, multiplicities, paired_bootstrap, resampled
from pagen.eval.metrics.roc import average_precision, concatenate, micro_auroc, resampled_auroc
from pagen.eval.metrics.undefined import Undefined, reason
from pagen.seeds import generator


def means(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    return drawn @ values / drawn.sum(axis=1)


def test_every_draw_holds_as_many_videos_as_there_are() -> None:
    drawn = multiplicities(7, generator(0), 500)
    assert drawn.shape == (500, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean() == 1
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.15)


def test_the_interval_of_a_mean_is_that_of_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = bootstrap(partial(means, values), 400, generator(0), draws=4000)
    error = 1.96 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02)
    narrow = bootstrap(partial(means, values), 400, generator(0), draws=4000, level=0.5)
    assert narrow[1] - narrow[0] == pytest.approx(2 * 0.6745 * values.std() / 20, abs=0.02)


def test_a_pair_shares_its_draws() -> None:
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 5, 30)
    first, second = (partial(means, hard + rng.normal(k, 0.1, 30)) for k in (1, 0))
    paired = paired_bootstrap(first, second, 30, generator(0))
    assert 0.9 < paired.low < paired.difference < paired.high < 1.1
    assert paired.above == 1
    turned = paired_bootstrap(second, first, 30, generator(0))
    assert (turned.difference, turned.low, turned.above) == (-paired.difference, -paired.high, 0)
    same = paired_bootstrap(first, first, 30, generator(0))
    assert (same.difference, same.low, same.high, same.above) == (0, 0, 0, 0.5)
    for one, statistic in ((paired, first), (turned, second)):
        assert one.first == bootstrap(statistic, 30, generator(0))


def test_draws_without_a_value_are_left_out() -> None:
    assert interval(np.array([1.0, np.nan, 3]), 2, 0.5) == (1.5, 2.5)
    nothing = interval(np.full(4, np.nan), 2)
    assert [reason(end) for end in nothing] == ["undefined in every draw"] * 2
    alone = paired_bootstrap(partial(means, np.ones(1)), partial(means, np.zeros(1)), 1, generator(0))
    assert alone.difference == 1
    assert {reason(value) for value in (alone.low, alone.high, alone.above)} == {"fewer than two videos to draw from"}


def test_any_measure_can_be_resampled() -> None:
    rng = np.random.default_rng(2)
    labels = {name: np.r_[0, 1, rng.integers(0, 2, 8)] for name in "abcd"}
    scores = {name: rng.integers(0, 5, 10) + marks for name, marks in labels.items()}
    drawn = multiplicities(4, generator(0), 20)
    np.testing.assert_array_equal(resampled(micro_auroc, drawn, scores, labels), resampled_auroc(scores, labels, drawn))
    precision = resampled(lambda s, y: average_precision(*concatenate(s, y)), drawn[:3], scores, labels)
    for value, row in zip(precision, drawn, strict=False):
        order = np.repeat(np.arange(4), row)
        parts = [np.concatenate([part["abcd"[k]] for k in order]) for part in (scores, labels)]
        assert value == average_precision(*parts)


@pytest.mark.parametrize(("change", "words"), [({"draws": 0}, "found 0"), ({"level": 95}, "between 0 and 1, found 95")])
def test_what_cannot_be_drawn_is_refused(change: dict, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        bootstrap(partial(means, np.ones(3)), 3, generator(0), **change)


def test_undefined_is_nan_and_keeps_its_reason() -> None:
    value = Undefined("no event")
    assert math.isnan(value)
    assert math.isnan(value + 1)
    assert f"{value:.1f}" == "nan"
    assert json.dumps([value]) == "[NaN]"
    assert reason(copy.deepcopy(value)) == reason(pickle.loads(pickle.dumps(value))) == "no event"
    assert reason(0.5) == reason(float("nan")) == ""
