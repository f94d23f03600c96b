from __future__ import annotations

from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from pagen.eval import localise
from pagen.eval.metrics.bootstrap import bootstrap_interval, paired_auroc
from pagen.eval.metrics.roc import micro_auroc
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
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
