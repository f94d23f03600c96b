from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.fusion import fused, oracle_weights, pseudo_weights
from pagen.eval.settings import WEIGHTS, EvaluationSettings
from pagen.papers.all_papers import FUSED
from pagen.train.recipes.table import RECIPES


def test_fused_is_the_weighted_mean() -> None:
    one, two = {"a": np.array([1.0, 3.0]), "b": np.array([2.0])}, {"a": np.array([10.0, 30.0]), "b": np.array([20.0])}
    found = fused({"one": one, "two": two}, {"one": 3.0, "two": 1.0})
    np.testing.assert_allclose(found["a"], [(3 + 10) / 4, (9 + 30) / 4])
    np.testing.assert_allclose(found["b"], [(6 + 20) / 4])


def test_weights_count_by_their_shares() -> None:
    rng = np.random.default_rng(0)
    parts = {name: {"a": rng.normal(size=9)} for name in ("one", "two")}
    np.testing.assert_allclose(
        fused(parts, {"one": 2, "two": 6})["a"], fused(parts, {"one": 0.25, "two": 0.75})["a"], rtol=1e-12
    )
    with pytest.raises(PagenError, match="expected a weight above 0 for one of one two"):
        fused(parts, {"one": 0, "two": 0})


def test_a_video_changes_nothing_in_another() -> None:
    alone = fused({"one": {"a": np.array([5.0])}}, {"one": 1.0})
    assert fused({"one": {"a": np.array([5.0]), "b": np.array([99.0])}}, {"one": 1.0})["a"] == alone["a"]


def test_pseudo_anomalies_weigh_what_tells_them_apart() -> None:
    known = {"vcr": {"pseudo_auroc": 0.6}, "prp": {"pseudo_auroc": 0.9}, "ffp": {"pseudo_auroc": 0.4}}
    assert pseudo_weights(("vcr", "prp", "ffp"), known) == pytest.approx({"vcr": 0.2, "prp": 0.8, "ffp": 0.0})
    with pytest.raises(PagenError, match="expected an indicator that tells pseudo-anomalies apart"):
        pseudo_weights(("ffp",), known)
    with pytest.raises(PagenError, match=r"expected pseudo_auroc of psnr in calibration.json .* train the run again"):
        pseudo_weights(("psnr", "prp"), known)


def test_the_oracle_finds_the_best_of_the_grid() -> None:
    rng = np.random.default_rng(0)
    labels = {"a": rng.integers(0, 2, 200)}
    parts = {name: {"a": labels["a"] * shift + rng.normal(size=200)} for name, shift in (("x", 2.0), ("y", 0.5))}
    best = oracle_weights(lambda weights: fused(parts, weights), ["x", "y"], labels)
    areas = {
        share: roc_auc_score(labels["a"], share * parts["x"]["a"] + (10 - share) * parts["y"]["a"])
        for share in range(11)
    }
    assert 10 * best["x"] == pytest.approx(max(areas, key=areas.__getitem__))


def test_recipes_that_are_fused_exist() -> None:
    assert set(FUSED) <= set(RECIPES.names())
    assert WEIGHTS[0] == "published"


def test_unknown_weights_are_named() -> None:
    with pytest.raises(PagenError, match="no kind of weights named 'unifrom'; did you mean 'uniform'"):
        EvaluationSettings("ped2", 10.0, weights="unifrom")
