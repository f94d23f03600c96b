"""A data set that is tested on needs its whole test split, and nothing of its training split."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pagen.compute import Compute
from pagen.eval.labelled import to_test


@pytest.mark.parametrize(
    ("missing", "partial"),
    [
        ({}, False),
        ({"train": [0, 34]}, True),
        ({"train": [3, 34]}, False),
        ({"train": [0, 34], "test": [1, 36]}, False),
        ({"test": [1, 36]}, False),
    ],
)
def test_a_training_split_of_which_nothing_is_there_is_not_asked_for(
    missing: dict[str, list[int]], partial: bool
) -> None:
    footage: Any = SimpleNamespace(missing=missing)
    assert to_test(Compute(), footage).partial is partial
    assert to_test(Compute(partial=True), footage).partial
