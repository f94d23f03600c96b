from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.metrics import auroc, bootstrap_interval, macro_auroc, micro_auroc, resampled_auroc
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
