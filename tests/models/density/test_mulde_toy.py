"""The picture of MULDE's toy shows what the detector says: f, and the length of its gradient."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def toy() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[3] / "docs/mulde_toy.py"))


@pytest.mark.parametrize("beta", [0.1, 0.0])
def test_maps_are_of_f_and_of_its_gradient(toy: dict[str, Any], beta: float) -> None:
    detector = toy["fitted"](beta, 20, 16)
    points, sigma = toy["sampled"](toy["ABNORMAL"], 50, 3), detector.levels[5]
    f, length = toy["answers"](detector, points, sigma)
    np.testing.assert_allclose(f, detector.vectors(points)[:, 5], rtol=1e-4, atol=1e-5)
    step = 1e-2 * np.eye(2)
    ahead, behind = ([toy["answers"](detector, points + sign * one, sigma)[0] for one in step] for sign in (1, -1))
    slope = np.subtract(ahead, behind).T / 2e-2 * detector.standard.std
    np.testing.assert_allclose(length, np.linalg.norm(slope, axis=1), rtol=2e-2, atol=2e-3)


def test_a_detector_has_its_maps(toy: dict[str, Any]) -> None:
    made = {"a": toy["fitted"](0.1, 2, 4), "b": toy["fitted"](0.0, 2, 4)}
    figure = toy["drawn"](made)
    maps = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert [one.shape for one in maps] == [(toy["SIDE"],) * 2] * 2 * 2 * len(toy["SIGMAS"])
    density, length = toy["answers"](made["b"], toy["plane"](), toy["SIGMAS"][1])
    np.testing.assert_array_equal(np.ravel(maps[9]), density)
    np.testing.assert_array_equal(np.ravel(maps[13]), length)
    assert [len(axis.lines) for axis in figure.axes if not axis.images] == [2, 120, 120]
