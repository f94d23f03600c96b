from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from pagen.errors import PagenError
from pagen.eval.protocol import Protocol, apply
from pagen.eval.protocols import CAUSAL, PROTOCOLS, RAW, protocols_named
from pagen.footage.windows import Windows
from pagen.scoring.sliding import frames_of_maps

PED2 = (180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180)
# first and last abnormal frame of each Ped2 test video
SPANS = ((60, 179), (94, 179), (0, 145), (30, 179), (0, 128), (0, 158), (45, 179), *((0, 179),) * 4, (87, 179))


def ped2() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    scores = {f"test_{index + 1:02}": rng.normal(size=length) for index, length in enumerate(PED2)}
    labels = {}
    for (name, values), (first, last) in zip(scores.items(), SPANS, strict=True):
        frame = np.arange(len(values))
        labels[name] = ((frame >= first) & (frame <= last)).astype(np.uint8)
    return scores, labels


COUNTS = {
    "raw": (2010, 1648),
    "causal": (2010, 1648),
    "lntra": (1830, 1526),
    "luss": (1818, 1536),
    "luss_released": (1818, 1536),
    "unified_pa": (122, 100),
    "mulde": (2010, 1648),
    "accivad": (2010, 1648),
}


def alone(protocol: Protocol, scores: dict[str, Any], labels: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return apply(protocol, {"psnr": scores}, labels)


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_counts_on_ped2_are_the_published_ones(name: str) -> None:
    scores, labels = alone(PROTOCOLS[name], *ped2())
    assert sum(map(len, scores.values())) == sum(map(len, labels.values())) == COUNTS[name][0]
    assert sum(int(marks.sum()) for marks in labels.values()) == COUNTS[name][1]


def test_lntra_keeps_the_frames_whose_windows_lie_inside() -> None:
    windows = Windows(16, 8)
    frames = [start + windows.scored for start in windows.inside(120)]
    kept, _ = alone(PROTOCOLS["lntra"].raw(), {"a": np.arange(120.0)}, {"a": np.zeros(120, int)})
    np.testing.assert_array_equal(kept["a"], frames)


def test_the_unified_papers_frames_are_the_ninth_of_windows_that_do_not_overlap() -> None:
    kept, _ = alone(PROTOCOLS["unified_pa"].raw(), {"a": np.arange(70.0)}, {"a": np.zeros(70, int)})
    np.testing.assert_array_equal(kept["a"], [8, 24, 40, 56])


def test_lntra_stretches_after_dropping() -> None:
    scores = np.arange(30.0)
    scores[3] = 1000  # a dropped frame must not squeeze the others
    kept, _ = alone(PROTOCOLS["lntra"], {"a": scores}, {"a": np.zeros(30, int)})
    np.testing.assert_allclose(kept["a"], np.linspace(0, 1, 15), rtol=1e-12)


def test_a_video_without_a_whole_window_is_left_out() -> None:
    scores = {"short": np.arange(15.0), "long": np.arange(16.0), "tiny": np.arange(3.0)}
    labels = {name: np.zeros(len(values), int) for name, values in scores.items()}
    kept, marks = alone(PROTOCOLS["lntra"], scores, labels)
    assert {name: len(values) for name, values in kept.items()} == {"long": 1}
    assert kept.keys() == marks.keys()


def luss_parts(length: int) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(length)
    parts = {"vcr": rng.normal(-20, 3, length), "ffp": rng.normal(-25, 2, length), "prp": rng.normal(0, 4, length)}
    return {name: {"a": values} for name, values in parts.items()}, {"a": np.arange(length) % 2}


@pytest.mark.parametrize(
    ("protocol", "dataset", "weights"),
    [
        (PROTOCOLS["luss"], "ped2", (0.1, 0.8, 1.0)),
        (PROTOCOLS["luss"], "street", (1, 1, 1)),
        (PROTOCOLS["luss_released"], "ped2", (0.2, 0.2, 0.9)),
    ],
)
def test_luss_is_equations_12_to_16(protocol: Protocol, dataset: str, weights: tuple[float, ...]) -> None:
    parts, labels = luss_parts(60)
    found, _ = apply(protocol, parts, labels, dataset, {name: {} for name in parts})
    errors = [4 * 10 ** (parts[name]["a"][16:] / 10) for name in ("vcr", "ffp")]
    chance = 1 / (1 + np.exp(-parts["prp"]["a"][16:]))

    def robust(values: np.ndarray) -> np.ndarray:
        return (values - np.median(values)) / (np.percentile(values, 99) - np.percentile(values, 1))

    stretched = (chance - chance.min()) / np.ptp(chance)
    last = stretched if protocol is PROTOCOLS["luss_released"] else robust(chance)
    total = sum(w * part for w, part in zip(weights, (robust(errors[0]), robust(errors[1]), last), strict=True))
    np.testing.assert_allclose(found["a"], total / sum(weights), rtol=1e-9)


def test_mulde_adds_up_what_is_above_the_training_mean() -> None:
    parts = {"one": {"a": np.array([0.0, 3.0, 5.0])}, "two": {"a": np.array([9.0, 10.0, 14.0])}}
    known = {"one": {"mean": 1.0, "std": 2.0}, "two": {"mean": 10.0, "std": 4.0}}
    found, _ = apply(replace(PROTOCOLS["mulde"], smooth="none"), parts, {"a": np.zeros(3, int)}, calibration=known)
    np.testing.assert_allclose(found["a"], [0.0, (1 + 0) / 2, (2 + 1) / 2])


def test_accivad_divides_by_the_training_range_and_reflects_the_ends() -> None:
    values = np.random.default_rng(0).normal(size=50)
    parts = {"one": {"a": values}, "two": {"a": values**2}}
    known = {"one": {"p0": -1.0, "p100": 3.0}, "two": {"p0": 0.0, "p100": 2.0}}
    found, _ = apply(PROTOCOLS["accivad"], parts, {"a": np.zeros(50, int)}, "shanghaitech", known)
    expected = gaussian_filter1d(((values + 1) / 4 + values**2 / 2) / 2, 7)
    np.testing.assert_allclose(found["a"], expected, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_protocols_that_do_not_look_ahead_do_not_know_what_comes(known: int, more: int) -> None:
    parts, labels = luss_parts(known + more)
    shorter = {name: {"a": values["a"][:known]} for name, values in parts.items()}
    calibration = {name: {"p1": -30.0, "median": 0.0, "p99": 30.0} for name in parts}
    causal = [PROTOCOLS[name] for name in PROTOCOLS.names() if not PROTOCOLS[name].looks_ahead]
    assert CAUSAL in causal
    for protocol in causal:
        whole, _ = apply(protocol, parts, labels, calibration=calibration)
        prefix, _ = apply(protocol, shorter, {"a": labels["a"][:known]}, calibration=calibration)
        np.testing.assert_array_equal(prefix["a"], whole["a"][:known])


def test_videos_do_not_touch_each_other() -> None:
    scores, labels = ped2()
    together, _ = alone(CAUSAL, scores, labels)
    for name in scores:
        one, _ = alone(CAUSAL, {name: scores[name]}, {name: labels[name]})
        np.testing.assert_array_equal(one[name], together[name])


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_every_protocol_is_whole(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert "Scored: " in protocol.title("ped2")
    assert "looks ahead" in protocol.title("ped2")
    kept, marks = alone(protocol, *ped2())
    assert all(len(kept[video]) == len(marks[video]) > 0 and np.isfinite(kept[video]).all() for video in kept)
    raw, _ = alone(protocol.raw(), *ped2())
    scores = ped2()[0]["test_01"]
    assert set(raw["test_01"]) <= set(scores)


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(PagenError, match="video a: expected a label for each of 3 scores, found 2"):
        alone(CAUSAL, {"a": np.arange(3.0)}, {"a": np.zeros(2, int)})


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "NaN"), (-np.inf, "-inf")])
def test_what_is_not_finite_is_named_with_its_video_and_frame(value: float, shown: str) -> None:
    scores, labels = ped2()
    scores["test_03"][17] = value
    words = f"video test_03: expected finite scores, one for each of 150 frames, found {shown} at frame 17"
    with pytest.raises(PagenError, match=words):
        alone(CAUSAL, scores, labels)


