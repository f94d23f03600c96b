from __future__ import annotations

import json
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from pagen.arrays import read_array
from pagen.errors import PagenError
from pagen.models.density.detector import Detector, Rows, rows_of
from pagen.models.density.detectors import DETECTORS
from pagen.models.density.mixture import Mixture
from pagen.models.density.mulde import MULDE
from pagen.models.density.neighbours import Neighbours
from pagen.models.density.open import open_detector

TINY = {"widths": (8, 8), "scales": 4, "steps": 3, "batch": 16, "components": (1, 2)}
SETTINGS: dict[str, dict[str, Any]] = {
    "mulde": TINY,
    "mulde max": {**TINY, "reduce": "max"},
    "mulde single": {**TINY, "reduce": "single"},
    "msma": TINY,
    "msma density": {**TINY, "network_kind": "density", "norm": "squared"},
    "knn": {"k": 2},
    "gmm": {"components": (1, 2)},
    "gcl": {"widths": (8, 4, 8), "discriminator_widths": (8,), "epochs": 2, "batch": 16, "lr": 1e-3},
}
CASES = sorted(SETTINGS)


def made(case: str, **changes: Any) -> Detector:
    return DETECTORS[case.split()[0]](**{**SETTINGS[case], **changes})


def features(count: int = 60, width: int = 5, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(3, 2, (count, width)).astype(np.float32)


def test_every_detector_of_the_table_is_tested() -> None:
    assert {case.split()[0] for case in CASES} == set(DETECTORS.names())


@pytest.mark.parametrize("case", CASES)
def test_scores_are_one_float64_a_vector_and_higher_is_more_normal(case: str) -> None:
    detector = made(case)
    assert detector.fit(features()) is detector
    assert detector.width == 5
    scores = detector.score_samples(features(7, seed=1))
    assert scores.shape == (7,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(detector.anomaly_score(features(7, seed=1)), -scores)


@pytest.mark.parametrize("case", ["knn", "gmm"])
def test_what_lies_far_away_is_abnormal(case: str) -> None:
    detector = made(case).fit(features())
    assert detector.anomaly_score(features(5) + 100).min() > detector.anomaly_score(features()).max()


@pytest.mark.parametrize("case", CASES)
def test_scores_depend_on_nothing_but_vector_and_seed(case: str) -> None:
    new = features(9, seed=1)
    first, second = made(case).fit(features()), made(case).fit(features())
    whole = first.score_samples(new)
    np.testing.assert_array_equal(second.score_samples(new), whole)
    alone = np.concatenate([first.score_samples(new[index : index + 1]) for index in range(9)])
    np.testing.assert_allclose(alone, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", ["mulde", "msma"])
def test_another_seed_trains_another_network(case: str) -> None:
    one, two = (made(case, seed=seed).fit(features()).score_samples(features()) for seed in (0, 1))
    assert not np.allclose(one, two)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", ["list", "generator", "memmap", "tensor", "float64"])
def test_features_may_come_in_many_forms(case: str, form: str, tmp_path: Path) -> None:
    whole = features()
    np.save(tmp_path / "features.npy", whole)
    forms: dict[str, Callable[[], Any]] = {
        "list": lambda: [whole[:13], whole[13:13], whole[13:]],
        "generator": lambda: (whole[begin : begin + 7] for begin in range(0, 60, 7)),
        "memmap": lambda: read_array(tmp_path / "features.npy"),
        "tensor": lambda: torch.from_numpy(whole),
        "float64": lambda: whole.astype(np.float64),
    }
    expected = made(case).fit(whole).score_samples(whole)
    np.testing.assert_allclose(made(case).fit(forms[form]()).score_samples(forms[form]()), expected, rtol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_what_is_saved_comes_back(case: str, tmp_path: Path) -> None:
    before = made(case).fit(features())
    before.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    with safe_open(tmp_path / "model.safetensors", "np") as file:
        assert all(file.get_tensor(name).dtype in (np.float32, np.float64) for name in file.keys())  # noqa: SIM118
    for after in (type(before).load(tmp_path), open_detector(tmp_path)):
        assert type(after) is type(before)
        assert after.width == 5
        assert json.dumps(after.config()) == json.dumps(before.config())
        np.testing.assert_array_equal(after.score_samples(features(seed=1)), before.score_samples(features(seed=1)))


@pytest.mark.parametrize("case", CASES)
def test_bad_features(case: str) -> None:
    spoilt = features()
    spoilt[17, 2] = np.nan
    with pytest.raises(PagenError, match="finite features, found NaN or infinity in 1 rows, first in 17"):
        made(case).fit(spoilt)
    few: dict[str, Any] = {"knn": {"k": 3}, "gcl": {}}.get(case, {"components": 3})
    with pytest.raises(PagenError, match=r"expected [23] features at least for .*, found 1; give more"):
        made(case, **few).fit(features(1))
    with pytest.raises(PagenError, match=r"expected features \(n, 5\), found \(4, 6\); is the encoder the same"):
        made(case).fit([features(), features(4, 6)])
    with pytest.raises(PagenError, match=r"expected features \(n, 5\), found \(4, 6\); is the encoder the same"):
        made(case).fit(iter([features(), features(4, 6)]))
    fitted = made(case).fit(features())
    with pytest.raises(PagenError, match=r"expected features \(n, 5\), found \(4, 6\); is the encoder the same"):
        fitted.score_samples(features(4, 6))
    with pytest.raises(PagenError, match="finite features"):
        fitted.score_samples(spoilt)


@pytest.mark.parametrize("case", [case for case in CASES if case != "knn"])
def test_constant_features(case: str) -> None:
    constant = features(width=4)
    constant[:, 2] = 1 / 3
    with pytest.raises(PagenError, match="that vary over 60 rows, found 1 of 4 constant, the first in column 2"):
        made(case).fit(constant)
    with pytest.raises(PagenError, match="found 4 of 4 constant"):
        made(case, drop_constant=True).fit(np.ones((60, 4)))
    dropped = made(case, drop_constant=True).fit(constant)
    other = features(width=4, seed=1)
    without = made(case).fit(np.delete(constant, 2, 1))
    np.testing.assert_allclose(dropped.score_samples(other), without.score_samples(np.delete(other, 2, 1)), rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([{"a": 1}, None], dtype=object),
        np.array([["a", "b"]]),
        np.ones(5),
        np.ones((2, 3, 4)),
        np.ones((3, 0)),
        "features.npy",
        [[1.0, 2.0]],
        7,
    ],
    ids=["objects", "texts", "one axis", "three axes", "no features", "a path", "lists", "a number"],
)
def test_what_is_no_array_of_numbers(wrong: Any) -> None:
    with pytest.raises(PagenError, match=r"expected features as arrays \(n, D\)"):
        Neighbours().fit(wrong)


@pytest.mark.parametrize("nothing", [[], iter([]), np.ones((0, 3)), [np.ones((0, 3))], ""])
def test_no_features(nothing: Any) -> None:
    with pytest.raises(PagenError, match="expected 1 features at least for 1 neighbours, found 0; give more"):
        Neighbours().fit(nothing)


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "boxes.npy", np.array([np.ones(2), np.ones(3)], dtype=object), allow_pickle=True)
    with pytest.raises(PagenError, match=r"expected an array of numbers"):
        read_array(tmp_path / "boxes.npy")


@pytest.mark.parametrize("case", ["mulde", "knn", "gmm"])
def test_damaged_folders(case: str, tmp_path: Path) -> None:
    detector = made(case)
    with pytest.raises(PagenError, match=f"expected a fitted {type(detector).__name__}"):
        detector.score_samples(features())
    with pytest.raises(PagenError, match=f"expected a fitted {type(detector).__name__}"):
        detector.save(tmp_path)
    with pytest.raises(PagenError, match="missing or damaged"):
        open_detector(tmp_path)
    detector.fit(features()).save(tmp_path)
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    other = Neighbours if case != "knn" else Mixture
    with pytest.raises(PagenError, match=f"expected a {other.__name__} in .*, found a {type(detector).__name__}"):
        other.load(tmp_path)
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-20])
    with pytest.raises(PagenError, match="missing or damaged"):
        open_detector(tmp_path)
    weights.write_bytes(pickle.dumps({"rows": features()}))
    with pytest.raises(PagenError, match="missing or damaged"):
        open_detector(tmp_path)
    weights.write_bytes(whole)
    config.write_text(config.read_text().replace('"seed"', '"sed"').replace('"k"', '"kk"'))
    with pytest.raises(PagenError, match="expected weights that fit"):
        open_detector(tmp_path)
    config.write_text(json.dumps({"class": "Discriminator", "features": 5}))
    with pytest.raises(PagenError, match=r"expected one of GCL MSMA MULDE Mixture Neighbours in .*, found a Disc"):
        open_detector(tmp_path)


