from __future__ import annotations

from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.eval import localise
from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.results import TRIVIAL
from pagen.eval.scores import Scores
from pagen.eval.series import series_of
from pagen.eval.settings import DRAWS, EvaluationSettings
from pagen.eval.tables import table_of
from pagen.seeds import generator

LENGTHS = {"b": 30, "a": 21, "d": 25, "c": 40}


def drawn(seed: int) -> Scores:
    """Scores with ties of four videos, one without an abnormal frame; the labels in another order."""
    rng = np.random.default_rng(seed)
    labels = {name: (np.arange(length) > length // 2).astype(np.uint8) for name, length in LENGTHS.items()}
    labels["d"][:] = 0
    clips = {name: {"score": rng.normal(labels[name]).round(1)} for name in sorted(labels, reverse=True)}
    return Scores(Path(f"{seed}.npz"), {}, clips, labels)


@pytest.mark.parametrize("protocol", ["raw", "lntra"])
def test_intervals_of_a_row_are_those_of_each_by_itself(protocol: str) -> None:
    how, runs = EvaluationSettings("ped2", 10.0, seed=3), [(str(seed), drawn(seed)) for seed in range(3)]
    rows = table_of(PROTOCOLS[protocol], series_of(PROTOCOLS[protocol], runs, how), how).rows
    final = [apply(PROTOCOLS[protocol], {"score": run.of("score")}, run.labels, "ped2") for _, run in runs]
    for row, (scores, labels) in zip(rows, final, strict=True):
        assert (row.low, row.high) == bootstrap_interval(scores, labels, generator(3, "bootstrap"))
        over = paired_auroc(scores, final[0][0], labels, generator(3, "bootstrap"))
        assert (row.over, row.over_low, row.over_high) == (over.difference, over.low, over.high)
        assert row.over == row.micro - rows[0].micro == micro_auroc(scores, labels) - micro_auroc(*final[0])
    assert rows[1].over_low < rows[1].over_high


def test_a_row_alone_has_an_interval_and_nothing_to_exceed() -> None:
    settings = EvaluationSettings("ped2", 10.0)
    (row,) = table_of(PROTOCOLS["raw"], series_of(PROTOCOLS["raw"], [("0", drawn(0))], settings), settings).rows
    assert row.low < row.micro < row.high
    assert {reason(value)[:24] for value in (row.over, row.over_low, row.over_high)} == {"one file of scores alone"}


def test_every_interval_is_of_as_many_draws_as_the_legends_say() -> None:
    draws = [signature(measure).parameters["draws"].default for measure in (bootstrap_interval, paired_auroc)]
    assert {*draws, localise.DRAWS} == {DRAWS}


TOLD = [
    (("causal",), {"a": 0, "b": 0}, "; nothing looks ahead.", False),
    (
        ("causal", "robust_causal", "raw"),
        {"a": 0, "b": 7},
        "; it does not look ahead, but what is scored does: b by 7",
        True,
    ),
    (("causal", "raw"), {"a": None, "b": 7}, "does: a by a number of frames that is not known, b by 7 frames.", True),
    (("lntra", "mulde"), {"a": 7, "b": None}, "; it looks ahead.", True),
]


@pytest.mark.parametrize(("protocols", "ahead", "words", "looks_ahead"), TOLD)
def test_a_table_says_what_looks_ahead(
    protocols: tuple[str, ...], ahead: dict[str, int | None], words: str, looks_ahead: bool
) -> None:
    runs = [(TRIVIAL, with_speed(drawn(9)))]
    runs += [(name, replace(drawn(seed), ahead=frames)) for seed, (name, frames) in enumerate(ahead.items())]
    for protocol in map(PROTOCOLS.__getitem__, protocols):
        settings = EvaluationSettings("ped2", 10.0)
        table = table_of(protocol, series_of(protocol, runs, settings), settings)
        assert words in table.title
        assert table.looks_ahead is looks_ahead


def with_speed(scores: Scores) -> Scores:
    """The same as scores of the trivial baseline."""
    return replace(scores, clips={clip: {"flow_speed": of["score"]} for clip, of in scores.clips.items()})


def test_a_published_figure_stands_with_its_source_and_is_of_the_run() -> None:
    recipes: list[dict[str, Any]] = [
        {"recipe": "mulde", "features": "latents:runs/luss"},
        {"recipe": "gcl", "variant": "WS", "features": "lite0"},
        {"recipe": "unified", "members": ["spatial", "temporal", "discriminator"]},
    ]
    runs = [(str(seed), replace(drawn(seed), config={"recipe": recipe})) for seed, recipe in enumerate(recipes)]
    protocol = replace(PROTOCOLS["unified_pa_without_d"], fused={})
    for dataset, words in {
        "ped2": "unified PA's Tables 1 and 2, without D: 93.5 (unified_pa_without_d).",
        "shanghaitech:weak": "GCL's Tables 1 and 2, GCL_WS: 86.2 (unknown protocol).",
    }.items():
        how = EvaluationSettings(dataset, 10.0)
        (note,) = table_of(protocol, series_of(protocol, runs, how), how).notes
        assert note.endswith(f"nearest protocol: {words}")
    how = EvaluationSettings("street", 10.0)
    assert table_of(protocol, series_of(protocol, runs, how), how).notes == ()