def test_a_video_without_labels_is_named() -> None:
    scores, labels = ped2()
    del labels["test_03"]
    with pytest.raises(PagenError, match="no labelled video named 'test_03'"):
        alone(CAUSAL, scores, labels)


def test_raw_changes_nothing_and_adds_nothing_up() -> None:
    scores, labels = ped2()
    kept, marks = alone(RAW, scores, labels)
    for name in scores:
        np.testing.assert_array_equal(kept[name], scores[name])
        np.testing.assert_array_equal(marks[name], labels[name])
    assert RAW.fused == {}
    assert RAW.title(windows=False).endswith("Scored: all frames. Rescaling: none. Smoothing: none.")
    assert "fused: less" in CAUSAL.title()


def test_a_file_holds_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"policy": "mean", "smooth": "causal", "sigma": {"*": 3}, "fused": {"luss": ["vcr", "prp"]}})
    )
    mine, causal = protocols_named([str(path), "causal"])
    assert (mine.name, mine.policy, mine.sigma_on("ped2"), mine.looks_ahead) == ("mine", "mean", 3, True)
    assert causal is CAUSAL
    assert [one.name for one in protocols_named(["all"])] == sorted(COUNTS)
    kept, _ = alone(mine, *ped2())
    assert sum(map(len, kept.values())) == 2010


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a protocol as a JSON file"),
        ("[1]", "expected a JSON object with the fields of a protocol"),
        ('{"polisy": "mean"}', "did you mean 'policy'"),
        ('{"policy": "men"}', "did you mean 'mean'"),
        ('{"each_of": {"prp": "robst"}}', "did you mean 'robust'"),
        ('{"every": true}', "expected a whole number for every"),
        ('{"every": 0}', "every of 1 and more"),
        ('{"smooth": "causal"}', "expected widths above 0 frames"),
        ('{"sigma": 3}', "expected an object for sigma"),
    ],
)
def test_what_is_no_protocol_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(PagenError, match=words):
        protocols_named([str(tmp_path / "mine.json")])


