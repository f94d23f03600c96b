"""A protocol, an indicator and a recipe that pagen does not hold, in evaluations, transfers and reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pagen.compute import Compute
from pagen.eval.evaluation import evaluate
from pagen.eval.labelled import labelled
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report.content import content_of, shown_series
from pagen.eval.results import TRIVIAL
from pagen.eval.scores import Scores
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.transfer.transfer import Transfer
from pagen.eval.transfer.transfer import run as transfer
from pagen.folders import write_json
from pagen.scoring.indicator_table import INDICATORS, Indicator

pytestmark = pytest.mark.usefixtures("cache")
MakeRun = Callable[..., Path]
THEIRS = Protocol("theirs", "as others do it", each="min_max", smooth="causal", sigma={"*": 1.0})


@pytest.fixture
def run(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a recipe that names itself what it fuses; the protocol is registered."""
    monkeypatch.setitem(PROTOCOLS._table, "theirs", THEIRS)
    path = make_run(recipe="glow", fused=["psnr", "psnr_local"], dataset="street")
    known = {"p1": -30.0, "median": -20.0, "p99": -5.0}
    write_json(path / "calibration.json", {"psnr": known, "psnr_local": known})
    return path


def test_a_table_and_a_report_lead_with_what_their_recipe_fuses(run: Path, footage: Path) -> None:
    found = evaluate([run], "folder", ["theirs", "causal"], compute=Compute(footage, "cpu", 0))
    for table, series in zip(found.tables, found.series, strict=True):
        assert [(row.run, row.indicator) for row in table.rows] == [(one.run, one.indicator) for one in series]
        assert [row.indicator for row in table.rows[2:]] == ["psnr", "psnr_local", "fused"]
        assert table.rows[-1].recipe == "glow"
    (table, _), (series, _) = found.tables, found.series
    assert [one.indicator for one in shown_series(series)] == ["fused", "psnr_local", "psnr", "flow_speed"]
    assert "series" not in found.plain()
    alone = evaluate([run], "folder", ["theirs"], compute=Compute(footage, "cpu", 0))
    content = content_of(run, THEIRS, alone, labelled("folder", Compute(footage, "cpu", 0)))
    assert (content["protocol"], content["lead"].indicator) == ("theirs", "fused")
    assert content["lead"].micro == table.rows[-1].micro


def test_a_transfer_calibrates_what_their_recipe_fuses(
    run: Path, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transfer(Transfer((run,), ("folder",), (footage,), protocol="causal", calibrate="target", device="cpu", workers=0))
    assert "calibrated by training clips, normal and unlabelled, of the data set tested on" in capsys.readouterr().out
    assert (run / "scores/folder/calibration").is_dir()


def test_their_indicator_is_rescaled_by_its_unit_and_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INDICATORS._table, "glow", Indicator("logit", False, "log-odds that something glows"))
    scores = Scores(Path("scores"), {}, {"a": {"glow": np.array([0.0, 2.0])}}, {"a": np.array([0, 1], np.uint8)})
    protocol = Protocol("theirs", "as others do it", probabilities=True)
    (series,) = series_of(protocol, [("theirs", scores)], EvaluationSettings())
    np.testing.assert_allclose(series.final["a"], [0.5, 1 / (1 + np.exp(-2))])
    np.testing.assert_array_equal(series.raw["a"], [0, 2])
    assert series.run != TRIVIAL
