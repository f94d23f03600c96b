from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from pagen.errors import PagenError
from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
from pagen.eval.metrics.roc import (
    MACRO_RULES,
    auroc,
    average_precision,
    concatenate,
    equal_error_rate,
    macro_auroc,
    micro_auroc,
    resampled_auroc,
    roc_counts,
)
from pagen.eval.metrics.undefined import reason
from pagen.seeds import generator

seeds = st.integers(0, 2**32 - 1)


def both_classes(rng: np.random.Generator, size: int) -> np.ndarray:
    labels = rng.integers(0, 2, size)
    labels[:2] = 0, 1
    return labels


def videos(rng: np.random.Generator, count: int, most: int = 30) -> tuple[dict, dict]:
    sizes = {f"v{index}": int(rng.integers(2, most)) for index in range(count)}
    scores = {name: rng.integers(0, 9, size).astype(float) for name, size in sizes.items()}
    return scores, {name: both_classes(rng, size) for name, size in sizes.items()}


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 200), st.sampled_from([1e-6, 1e-3, 1.0, 1e3, 1e6]), st.sampled_from([0.0, -7.0, 4e5]))
def test_auroc_is_scikit_learns_at_any_scale_with_ties(seed: int, size: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    labels = both_classes(rng, size)
    scores = np.round(rng.normal(size=size) + labels, int(rng.integers(0, 4))) * scale + offset
    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_auroc_counts_pairs_and_halves_ties() -> None:
    assert auroc(np.array([1.0, 2, 2, 3]), np.array([0, 0, 1, 1])) == 3.5 / 4
    assert auroc(np.array([5.0, 5, 5]), np.array([0, 1, 1])) == 0.5
    assert auroc(np.array([-np.inf, 0, np.inf]), np.array([False, True, True])) == 1.0


def test_auroc_does_not_squash_scores_outside_the_unit_interval() -> None:
    rng = np.random.default_rng(0)
    labels = both_classes(rng, 1000)
    scores = rng.normal(size=1000) + 2 * labels
    assert auroc(scores, labels) > 0.9
    assert auroc(scores + 40, labels) == pytest.approx(auroc(scores, labels), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_auroc_stays_under_monotone_maps_and_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = both_classes(rng, 50), rng.integers(-6, 7, 50).astype(float)
    area = auroc(scores, labels)
    assert area == auroc(np.exp(scores), labels) == auroc(scores**3 - 2, labels)
    assert area == pytest.approx(1 - auroc(-scores, labels), abs=1e-12)
    order = rng.permutation(50)
    assert area == auroc(scores[order], labels[order])


def test_one_class_has_no_auroc() -> None:
    scores = np.arange(4.0)
    assert math.isnan(auroc(scores, np.zeros(4, int)))
    assert math.isnan(auroc(scores, np.ones(4, int)))
    assert math.isnan(auroc(np.empty(0), np.empty(0, int)))
    assert reason(auroc(scores, np.ones(4, int))).startswith("one class only")


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        ([0.0, 1, np.nan, np.nan], [0, 1, 1, 0], "NaN first at frame 2"),
        ([0.0, 1], [0, 1, 1], r"\(2,\) and \(3,\)"),
        ([[0.0, 1]], [[0, 1]], r"\(N,\)"),
        ([0.0, 1], [0, 2], "found 2"),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores: list, labels: list, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        auroc(np.array(scores), np.array(labels))


def test_micro_is_auroc_of_all_frames_together_in_any_order_of_videos() -> None:
    scores, labels = videos(np.random.default_rng(1), 5)
    together = roc_auc_score(np.concatenate([*labels.values()]), np.concatenate([*scores.values()]))
    assert micro_auroc(scores, labels) == pytest.approx(together, abs=1e-12)
    assert micro_auroc(dict(reversed(scores.items())), labels) == micro_auroc(scores, labels)


def test_macro_skips_videos_of_one_class_and_says_which() -> None:
    scores, labels = videos(np.random.default_rng(2), 4)
    labels["v1"] = np.ones_like(labels["v1"])
    labels["v3"] = np.zeros_like(labels["v3"])
    macro = macro_auroc(scores, labels)
    expected = np.mean([roc_auc_score(labels[name], scores[name]) for name in ("v0", "v2")])
    assert macro.value == pytest.approx(expected, abs=1e-12)
    assert (macro.videos_used, macro.skipped) == (2, ("v1", "v3"))


def test_macro_of_one_class_videos_alone_is_undefined() -> None:
    macro = macro_auroc({"a": np.arange(3.0)}, {"a": np.ones(3, int)})
    assert math.isnan(macro.value)
    assert (macro.videos_used, macro.skipped) == (0, ("a",))
    assert reason(macro.value) == "every video holds one class only"


SCORES = {
    "A": np.array([0.1, 0.4, 0.3, 0.8]),
    "B": np.array([0.6, 0.9, 0.5, 0.7]),
    "C": np.array([0.2, 0.3, 0.5]),
    "D": np.array([0.25, 0.45]),
}
LABELS = {"A": np.array([0, 0, 1, 1]), "B": np.array([0, 1, 1, 0]), "C": np.zeros(3, int), "D": np.ones(2, int)}


@pytest.mark.parametrize(
    ("rule", "scale", "offset", "expected"),
    [
        ("skip", 1, 0, 0.625),
        ("append", 1, 0, 0.916667),
        ("append", 10, -7, 0.916667),
        ("accivad", 1, 0, 0.916667),
        ("accivad", 1, -0.5, 0.708333),
        ("accivad", 10, 0, 0.916667),
    ],
)
def test_macro_rules_on_a_worked_example(rule: str, scale: float, offset: float, expected: float) -> None:
    macro = macro_auroc({name: scale * values + offset for name, values in SCORES.items()}, LABELS, rule)
    assert macro.value == pytest.approx(expected, abs=1e-6)
    assert (macro.videos_used, macro.rule) == (2 if rule == "skip" else 4, rule)
    assert micro_auroc(SCORES, LABELS) == pytest.approx(27 / 42, abs=1e-15)


def test_appended_frames_are_scikit_learns_with_infinite_ends() -> None:
    scores, labels = videos(np.random.default_rng(4), 3)
    areas = [
        roc_auc_score([0, *labels[name], 1], [values.min() - 1, *values, values.max() + 1])
        for name, values in scores.items()
    ]
    assert macro_auroc(scores, labels, "append").value == pytest.approx(np.mean(areas), abs=1e-12)
    endless = {"v": np.array([-np.inf, 0, np.inf])}
    assert macro_auroc(endless, {"v": np.array([1, 0, 0])}, "append").value == 4 / 6


def test_an_unknown_macro_rule_is_refused_with_those_there_are() -> None:
    with pytest.raises(PagenError, match="did you mean 'skip'"):
        macro_auroc(SCORES, LABELS, "skips")
    for rule in MACRO_RULES:
        with pytest.raises(PagenError, match=r"\(N,\)"):
            macro_auroc({"v": np.zeros((2, 2))}, {"v": np.zeros((2, 2), int)}, rule)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(2, 200), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([0.0, -7.0]))
def test_average_precision_is_scikit_learns_with_ties(seed: int, size: int, scale: float, offset: float) -> None:
    rng = np.random.default_rng(seed)
    labels = both_classes(rng, size)
    scores = np.round(rng.normal(size=size) + labels, int(rng.integers(0, 4))) * scale + offset
    assert average_precision(scores, labels) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(2, 200))
