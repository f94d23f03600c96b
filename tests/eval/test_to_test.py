"""A data set that is tested on needs its whole test split, and nothing of its training split."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pagen.compute import Compute
from pagen.eval import labelled


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
    missing: dict[str, list[int]], partial: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled, "locate", lambda dataset, root: SimpleNamespace(missing=missing))
    assert labelled.to_test(Compute(), "ped1").partial is partial
    assert labelled.to_test(Compute(partial=True), "ped1").partial
