"""Frames of label 255 count in no figure: scores are rescaled and smoothed over all frames, and these go last."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from pagen.errors import PagenError
from pagen.eval.evaluate import Evaluate, run
from pagen.eval.evaluation import evaluate_files
from pagen.eval.figures.curves import broken
from pagen.eval.protocol import Protocol, apply, counted_frames
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report.drawn import pieces
from pagen.eval.report.highlights import stand_out
from pagen.eval.results import Series
from pagen.eval.settings import EvaluationSettings
from pagen.footage.anomalies import kinds_of_frames
from pagen.footage.clips import LEFT_OUT
from pagen.scoring.smooth import causal_smooth

MARKS = st.lists(st.sampled_from([0, 1, LEFT_OUT]), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(st.lists(MARKS, min_size=1, max_size=3), st.integers(0, 5), st.integers(0, 5), st.integers(1, 4))
def test_frames_are_left_out_after_all_else(marks: list[list[int]], first: int, last: int, every: int) -> None:
    protocol = replace(PROTOCOLS["causal"], dropped_first=first, dropped_last=last, every=every)
    labels = {str(number): np.array(each, np.uint8) for number, each in enumerate(marks)}
    scores = {name: np.random.default_rng(len(each)).normal(size=len(each)) for name, each in labels.items()}
    frames = [each[first : max(len(each) - last, 0) : every] for each in marks]
    if all(mark == LEFT_OUT for each in frames for mark in each):
        with pytest.raises(PagenError, match="expected frames that count under protocol causal, found none"):
            apply(protocol, {"psnr": scores}, labels)
        return
    final, kept = apply(protocol, {"psnr": scores}, labels)
    numbers = counted_frames(protocol, labels)
    expected = {}
    for name, each in labels.items():
        frames = list(range(first, max(len(each) - last, 0), every))
        smooth = causal_smooth(scores[name][frames], 2.0) if frames else []
        rows = [(frame, value, each[frame]) for frame, value in zip(frames, smooth, strict=True) if each[frame] != 255]
        if rows:
            expected[name] = rows
    assert final.keys() == kept.keys() == numbers.keys() == expected.keys()
    for name, rows in expected.items():
        assert numbers[name].tolist() == [frame for frame, _, _ in rows]
        assert final[name].tolist() == [value for _, value, _ in rows]
        assert kept[name].tolist() == [mark for _, _, mark in rows]


def saved(folder: Path, **labels: list[int]) -> tuple[Path, Path]:
    """Files of scores and of labels."""
    rng = np.random.default_rng(0)
    np.savez(folder / "labels.npz", **{name: np.array(marks) for name, marks in labels.items()})
    np.savez(folder / "scores.npz", **{name: rng.normal(size=len(marks)) for name, marks in labels.items()})
    return folder / "scores.npz", folder / "labels.npz"


def test_figures_of_files_are_those_of_scikit_learn_without_these_frames(tmp_path: Path) -> None:
    labels = {"a": [0, 1, 255, 255, 1, 0, 0], "b": [255] * 4, "c": [0, 0, 1, 255]}
    scores, marks = saved(tmp_path, **labels)
    (row,) = evaluate_files([scores], marks, settings=EvaluationSettings(fps=25)).tables[0].rows
    values = np.concatenate([np.load(scores)[name] for name in labels])
    truth = np.concatenate([np.array(each) for each in labels.values()])
    counted = truth != 255
    assert row.micro == pytest.approx(roc_auc_score(truth[counted], values[counted]), abs=1e-12)
    assert row.average_precision == pytest.approx(average_precision_score(truth[counted], values[counted]), abs=1e-12)
    assert (row.frames, row.videos, row.videos_used) == (8, 2, 2)
    assert row.low <= row.micro <= row.high


def test_a_score_that_is_not_finite_is_refused_even_where_it_would_not_count(tmp_path: Path) -> None:
    scores, marks = saved(tmp_path, a=[0, 1, 255])
    np.savez(scores, a=np.array([0.0, 1.0, np.nan]))
    with pytest.raises(PagenError, match="found NaN at frame 2"):
        evaluate_files([scores], marks)


def test_labels_of_0_and_255_are_no_pair_of_classes(tmp_path: Path) -> None:
    scores, marks = saved(tmp_path, a=[0, 255, 255, 0])
    with pytest.raises(PagenError, match=r"all 2 frames of .* are labelled normal \(2 more are left out: label 255\)"):
        evaluate_files([scores], marks)
    scores, marks = saved(tmp_path, a=[255, 255])
    with pytest.raises(PagenError, match=r"all 0 frames .* \(2 more are left out"):
        evaluate_files([scores], marks)


def test_the_verb_takes_files_with_such_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, marks = saved(tmp_path, a=[0, 1, 255, 1, 0])
    run(Evaluate((), scores=(scores,), labels=str(marks), protocol=("raw", "causal", "mulde"), json=True))
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert [table["rows"][0]["frames"] for table in tables if table["protocol"] in ("raw", "causal", "mulde")] == [
        4
    ] * 3


def series_of_marks(protocol: Protocol, marks: list[int]) -> Series:
    labels, values = {"a": np.array(marks, np.uint8)}, np.arange(float(len(marks)))
    final, kept = apply(protocol, {"psnr": {"a": values}}, labels)
    return Series("run", "psnr", final, final, kept, counted_frames(protocol, labels), {})


def test_frames_that_stand_out_are_called_by_their_own_numbers() -> None:
    protocol = PROTOCOLS["raw"]
    series = series_of_marks(protocol, [0, 0, 255, 255, 1, 0, 255, 1, 255, 255])
    picks, counts = stand_out(protocol, series, 100.0, 1.0, 10.0)
    assert [pick.frame for pick in picks["highest"]] == [7, 5, 4, 1, 0]
    assert [pick.frame for pick in picks["missed"]] == [4, 7]
    assert counts["missed"].startswith("2 of 2 abnormal frames")


def test_what_a_page_and_a_figure_draw_ends_where_frames_are_left_out() -> None:
    frames = np.array([0, 1, 4, 5, 7])
    assert pieces(frames, 1) == [[0, 2], [4, 2], [7, 1]]
    assert pieces(np.array([8, 24, 56]), 16) == [[8, 2], [56, 1]]
    assert pieces(frames[:0], 1) == []
    where, values = broken(frames, np.arange(5.0), 1)
    assert np.array_equal(where, [0, 1, np.nan, 4, 5, np.nan, 7], equal_nan=True)
    assert np.array_equal(values, [0, 1, np.nan, 2, 3, np.nan, 4], equal_nan=True)


def test_a_frame_that_is_left_out_shows_no_kind_of_anomaly() -> None:
    kinds = kinds_of_frames(np.array([0, 1, 255]), {"cart": ((0, 3),)})
    assert kinds.tolist() == ["", "cart", ""]
