from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from pagen import cli
from pagen.errors import PagenError
from pagen.eval.protocol import STRICT, Protocol, apply
from pagen.eval.protocol_title import Scored, title_of
from pagen.eval.protocols import CAUSAL, PROTOCOLS, RAW
from pagen.footage.windows import Windows
from pagen.scoring.rescale import TRAINED, of_objects, summary
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
    "robust_causal": (2010, 1648),
    "lntra": (1830, 1526),
    "luss": (1818, 1536),
    "luss_released": (1818, 1536),
    "unified_pa": (122, 100),
    "unified_pa_without_d": (122, 100),
    "mulde": (2010, 1648),
    "accivad": (2010, 1648),
    "accivad_frames": (2010, 1648),
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


def test_mulde_adds_up_what_is_above_the_training_mean() -> None:
    parts = {"one": {"a": np.array([0.0, 3.0, 5.0])}, "two": {"a": np.array([9.0, 10.0, 14.0])}}
    known = {"one": {"mean": 1.0, "std": 2.0}, "two": {"mean": 10.0, "std": 4.0}}
    found, _ = apply(replace(PROTOCOLS["mulde"], smooth="none"), parts, {"a": np.zeros(3, int)}, calibration=known)
    np.testing.assert_allclose(found["a"], [0.0, (1 + 0) / 2, (2 + 1) / 2])


def test_a_kind_alone_is_cut_off_before_it_is_smoothed() -> None:
    """MULDE's supplement: frame scores of one kind are standardised and clipped like those of several."""
    values, known = np.array([0.0, 2.0, 9.0, 0.5, 3.0]), {"mean": 2.0, "std": 4.0}
    found, _ = apply(PROTOCOLS["mulde"], {"deep": {"a": values}}, {"a": np.zeros(5, int)}, calibration={"deep": known})
    expected = gaussian_filter1d(np.maximum((values - 2) / 4, 0), 3, mode="nearest")
    np.testing.assert_allclose(found["a"], expected, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.sampled_from(sorted(TRAINED)), st.integers(0, 9))
def test_what_is_left_out_of_an_indicator_alone_changes_no_order(scores: list[int], each: str, seed: int) -> None:
    """Rescaling alone either does what it does among others, or keeps every order and every tie."""
    values, training = np.array(scores, float), np.random.default_rng(seed).normal(0, 300, 50)
    known = {"deep": summary(training) | of_objects(training)}
    labels = {"a": np.zeros(len(values), int)}
    protocol = replace(RAW, each=each)
    alone, _ = apply(protocol, {"deep": {"a": values}}, labels, calibration=known)
    among, _ = apply(protocol, {"deep": {"a": values}, "x": {"a": values}}, labels, "", {**known, "x": known["deep"]})
    if not np.allclose(alone["a"], among["a"], rtol=1e-9):
        assert each in STRICT
        pairs = [np.sign(np.subtract.outer(one["a"], one["a"])) for one in (alone, among)]
        np.testing.assert_array_equal(*pairs)


def test_accivad_divides_by_the_training_range_and_reflects_the_ends() -> None:
    values = np.random.default_rng(0).normal(size=50)
    parts = {"one": {"a": values}, "two": {"a": values**2}}
    known = {"one": {"p0": -1.0, "p100": 3.0}, "two": {"p0": 0.0, "p100": 2.0}}
    expected = gaussian_filter1d(((values + 1) / 4 + values**2 / 2) / 2, 7)
    for name in ("accivad", "accivad_frames"):
        found, _ = apply(PROTOCOLS[name], parts, {"a": np.zeros(50, int)}, "shanghaitech", known)
        np.testing.assert_allclose(found["a"], expected, rtol=1e-9)


def test_accivad_takes_the_range_of_all_training_objects() -> None:
    """Of deep up to the highest, of velocity up to percentile 99.9, as released."""
    objects = {name: np.random.default_rng(seed).gamma(2, size=3000) for seed, name in enumerate(("deep", "velocity"))}
    frames = {name: values.reshape(-1, 10).max(axis=1) for name, values in objects.items()}
    known = {name: summary(frames[name]) | of_objects(objects[name]) for name in objects}
    parts = {name: {"a": np.random.default_rng(7).gamma(2, size=40)} for name in objects}
    plain = replace(PROTOCOLS["accivad"], smooth="none"), replace(PROTOCOLS["accivad_frames"], smooth="none")
    released, ours = (apply(one, parts, {"a": np.zeros(40, int)}, calibration=known)[0]["a"] for one in plain)
    highest = {"deep": objects["deep"].max(), "velocity": np.percentile(objects["velocity"], 99.9)}
    lowest = {name: values.min() for name, values in objects.items()}
    each = [(parts[name]["a"] - lowest[name]) / (highest[name] - lowest[name]) for name in objects]
    np.testing.assert_allclose(released, np.mean(each, axis=0), rtol=1e-12)
    of_frames = [(parts[name]["a"] - values.min()) / np.ptp(values) for name, values in frames.items()]
    np.testing.assert_allclose(ours, np.mean(of_frames, axis=0), rtol=1e-12)


def test_a_run_that_knows_no_objects_is_told_what_to_do() -> None:
    parts = {name: {"a": np.arange(4.0)} for name in ("deep", "velocity")}
    known = {name: summary(np.arange(9.0)) for name in parts}
    with pytest.raises(PagenError, match=r"training frames alone; train .* --overwrite, or take .* accivad_frames"):
        apply(PROTOCOLS["accivad"], parts, {"a": np.zeros(4, int)}, calibration=known)
    apply(PROTOCOLS["accivad_frames"], parts, {"a": np.zeros(4, int)}, calibration=known)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_protocols_that_do_not_look_ahead_do_not_know_what_comes(known: int, more: int) -> None:
    parts, labels = luss_parts(known + more)
    shorter = {name: {"a": values["a"][:known]} for name, values in parts.items()}
    calibration = {name: {"p1": -30.0, "median": 0.0, "p99": 30.0} for name in parts}
    causal = [PROTOCOLS[name] for name in PROTOCOLS.names() if not PROTOCOLS[name].looks_ahead]
    assert {"raw", "causal", "robust_causal"} == {protocol.name for protocol in causal}
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
    assert "Scored: " in title_of(protocol, Scored("ped2"))
    assert "looks ahead" in title_of(protocol, Scored("ped2"))
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
    scored = "Scored: all frames. Rescaling: none. Smoothing: none."
    assert title_of(RAW, Scored(windows=False)).endswith(scored)
    assert "fused: less" in title_of(CAUSAL, Scored())


@pytest.mark.parametrize("verb", ["evaluate", "report", "figure", "transfer"])
def test_the_help_names_every_protocol_of_ours(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.dispatch([verb, "--help"])
    (names,) = re.findall(r"Protocols? \(([a-z_\s]+)\)", re.sub(r"[│\s]+", " ", capsys.readouterr().out))
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