THEIRS = """
from dataclasses import dataclass
from pagen.models.density.detector import Detector, rows_of

@dataclass(eq=False)
class FarFromMean(Detector):
    def fit(self, features):
        rows = rows_of(features)
        self.mean, self.width = rows.parts[0].mean(0), rows.width
        return self

    def _scores(self, piece):
        return -abs(piece - self.mean).sum(1)

    def _state(self):
        import torch
        return {"mean": torch.from_numpy(self.mean)}

    def _restore(self, state):
        self.mean = state["mean"].numpy()
"""


def test_a_detector_of_a_third_party_opens_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pagen.detectors]\nmean = their_detector:FarFromMean\n")
    (tmp_path / "their_detector.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(DETECTORS, "_table", dict(DETECTORS._table))
    detector = DETECTORS["mean"]().fit(features())
    detector.save(tmp_path / "saved")
    opened = open_detector(tmp_path / "saved")
    assert type(opened).__name__ == "FarFromMean"
    np.testing.assert_array_equal(opened.score_samples(features(seed=1)), detector.score_samples(features(seed=1)))


def test_unknown_names() -> None:
    with pytest.raises(PagenError, match="no detector named 'muld'; did you mean 'mulde'"):
        DETECTORS["muld"]


@pytest.mark.parametrize(
    "detector",
    [
        Neighbours(),
        Mixture(components=1, sample=500),
        MULDE(widths=(4,), scales=2, steps=2, batch=64, components=1, sample=500),
    ],
    ids=["knn", "gmm", "mulde"],
)
def test_fitting_takes_no_more_memory_for_eight_times_the_features(detector: Detector, tmp_path: Path) -> None:
    peaks = []
    for count in (10_000, 80_000):
        np.save(tmp_path / "features.npy", features(count, 16))
        rows = read_array(tmp_path / "features.npy")
        detector.fit(rows[:1000])
        tracemalloc.start()
        detector.fit(rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 80_000 * 8  # a sample of row numbers is drawn from all of them


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_rows_are_those_of_one_array(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
    whole = np.arange(2 * sum(lengths), dtype=np.float32).reshape(-1, 2)
    rows = rows_of(np.split(whole, np.cumsum(lengths)[:-1]))
    assert isinstance(rows, Rows)
    assert len(rows) == len(whole)
    assert rows.width == 2
    indices = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=9)), np.int64)
    np.testing.assert_array_equal(rows.take(indices), whole[indices])
    size = data.draw(st.integers(1, 7))
    pieces = list(rows.pieces(size))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert [len(piece) for piece in pieces[:-1]] == [size] * (len(pieces) - 1)
    sample = rows.sample(size, np.random.default_rng(0))
    assert len(sample) == min(size, len(whole))
    assert (np.diff(sample[:, 0]) > 0).all()
    assert set(sample[:, 0]) <= set(whole[:, 0])
