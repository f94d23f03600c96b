"""Kinds of anomalies, each against all normal frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval import render, render_events
from pagen.eval.by_event import ALL, events_of, frames_against_normal
from pagen.eval.evaluate import Evaluate, require_way, run
from pagen.eval.evaluation import evaluate
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.results import BAR, TRIVIAL, Series

MakeRun = Callable[..., Path]
KINDS = {
    "a": np.array(["", "cart", "cart", "", "fall"]),
    "b": np.array(["fall", "fall", "", "cart + fall", ""]),
    "c": np.array(["", "", ""]),
}


def scores(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 6, len(kinds)).astype(float) for name, kinds in KINDS.items()}


def series(run: str, indicator: str, seed: int) -> Series:
    labels = {name: (kinds != "").astype(np.uint8) for name, kinds in KINDS.items()}
    frames = {name: np.arange(len(kinds)) for name, kinds in KINDS.items()}
    return Series(run, indicator, scores(seed), scores(seed), labels, frames, {})


def test_an_area_is_that_of_one_kind_against_all_normal_frames() -> None:
    every = [series(TRIVIAL, BAR, 0), series("run", "psnr", 1), series("run", "psnr_local", 2)]
    events = events_of(PROTOCOLS["raw"], every, KINDS, seed=0)
    assert events.normal == 7
    assert {(area.run, area.indicator) for area in events.areas} == {(TRIVIAL, BAR), ("run", "psnr_local")}
    assert [area.kind for area in events.areas][:4] == ["cart", "cart + fall", "fall", ALL]
    flat = {seed: np.concatenate([*scores(seed).values()]) for seed in (0, 2)}
    kinds = np.concatenate([*KINDS.values()])
    for area in events.areas:
        values = flat[0 if area.indicator == BAR else 2]
        shows = (kinds != "") if area.kind == ALL else kinds == area.kind
        counts = shows | (kinds == "")
        assert area.micro == pytest.approx(roc_auc_score(shows[counts], values[counts]), abs=1e-12)
        assert area.frames == shows.sum()
        if area.videos > 1:
            assert area.low <= area.high
        else:
            assert reason(area.low) == "one video alone shows it"
    assert {area.kind: area.videos for area in events.areas} == {"cart": 1, "cart + fall": 1, "fall": 2, ALL: 2}


def test_frames_of_other_kinds_are_left_out() -> None:
    left, labels = frames_against_normal(scores(0), KINDS, "cart")
    assert {name: len(values) for name, values in left.items()} == {"a": 4, "b": 2, "c": 3}
    assert labels["a"].tolist() == [0, 1, 1, 0]


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_the_verb_measures_clips_where_no_kinds_are_known(
    footage: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Evaluate((make_run(),), "folder", footage, by_event=True, device="cpu", workers=0, json=True)
    run(config)
    (events,) = json.loads(capsys.readouterr().out)["by_event"]
    areas = {(area["indicator"], area["kind"]): area for area in events["areas"]}
    assert {kind for _, kind in areas} == {"test_x", "test_y", ALL}
    assert (areas["psnr_local", "test_x"]["frames"], areas["psnr_local", "test_y"]["frames"]) == (15, 3)
    assert events["normal"] == 17
    assert areas["psnr_local", "test_x"]["low"] is None
    result = evaluate(config.runs, "folder", ["lntra"], compute=Compute(footage, "cpu", 0), by_event=True)
    (row,) = [row for row in result.tables[0].rows if row.indicator == "psnr_local"]
    (area,) = [area for area in result.by_event[0].areas if (area.indicator, area.kind) == ("psnr_local", ALL)]
    assert area.micro == row.micro
    assert row.frames == result.by_event[0].normal + area.frames
    text, page = render.text(result), render.page(result, render.command(config))
    assert render_events.LEGEND in text
    assert render_events.LEGEND in page
    assert "--by-event" in page
    assert "| test_x | 1 | 8 |" in page


def test_kinds_belong_to_a_data_set() -> None:
    config = Evaluate((), scores=(Path("a.npz"),), labels="l.npy", by_event=True)
    with pytest.raises(PagenError, match="expected no --by-event with --scores, found True; leave it out"):
        require_way(config)