@pytest.mark.parametrize("verb", ["evaluate", "report.report"])
def test_the_help_names_every_protocol_of_ours(verb: str) -> None:
    source = Path(str(import_module(f"pagen.eval.{verb}").__file__)).read_text("utf-8")
    (names,) = re.findall(r"Protocols? \(([a-z_ ]+)\)", source)
    assert sorted(names.split()) == PROTOCOLS.names()


def test_the_page_that_errors_point_at_lists_every_field_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs/definitions.md").read_text("utf-8")
    (table,) = re.findall(r"\| field \| default \| meaning \|\n.*?\n\n", page, re.DOTALL)
    rows = [line.split(" | ") for line in table.splitlines()[2:-1]]
    defaults = {name: default.strip("`") for names, default, _ in rows for name in re.findall(r"`(\w+)`", names)}
    plain = asdict(Protocol("", ""))
    assert list(defaults) == list(plain)
    for name in set(plain) - {"name", "why", "fused"}:
        assert json.loads(defaults[name]) == plain[name]


def test_a_map_scores_the_frame_that_it_leads_to() -> None:
    np.testing.assert_array_equal(frames_of_maps(np.array([5.0, 6.0, 7.0])), [5, 5, 6, 7])
    assert sum(len(frames_of_maps(np.zeros(length - 1))) for length in PED2) == 2010
