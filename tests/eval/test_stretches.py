"""What a break of the clock parts is never held together: recordings with a pause are two, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagen.compute import Compute
from pagen.eval.baselines import score_baselines
from pagen.eval.maps import speed_maps
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.scores import Scores, score_run
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.features.open import open_source
from pagen.features.spec import FeatureSpec
from pagen.footage.clip_input import open_input
from pagen.footage.flow import flow_folder
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.stretches import section_of, stretches_of
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import open_pa_folder
from pagen.train.normal_clips import NormalClips

WriteFolder = Callable[..., Path]
HALVES = (24, 20)
"""Frames before and after the pause."""
MILLISECONDS, PAUSE = 100, 600_000


@pytest.fixture
def paused(write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clips `training/a` and `testing/x` with a pause of ten minutes; `apart`, beside them, has them as two clips."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "paused", {"training/a": sum(HALVES), "testing/x": sum(HALVES)})
    for split, clip, second in (("training", "a", "b"), ("testing", "x", "y")):
        for index, file in enumerate(sorted((root / split / clip).iterdir())):
            later = index >= HALVES[0]
            half = tmp_path / "apart" / split / (second if later else clip)
            half.mkdir(parents=True, exist_ok=True)
            (half / f"{index - later * HALVES[0]:03}.png").write_bytes(file.read_bytes())
            file.rename(file.with_stem(str(1_690_000_000_000 + index * MILLISECONDS + later * PAUSE)))
    return root


@pytest.fixture
def both(paused: Path) -> tuple[Prepared, Prepared]:
    """The footage with the pause, and as two clips."""
    paths = paused, paused.parent / "apart"
    return tuple(prepare("folder", path, (32, 48), workers=0) for path in paths)  # type: ignore[return-value]


@given(st.integers(1, 60), st.data())
def test_stretches_part_a_clip_and_are_found_by_their_names(length: int, data: st.DataObject) -> None:
    breaks = sorted(data.draw(st.sets(st.integers(1, max(1, length - 1)), max_size=6))) if length > 1 else []
    items = {"clip": {"shape": [length, 1, 1, 1], "breaks": breaks}, "clip@7x": {"shape": [9, 1, 1, 1]}}
    sections = [section_of(name, items) for name in stretches_of("clip", breaks)]
    assert {clip for clip, _ in sections} == {"clip"}
    assert [frame for _, section in sections for frame in range(length)[section]] == list(range(length))
    assert [section.start for _, section in sections[1:]] == breaks


def test_clips_are_parted_where_their_clock_breaks(both: tuple[Prepared, Prepared]) -> None:
    paused, apart = both
    assert paused.clips() == ["train_a", "test_x"]
    assert paused.stretches("train") == ["train_a@0", "train_a@24"]
    assert apart.stretches() == apart.clips() == ["train_a", "train_b", "test_x", "test_y"]
    for stretch, clip in zip(paused.stretches(), apart.clips(), strict=True):
        np.testing.assert_array_equal(paused.frames(stretch), apart.frames(clip))
    labels = [paused.labels(stretch) for stretch in paused.stretches("test")]
    np.testing.assert_array_equal(np.concatenate(labels), paused.labels("test_x"))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["frames", "flow"])
def test_no_window_of_training_holds_both_sides(source: str, both: tuple[Prepared, Prepared]) -> None:
    recipe = {"source": source, "flow": "dis", "encoding": "uv", "radius": 8.0}
    windows = []
    for prepared in both:
        names = tuple(prepared.stretches("train"))
        clips = NormalClips(prepared, open_input(recipe, prepared, names), names, 8, seed=0)
        windows.append([clips.source(name)[start : start + 8] for name, start in clips.windows])
    np.testing.assert_array_equal(windows[0], windows[1])


def test_flow_is_between_frames_that_go_on_from_each_other(both: tuple[Prepared, Prepared]) -> None:
    paused, apart = (flow_folder(prepared, prepared.stretches("train"), workers=0) for prepared in both)
    for stretch, clip in (("train_a@0", "train_a"), ("train_a@24", "train_b")):
        np.testing.assert_array_equal(paused.flow(stretch), apart.flow(clip))


def test_pseudo_anomalies_are_made_of_one_side(paused: Path) -> None:
    found = []
    for name in ("paused", "apart"):
        out = paused.parent / f"pa-{name}"
        asked = {"kinds": ("temporal", "skip", "patch"), "length": 8, "size": (32, 48), "workers": 0, "device": "cpu"}
        generate(Generate("folder", paused.parent / name, out=out, **asked))  # type: ignore[arg-type]
        pseudo = open_pa_folder(out)
        found.append([len(pseudo.items(kind, 8)) for kind in pseudo.kinds])
    assert found[0] == found[1]
    assert pseudo.prepared.clips("train") == ["train_a", "train_b"]


@pytest.mark.parametrize("source", ["frames", "flow"])
def test_networks_score_each_side_by_itself(source: str, paused: Path, make_run: Callable[..., Path]) -> None:
    run = make_run(source=source, channels=3 if source == "flow" else 1, window=8, size=[32, 48])
    paths = (paused, paused.parent / "apart")
    assert_joined(*(score_run(run, "folder", Compute(path, "cpu", 0), out=path / "scores") for path in paths))


def test_baselines_score_each_side_by_itself(both: tuple[Prepared, Prepared]) -> None:
    assert_joined(*(score_baselines(prepared, workers=0) for prepared in both))
    whole, *parts = (
        [*speed_maps(prepared, clip)]
        for prepared, clip in zip((both[0], *both[1:] * 2), ("test_x", "test_x", "test_y"), strict=True)
    )
    np.testing.assert_array_equal(whole, parts[0] + parts[1])


def assert_joined(paused: Scores, apart: Scores) -> None:
    for indicator in paused.indicators():
        whole, parts = paused.of(indicator)["test_x"], apart.of(indicator)
        np.testing.assert_allclose(whole, np.concatenate([parts["test_x"], parts["test_y"]]), rtol=1e-6)


@pytest.mark.parametrize("name", ["causal", "luss", "mulde", "lntra"])
@given(breaks=st.sets(st.integers(1, 59), max_size=4), every=st.integers(1, 3))
def test_nothing_is_smoothed_over_a_break(name: str, breaks: set[int], every: int) -> None:
    plain = replace(
        PROTOCOLS[name], each="none", each_of={}, total="none", every=every, dropped_first=0, dropped_last=0
    )
    values, marks = np.random.default_rng(0).normal(size=60), np.zeros(60, np.uint8)
    whole, _ = apply(plain, {"psnr": {"a": values}}, {"a": marks}, breaks={"a": sorted(breaks)})
    numbers, ends = np.arange(60)[::every], [0, *sorted(breaks), 60]
    sides = [values[numbers[(start <= numbers) & (numbers < end)]] for start, end in pairwise(ends)]
    once = replace(plain, every=1)
    parts = [
        apply(once, {"psnr": {"a": side}}, {"a": np.zeros(len(side), np.uint8)})[0]["a"] for side in sides if len(side)
    ]
    np.testing.assert_allclose(whole["a"], np.concatenate(parts))


def test_tables_are_of_scores_that_are_smoothed_on_each_side(paused: Path, make_run: Callable[..., Path]) -> None:
    run = make_run(window=8, size=[32, 48])
    found = []
    for path in (paused, paused.parent / "apart"):
        scores = score_run(run, "folder", Compute(path, "cpu", 0), out=path / "scores")
        marked = replace(
            scores, labels={clip: np.arange(len(values)) % 2 for clip, values in scores.of("psnr").items()}
        )
        found.append(series_of(PROTOCOLS["causal"], [("run", marked)], EvaluationSettings()))
    for whole, apart in zip(*found, strict=True):
        np.testing.assert_allclose(whole.final["test_x"], np.concatenate([*apart.final.values()]), rtol=1e-6)


def test_features_are_made_of_one_side(paused: Path) -> None:
    source, halves = (
        open_source(FeatureSpec("velocity", boxes="motion"), "folder", Compute(path, "cpu", 0))
        for path in (paused, paused.parent / "apart")
    )
    whole, parts = source("train_a"), [halves("train_a"), halves("train_b")]
    np.testing.assert_array_equal(whole.vectors, np.concatenate([part.vectors for part in parts]))
    np.testing.assert_array_equal(whole.frames, np.concatenate([parts[0].frames, parts[1].frames + HALVES[0]]))