def test_the_equal_error_rate_lies_on_scikit_learns_curve(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    labels = both_classes(rng, size)
    scores = np.round(rng.normal(size=size) + rng.choice([-1, 1]) * labels, int(rng.integers(0, 4)))
    alarm, hit, _ = roc_curve(labels, scores, drop_intermediate=False)
    along = np.linspace(0, 1, len(alarm))
    root = brentq(lambda s: interp1d(along, alarm)(s) - 1 + interp1d(along, hit)(s), 0, 1, xtol=1e-14)
    rate = equal_error_rate(scores, labels)
    assert rate == pytest.approx(float(interp1d(along, alarm)(root)), abs=1e-9)
    assert rate == pytest.approx(equal_error_rate(np.exp(scores), labels), abs=1e-15)


def test_equal_error_rates_of_worked_examples() -> None:
    assert equal_error_rate(np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])) == 0
    assert equal_error_rate(np.array([4.0, 3, 2, 1]), np.array([0, 0, 1, 1])) == 1
    assert equal_error_rate(np.full(5, 7.0), np.array([0, 0, 0, 1, 1])) == 0.5
    assert equal_error_rate(np.array([4.0, 3, 2, 1]), np.array([1, 0, 1, 0])) == 0.5


def test_what_needs_a_class_says_so() -> None:
    scores = np.arange(3.0)
    assert reason(average_precision(scores, np.zeros(3, int))) == "no abnormal frame"
    assert average_precision(scores, np.ones(3, int)) == average_precision_score(np.ones(3, int), scores) == 1
    assert reason(equal_error_rate(scores, np.zeros(3, int))) == reason(equal_error_rate(scores, np.ones(3, int)))
    assert math.isnan(equal_error_rate(np.empty(0), np.empty(0, int)))
    assert math.isnan(average_precision(np.empty(0), np.empty(0, int)))


