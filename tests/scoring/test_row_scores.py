from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.maps import detections_of
from pagen.features.extract import FeatureFolder
from pagen.footage.prepare import Prepared
from pagen.scoring.density import painted
from pagen.scoring.over_density import OverDensity
from pagen.scoring.row_scores import RowScores

FRAMES = np.array([0, 0, 2])
BOXES = np.array([[0, 0, 4, 3], [2, 1, 6, 5], [5.4, 0, 8.6, 2]], np.float32)


class Rows(RowScores):
    """Scores that lie nowhere."""

    def scores(self, clip: str) -> Any:
        return self.path  # type: ignore[return-value]


class Kept:
    """Features of one clip."""

    def __init__(self, boxes: Any) -> None:
        self._boxes = boxes

    def frames(self, name: str) -> Any:
        return FRAMES

    def boxes(self, name: str) -> Any:
        return self._boxes


class Clip:
    """A clip of four frames."""

    def length(self, name: str) -> int:
        return 4


def placed(scores: list[float], boxes: Any = BOXES, kind: str = "deep", **known: float) -> OverDensity:
    rows = Rows(cast(Path, np.array(scores)), cast(FeatureFolder, Kept(boxes)), kind, 0.0)
    return OverDensity(cast(Prepared, Clip()), rows, {"median": 0.0, "mean": 0.0, "std": 1.0, **known}, kind)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 9)] * 4, st.floats(0, 9)), max_size=6))
def test_a_map_holds_the_highest_score_over_each_pixel(found: list[Any]) -> None:
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d, _ in found]).reshape(-1, 4)
    heights = np.array([each[4] for each in found], np.float32)
    slow = np.zeros((7, 9), np.float32)
    for (left, top, right, bottom), height in zip(boxes, heights, strict=True):
        for y in range(top, min(bottom, 7)):
            for x in range(left, min(right, 9)):
                slow[y, x] = max(slow[y, x], height)
    np.testing.assert_array_equal(painted((7, 9), boxes, heights), slow)


def test_maps_begin_at_the_training_median() -> None:
    maps = list(placed([3.0, 1.0, 5.0], median=2.0).maps("test_01", (6, 8)))
    assert [each.shape for each in maps] == [(6, 8)] * 4
    assert [each.max() for each in maps] == [1.0, 0.0, 3.0, 0.0]
    assert maps[2][:2, 5:].min() == 3.0


def test_scores_of_one_kind_stay_as_they_are_and_ends_lie_inside() -> None:
    found = detections_of([placed([3.0, -1.0, 5.0])], "test_01")
    np.testing.assert_array_equal(found.scores, [3, -1, 5])
    np.testing.assert_array_equal(found.boxes[1], [2, 1, 5, 4])
    np.testing.assert_array_equal(found.frames, FRAMES)


def test_scores_of_several_kinds_are_added_up_in_deviations_above_the_mean() -> None:
    kinds = [placed([3.0, -1.0, 5.0], mean=1.0, std=2.0), placed([0.0, 0.5, 2.0], kind="velocity", std=0.5)]
    np.testing.assert_allclose(detections_of(kinds, "test_01").scores, [1.0, 1.0, 2.0 + 4.0])


def test_kinds_of_other_boxes_are_refused() -> None:
    kinds = [placed([3.0, 1.0, 5.0]), placed([3.0, 1.0, 5.0], BOXES + 1, "velocity")]
    with pytest.raises(PagenError, match=r"expected the boxes of deep for velocity, found others"):
        detections_of(kinds, "test_01")
