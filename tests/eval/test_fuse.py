from __future__ import annotations

import numpy as np
import pytest

from pagen.eval.fuse import FUSED, fused
from pagen.train.recipes import RECIPES


def test_fused_is_the_mean_of_what_is_calibrated_on_training_clips() -> None:
    one, two = {"a": np.array([1.0, 3.0]), "b": np.array([2.0])}, {"a": np.array([10.0, 30.0]), "b": np.array([20.0])}
    known = {"p1": 0.0, "median": 1.0, "p99": 2.0}, {"p1": 0.0, "median": 10.0, "p99": 40.0}
    found = fused((one, two), known)
    np.testing.assert_allclose(found["a"], [0.0, (1.0 + 0.5) / 2])
    np.testing.assert_allclose(found["b"], [(0.5 + 0.25) / 2])


def test_a_video_changes_nothing_in_another() -> None:
    known = [{"p1": 0.0, "median": 1.0, "p99": 2.0}]
    alone = fused([{"a": np.array([5.0])}], known)
    assert fused([{"a": np.array([5.0]), "b": np.array([99.0])}], known)["a"] == pytest.approx(alone["a"])


def test_recipes_that_are_fused_exist() -> None:
    assert set(FUSED) <= set(RECIPES)