def test_counts_run_down_the_distinct_scores() -> None:
    thresholds, true, false = roc_counts(np.array([1.0, 2, 2, 3, 1]), np.array([0, 0, 1, 1, 1]))
    assert (thresholds.tolist(), true.tolist(), false.tolist()) == ([3, 2, 1], [1, 2, 3], [0, 1, 2])


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 40))
def test_batches_of_any_size_change_nothing(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = both_classes(rng, 97), rng.integers(-3, 9, 97) * 1e5 + 0.1
    cut = range(size, 97, size)
    parts = [{str(k): part for k, part in enumerate(np.split(whole, cut))} for whole in (scores, labels)]
    assert micro_auroc(*parts) == auroc(scores, labels)
    assert average_precision(*concatenate(*parts)) == average_precision(scores, labels)


def test_videos_must_be_the_same() -> None:
    with pytest.raises(PagenError, match="b"):
        micro_auroc({"a": np.arange(3.0)}, {"a": np.ones(3, int), "b": np.ones(3, int)})
    with pytest.raises(PagenError, match="none at all"):
        micro_auroc({}, {})


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 7))
def test_weighting_videos_is_putting_them_together(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = videos(rng, count)
    labels["v0"] = np.ones_like(labels["v0"])
    names = list(scores)
    drawn = rng.integers(0, count, (20, count))
    multiplicities = np.array([np.bincount(draw, minlength=count) for draw in drawn])
    slow = [
        auroc(np.concatenate([scores[names[i]] for i in draw]), np.concatenate([labels[names[i]] for i in draw]))
        for draw in drawn
    ]
    np.testing.assert_array_equal(resampled_auroc(scores, labels, multiplicities), slow)


def test_interval_is_seeded_and_holds_the_value() -> None:
    scores, labels = videos(np.random.default_rng(3), 12, 60)
    low, high = bootstrap_interval(scores, labels, generator(0, "bootstrap"))
    assert (low, high) == bootstrap_interval(scores, labels, generator(0, "bootstrap"))
    assert (low, high) != bootstrap_interval(scores, labels, generator(1, "bootstrap"))
    assert low < micro_auroc(scores, labels) < high
    inner = bootstrap_interval(scores, labels, generator(0, "bootstrap"), level=0.5)
    assert low < inner[0] < inner[1] < high


def test_interval_leaves_one_class_draws_out() -> None:
    scores = {"a": np.array([0.0, 1, 2]), "b": np.array([5.0, 6])}
    labels = {"a": np.array([0, 0, 0]), "b": np.array([1, 1])}
    assert bootstrap_interval(scores, labels, generator(0)) == (1.0, 1.0)


def test_interval_of_one_video_is_undefined() -> None:
    interval = bootstrap_interval({"a": np.arange(3.0)}, {"a": np.array([0, 1, 1])}, generator(0))
    assert all(math.isnan(end) for end in interval)
    assert [reason(end) for end in interval] == ["fewer than two videos to draw from"] * 2


def test_the_difference_of_two_runs_is_that_of_each_draw() -> None:
    rng = np.random.default_rng(6)
    labels = videos(rng, 9, 60)[1]
    run = {name: marks + rng.normal(size=len(marks)) for name, marks in labels.items()}
    better = {name: values + 0.2 * labels[name] for name, values in run.items()}
    paired = paired_auroc(better, dict(reversed(run.items())), labels, generator(0), draws=200)
    drawn = generator(0).multinomial(9, np.full(9, 1 / 9), size=200)
    differences = resampled_auroc(better, labels, drawn) - resampled_auroc(run, labels, drawn)
    assert paired.difference == pytest.approx(micro_auroc(better, labels) - micro_auroc(run, labels), abs=1e-15)
    assert (paired.low, paired.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])), abs=1e-15)
    apart = bootstrap_interval(better, labels, generator(0)), bootstrap_interval(run, labels, generator(0))
    assert 0 < paired.low < paired.difference < paired.high < apart[0][1] - apart[1][0]
    assert paired.above == 1
