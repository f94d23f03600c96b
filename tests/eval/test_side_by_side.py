from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.results import BAR, TRIVIAL, Series
from pagen.eval.side_by_side import compared, labels_of, names_of, on_one_axis
from pagen.folders import write_json


def of(run: str, indicator: str) -> Series:
    return Series(run, indicator, {}, {}, {}, {}, {})


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/skip", "runs/luss"], ["skip", "luss"]),
        (["a/skip", "b/skip", "luss"], ["a/skip", "b/skip", "luss"]),
        (["x/1/skip", "y/1/skip", "y/2/skip"], ["x/1/skip", "y/1/skip", "2/skip"]),
        (["skip/run", "patch/run"], ["skip/run", "patch/run"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(paths: list[str], names: list[str]) -> None:
    assert names_of([Path(path) for path in paths]) == names


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=6, unique_by=tuple))
def test_names_differ_whatever_the_paths(parts: list[list[str]]) -> None:
    paths = [Path("/top", *path) for path in parts]
    names = names_of(paths)
    assert len(set(names)) == len(paths)
    assert all(str(path).endswith(name) for path, name in zip(paths, names, strict=True))


def test_each_run_leads_with_one_series_and_the_baseline_comes_last() -> None:
    series = [of(TRIVIAL, BAR), of(TRIVIAL, "frame_difference"), of("b", "psnr"), of("b", "psnr_local")]
    series += [of("a", "vcr_local"), of("a", "prp"), of("a", "fused (pseudo)"), of("c", "density")]
    led = [("b", "psnr_local"), ("a", "fused (pseudo)"), ("c", "density"), (TRIVIAL, BAR)]
    assert [(one.run, one.indicator) for one in compared(series)] == led


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=4, max_size=40))
def test_one_axis_changes_no_auroc(frames: list[tuple[int, bool]]) -> None:
    scores = {
        "a": np.array([value for value, _ in frames[:3]], float),
        "b": np.array([v for v, _ in frames[3:]], float),
    }
    labels = [label for _, label in frames]
    scaled = np.concatenate([*on_one_axis(scores).values()])
    before = np.concatenate([*scores.values()])
    assert scaled.min() == 0
    assert scaled.max() == (1 if np.ptp(before) else 0)
    if 0 < sum(labels) < len(labels):
        assert roc_auc_score(labels, scaled) == pytest.approx(roc_auc_score(labels, before), abs=1e-12)


def test_a_run_of_another_data_set_says_so_and_no_run_is_named_twice(tmp_path: Path) -> None:
    for name, trained in (("skip", "street"), ("luss", "ped2")):
        (tmp_path / name).mkdir()
        write_json(tmp_path / name / "recipe.json", {"recipe": "skip", "dataset": trained})
    runs = [tmp_path / "skip", tmp_path / "luss"]
    assert labels_of(runs, "street") == ["skip", "luss (trained on ped2)"]
    with pytest.raises(PagenError, match="expected each run once"):
        labels_of([*runs, tmp_path / "x" / ".." / "skip"], "street")
