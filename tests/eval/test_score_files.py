"""Scores out of files: every form gives the same, equal to scikit-learn; what does not fit is named."""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pagen.errors import PagenError
from pagen.eval.evaluation import evaluate_files
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.score_files import counted_of, read_labels, read_score_files
from pagen.eval.settings import EvaluationSettings

LENGTHS = {"b": 30, "a": 20, "c 10": 25}
ByVideo = dict[str, np.ndarray]


def drawn(seed: int = 0) -> tuple[ByVideo, ByVideo]:
    rng = np.random.default_rng(seed)
    labels = {name: (np.arange(length) > length // 2).astype(np.uint8) for name, length in LENGTHS.items()}
    return {name: rng.normal(marks / 2).round(1) for name, marks in labels.items()}, labels


def npz(path: Path, values: ByVideo, column: str) -> Path:
    np.savez(path.with_suffix(".npz"), **{name: each[None] for name, each in values.items()})
    return path.with_suffix(".npz")


def npy(path: Path, values: ByVideo, column: str) -> Path:
    np.save(path.with_suffix(".npy"), np.concatenate([values[name] for name in sorted(values)])[None])
    return path.with_suffix(".npy")


def lines(path: Path, values: ByVideo, column: str) -> Path:
    rows = [(name, frame, value) for name, each in values.items() for frame, value in enumerate(each)]
    np.random.default_rng(1).shuffle(rows)
    with open(path.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("video", "frame", column), *rows])
    return path.with_suffix(".csv")


def lists(path: Path, values: ByVideo, column: str) -> Path:
    path.with_suffix(".json").write_text(json.dumps({name: each.tolist() for name, each in values.items()}))
    return path.with_suffix(".json")


def folder(path: Path, values: ByVideo, column: str) -> Path:
    path.mkdir()
    for name, each in values.items():
        if name == "b":
            np.save(path / f"{name}.npy", each)
        else:
            (path / f"{name}.txt").write_text("\n".join(map(str, each)))
    return path


WRITERS = [npz, npy, lines, lists, folder]
Write = Callable[[Path, ByVideo, str], Path]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("write_labels", [npz, npy, lines, lists, folder])
def test_every_form_says_what_was_written(tmp_path: Path, write: Write, write_labels: Write) -> None:
    scores, labels = drawn()
    marks, named = write_labels(tmp_path / "labels", labels, "label"), npz(tmp_path / "named", scores, "score")
    file = write(tmp_path / "scores", scores, "score")
    found = read_score_files([named, file], marks)
    assert [name for name, _ in found] == [str(named), str(file)]
    for _, read in found:
        assert list(read.clips) == list(read.labels) == sorted(LENGTHS)
        for name in LENGTHS:
            np.testing.assert_array_equal(read.of("score")[name], scores[name])
            np.testing.assert_array_equal(read.labels[name], labels[name])
            assert read.labels[name].dtype == np.uint8


def test_where_no_file_names_videos_there_is_one(tmp_path: Path) -> None:
    scores, labels = drawn()
    files = [npy(tmp_path / "scores", scores, ""), npy(tmp_path / "labels", labels, "")]
    ((_, found),) = read_score_files(files[:1], files[1])
    assert {name: len(values) for name, values in found.of("score").items()} == {"all": 75}
    assert {name: counts.tolist() for name, counts in counted_of(files[1], None).items()} == {"all": [True] * 75}


@pytest.mark.slow
def test_the_table_is_that_of_scikit_learn_with_differences_to_the_first_file(tmp_path: Path) -> None:
    first, labels = drawn()
    second, _ = drawn(1)
    files = [npz(tmp_path / "first", first, ""), lists(tmp_path / "second", second, "")]
    marks = lines(tmp_path / "labels", labels, "label")
    (table,) = evaluate_files(files, marks, settings=EvaluationSettings(fps=25)).tables
    assert (table.protocol, table.against) == ("raw", str(files[0]))
    areas = []
    for row, scores in zip(table.rows, (first, second), strict=True):
        pair = [np.concatenate([part[name] for name in LENGTHS]) for part in (labels, scores)]
        areas.append(roc_auc_score(*pair))
        assert row.micro == row.raw == pytest.approx(areas[-1], abs=1e-12)
        assert row.average_precision == pytest.approx(average_precision_score(*pair), abs=1e-12)
        macro = np.mean([roc_auc_score(labels[name], scores[name]) for name in LENGTHS])
        assert row.macro == pytest.approx(macro, abs=1e-12)
    assert [row.over for row in table.rows] == pytest.approx([0, areas[1] - areas[0]], abs=1e-12)
    low, high = resampled_differences(second, first, labels)
    assert (table.rows[1].over_low, table.rows[1].over_high) == pytest.approx((low, high), abs=1e-12)


def resampled_differences(first: ByVideo, second: ByVideo, labels: ByVideo) -> tuple[float, float]:
    """Draw by draw, with scikit-learn."""
    from pagen.seeds import generator

    differences, names = [], sorted(labels)
    for row in generator(0, "bootstrap").multinomial(3, [1 / 3] * 3, size=1000):
        videos = [name for name, count in zip(names, row, strict=True) for _ in range(count)]
        marks, *both = (np.concatenate([part[name] for name in videos]) for part in (labels, first, second))
        differences.append(roc_auc_score(marks, both[0]) - roc_auc_score(marks, both[1]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return low, high


def test_other_protocols_smooth_files_too(tmp_path: Path) -> None:
    scores, labels = drawn()
    file, marks = npz(tmp_path / "scores", scores, ""), npz(tmp_path / "labels", labels, "")
    raw, causal = (evaluate_files([file], marks, protocols=[name]).tables[0] for name in ("raw", "causal"))
    assert causal.rows[0].raw == raw.rows[0].micro == micro_auroc(scores, labels)
    assert causal.rows[0].micro > raw.rows[0].micro
    assert "window" not in causal.title


def save(path: Path, content: object) -> Path:
    """A file as bytes, text, an array, or by keywords of arrays."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, dict):
        np.savez(path, **content)  # type: ignore[arg-type]
    else:
        np.save(path, content)  # type: ignore[arg-type]
    return path


NAN = {"a": np.zeros(2), "b": np.array([0, 1, np.nan])}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.npz", NAN, r"s\.npz: video b: expected finite scores.*found NaN at frame 2"),
        ("s.npz", NAN | {"b": np.array([0, np.inf, 0])}, "video b: expected finite scores.*found inf at frame 1"),
        ("s.npz", NAN | {"b": np.zeros(4)}, "video b: expected a label for each of 4 scores, found 3"),
        ("s.npz", NAN | {"bb": np.zeros(4)}, "video b: expected finite|no labelled video named 'bb'"),
        ("s.npz", {"a": np.zeros(2), "B": np.zeros(3)}, "no labelled video named 'B'"),
        ("s.npz", {"a": np.zeros(2)}, "every video of .*labels.npz, found none for b"),
        ("s.npz", {"a": np.array([1, "x"], object)}, r"found what cannot be read \(a that are pickled objects\); mend"),
        (
            "s.npy",
            pickle.dumps([1, 2]),
            r"found what cannot be read \(a pickle or something else",
        ),
        ("s.npz", {"a": np.array(["x", "y"])}, "video a: expected numbers"),
        ("s.npz", {"a": np.zeros((2, 2))}, r"video a: expected numbers \(T,\), found float64 \(2, 2\)"),
        ("s.npz", {}, "empty"),
        ("s.npz", b"PK\x03\x04 broken", "cannot be read"),
        ("s.npy", np.zeros(6), "expected 5 values, those of 2 videos in the order of their names, found 6"),
        (
            "s.json",
            '{"a": [0, 1], "b": [0, null, 1]}',
            r"true or false or a finite number for b\[1\] in .*, found None",
        ),
        ("s.json", '{"a": [0, 1], "b": [[0], [1, 2]]}', r"number for b\[0\] in .*, found a list"),
        ("s.json", "[1, 2]", "as an object in .*, found a list"),
        ("s.json", "{", "as JSON in .*, found Expecting property name"),
        ("s.csv", "video,frame,scores\na,0,1", "named 'score'; did you mean 'scores'"),
        ("s.csv", "video,frame,score\na,0,1\na,0,2", "video a: frame 0 stands there twice"),
        ("s.csv", "video,frame,score\na,0,1\na,2,2", "video a: frame 1 is missing"),
        ("s.csv", "video,frame,score\na,0,1\na,x,2", "line 3 is no video,frame,score"),
        ("s.csv", "video,frame,score\n", "empty"),
        ("s.xyz", "1", r"\.csv \.json \.npy \.npz"),
        ("nothing.csv", None, "which cannot be opened"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, name: str, content: object, words: str) -> None:
    labels = save(tmp_path / "labels.npz", {"a": np.array([0, 1]), "b": np.array([0, 1, 1])})
    file = tmp_path / name if content is None else save(tmp_path / name, content)
    with pytest.raises(PagenError, match=words) as caught:
        read_score_files([file], labels)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_that_hold_nothing_or_a_video_twice(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(PagenError, match=r"neither VIDEO\.npy nor VIDEO\.txt"):
        read_labels(tmp_path / "d")
    (tmp_path / "d/a.txt").write_text("0, 1\n1")
    assert {name: marks.tolist() for name, marks in read_labels(tmp_path / "d").items()} == {"a": [0, 1, 1]}
    np.save(tmp_path / "d/a.npy", [1])
    with pytest.raises(PagenError, match="video a stands there twice"):
        read_labels(tmp_path / "d")


@pytest.mark.parametrize(("mark", "shown"), [(2, "2"), (0.5, "0.5"), (np.nan, "nan")])
def test_other_labels_are_named(tmp_path: Path, mark: float, shown: str) -> None:
    labels = save(tmp_path / "labels.npz", {"a": np.array([0, 1, mark])})
    with pytest.raises(
        PagenError, match=f"video a: expected labels 0 and 1, and 255 of frames .* found {shown} at frame 2"
    ):
        read_labels(labels)


@pytest.mark.parametrize(("mark", "word"), [(0, "normal"), (1, "abnormal")])
def test_labels_of_one_class_have_no_auroc(tmp_path: Path, mark: int, word: str) -> None:
    labels = save(tmp_path / "labels.npz", {"a": np.full(4, mark)})
    scores = save(tmp_path / "scores.npz", {"a": np.arange(4.0)})
    with pytest.raises(PagenError, match=rf"undefined: all 4 frames of .*labels\.npz are labelled {word}"):
        evaluate_files([scores], labels)


def test_counts_of_frames_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    counts = save(tmp_path / "counts.json", '{"a": 3, "b": 5}')
    assert {name: counts.tolist() for name, counts in counted_of(None, counts).items()} == {
        "a": [True] * 3,
        "b": [True] * 5,
    }
    with pytest.raises(PagenError, match="found both"):
        counted_of(counts, counts)
    with pytest.raises(PagenError, match="found neither"):
        counted_of(None, None)
    refused = {
        '{"a": 0}': "expected a number greater than 0 for a in .*, found 0; mend it",
        '{"a": "3"}': "expected a whole number for a in .*, found '3'",
        "[3]": r'expected \{"video": number of frames\} as an object in .*, found a list',
        "{": r'expected \{"video": number of frames\} as JSON in ',
    }
    for content, words in refused.items():
        with pytest.raises(PagenError, match=words):
            counted_of(None, save(counts, content))
