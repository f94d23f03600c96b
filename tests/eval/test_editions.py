"""Editions of labels: each by name, all in one table, read without preparing or scoring anything again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.console import as_json
from pagen.errors import PagenError
from pagen.eval import render
from pagen.eval.evaluate import Evaluate, run
from pagen.eval.evaluation import evaluate
from pagen.eval.figures.draw import KINDS
from pagen.eval.figures.figure import Figure
from pagen.eval.figures.figure import run as run_figure
from pagen.eval.figures.request import request_of
from pagen.eval.labelled import labelled, labelled_by_each
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report.report import Report
from pagen.eval.report.report import run as run_report
from pagen.eval.scores import open_scores
from pagen.eval.settings import EvaluationSettings
from pagen.eval.transfer.transfer import Transfer, editions_of
from pagen.eval.transfer.transfer import run as run_transfer
from pagen.folders import tree_hash
from pagen.manifest import cache_folder

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]
MakeRun = Callable[..., Path]
CSV, NPY = "labels.csv", "labels/*.npy"


def here(footage: Path) -> Compute:
    return Compute(footage, "cpu", 0)


@pytest.fixture
def footage(footage: Path) -> Path:
    """The footage with labels of a second edition, which comes first: x is abnormal earlier, y not at all."""
    (footage / CSV).write_text("video,start_frame,end_frame\nx,10,20\ny,,\n")
    return footage


def marks(edition: str) -> dict[str, np.ndarray]:
    """The labels as the files say."""
    x, y = np.zeros(30, np.uint8), np.zeros(5, np.uint8)
    if edition == CSV:
        x[10:20] = 1
    else:
        x[15:], y[2:] = 1, 1
    return {"test_x": x, "test_y": y}


def together(part: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([part["test_x"], part["test_y"]])


def lying(path: Path) -> dict[str, int]:
    """When each file below a folder was written, but what is remembered of footage as soon as that is old enough."""
    files = {str(file.relative_to(path)): file for file in path.rglob("*") if file.is_file()}
    return {name: file.stat().st_mtime_ns for name, file in files.items() if not name.startswith("content/")}


def test_each_edition_is_read_and_the_first_is_the_default(footage: Path) -> None:
    every = labelled_by_each("folder", here(footage), "all")
    assert [one.edition for one in every] == [CSV, NPY]
    for one in (*every, labelled("folder", here(footage), NPY), labelled("folder", here(footage))):
        assert {name: each.tolist() for name, each in one.labels.items()} == {
            name: each.tolist() for name, each in marks(one.edition).items()
        }
    assert labelled("folder", here(footage)).edition == CSV


def test_a_table_of_each_edition_is_what_scikit_learn_says_by_its_labels(footage: Path, make_run: MakeRun) -> None:
    path = make_run()
    found = evaluate(
        [path], "folder", ["raw", "causal"], EvaluationSettings(labels="all"), here(footage), by_event=True
    )
    assert [(table.protocol, table.label_edition) for table in found.tables] == [
        *(("raw", CSV), ("raw", NPY), ("causal", CSV), ("causal", NPY)),
    ]
    scores = open_scores(path / "scores/folder/last")
    for table, events, series in zip(found.tables, found.by_event, found.series, strict=True):
        assert f"Labels: {table.label_edition}." in table.title
        row = next(row for row in table.rows if row.indicator == "psnr")
        protocol, truth = PROTOCOLS[table.protocol], marks(table.label_edition)
        final, _ = apply(protocol, {"psnr": scores.of("psnr")}, truth)
        assert row.micro == pytest.approx(roc_auc_score(together(truth), together(final)), abs=1e-12)
        assert row.videos_used == {CSV: 1, NPY: 2}[table.label_edition]
        assert (events.label_edition, events.normal) == (table.label_edition, int((together(truth) == 0).sum()))
        assert series[0].labels.keys() == truth.keys()
    assert found.label_edition == f"{CSV}; {NPY}"


def test_one_edition_by_name_gives_its_rows_of_all(footage: Path, make_run: MakeRun) -> None:
    path = make_run()
    every = evaluate([path], "folder", settings=EvaluationSettings(labels="all"), compute=here(footage))
    before = lying(path / "scores"), lying(cache_folder())
    for table in every.tables:
        how = EvaluationSettings(labels=table.label_edition)
        (alone,) = evaluate([path], "folder", settings=how, compute=here(footage)).tables
        assert as_json(asdict(alone)) == as_json(asdict(table))
    (default,) = evaluate([path], "folder", compute=here(footage)).tables
    assert as_json(asdict(default)) == as_json(asdict(every.tables[0]))
    assert (lying(path / "scores"), lying(cache_folder())) == before  # nothing is scored or prepared again


def test_the_verb_prints_a_row_for_each(footage: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    config = Evaluate((make_run(),), "folder", footage, labels="all", device="cpu", workers=0)
    run(replace(config, write=footage / "page.md"))
    text, page = capsys.readouterr().out, (footage / "page.md").read_text()
    header, *rows = text[text.index("run  ") :].splitlines()[:9]
    assert header.split()[:3] == ["run", "indicator", "labels"]
    shown = [(row.split()[-12:], row) for row in rows[:8]]
    assert [CSV in row for _, row in shown] == [True, False] * 4
    assert [NPY in row for _, row in shown] == [False, True] * 4
    assert f"Labels: {CSV}; {NPY}." in page
    assert f"| flow_speed | {NPY} |" in page
    assert "--labels all" in page
    assert "At a glance" not in page
    run(replace(config, json=True, protocol=("raw", "causal"), write=footage / "page.md"))
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert [table["label_edition"] for table in tables] == [CSV, NPY] * 2
    assert f"| run | indicator | raw, {CSV} | raw, {NPY} | causal, {CSV} |" in (footage / "page.md").read_text()


def test_one_edition_needs_no_column_and_stands_in_the_title(footage: Path) -> None:
    found = evaluate([], "folder", settings=EvaluationSettings(labels=NPY), compute=here(footage))
    text = render.text(found)
    assert text.startswith(f"folder, labels: {NPY}; bootstrap")
    assert f"Labels: {NPY}." in text
    assert "indicator         micro" in text


def test_an_edition_that_is_not_there_is_named_with_those_that_are(footage: Path) -> None:
    with pytest.raises(
        PagenError, match=r"no edition of labels of folder named 'labels.cvs'; did you mean 'labels.csv'"
    ):
        evaluate([], "folder", settings=EvaluationSettings(labels="labels.cvs"), compute=here(footage))


def test_an_edition_that_lacks_a_clip_or_does_not_fit_is_told(footage: Path) -> None:
    (footage / "labels/y.npy").unlink()
    with pytest.raises(PagenError, match=r"edition labels/\*\.npy for the 2 test clips .* none for 1 \(test_y"):
        labelled("folder", here(footage), NPY)
    np.save(footage / "labels/y.npy", np.zeros(6, np.uint8))
    with pytest.raises(PagenError, match="6"):
        labelled("folder", here(footage), NPY)
    np.save(footage / "labels/x.npy", np.ones(30, np.uint8))
    np.save(footage / "labels/y.npy", np.ones(5, np.uint8))
    with pytest.raises(PagenError, match="all 35 test frames of folder are labelled abnormal"):
        labelled("folder", here(footage), NPY)


def test_a_report_is_of_the_edition_asked_for(
    footage: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = make_run(), make_run(1, "other")
    for runs in ((first,), (first, second)):
        path = tmp_path / f"{len(runs)}.html"
        config = Report(runs, "folder", footage, labels=NPY, out=path, device="cpu", workers=0)
        run_report(config)
        page = path.read_text("utf-8")
        assert f"labels: {NPY}." in page
        assert '"spans": [[15, 30]]' in page
        with pytest.raises(PagenError, match=r"expected one edition .* found all; choose one of labels.csv labels/"):
            run_report(replace(config, labels="all"))
        run_report(replace(config, labels=""))
        assert '"spans": [[10, 20]]' in path.read_text("utf-8")
    capsys.readouterr()


def test_a_figure_is_of_the_edition_asked_for(
    footage: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = make_run(), tmp_path / "f.png"
    config = Figure("scores", (path,), "folder", out, footage, labels=NPY, device="cpu", workers=0, json=True)
    run_figure(config)
    about = json.loads(capsys.readouterr().out)
    assert about["label_edition"] == NPY
    (table,) = evaluate([path], "folder", settings=EvaluationSettings(labels=NPY), compute=here(footage)).tables
    assert about["micro"]["run"] == next(row.micro for row in table.rows if row.indicator == "psnr_local")
    for edition, spans in ((NPY, [(15, 30)]), ("", [(10, 20)])):
        asked = request_of((path,), "folder", (), (), "causal", here(footage), (), KINDS["scores"].width, edition)
        assert asked.spans("test_x") == spans
    with pytest.raises(PagenError, match="found all; choose one of"):
        run_figure(replace(config, labels="all"))


def test_a_transfer_takes_an_edition_for_each_data_set(
    footage: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Transfer((make_run(),), ("folder",), (footage,), labels=(NPY,), device="cpu", workers=0, json=True)
    run_transfer(config)
    found = json.loads(capsys.readouterr().out)
    assert found["label_editions"] == {"folder": NPY}
    run_transfer(replace(config, labels=(f"folder={CSV}",)))
    other = json.loads(capsys.readouterr().out)
    assert other["label_editions"] == {"folder": CSV}
    rows = [each["lines"][-1]["rows"]["folder"]["micro"] for each in (found, other)]
    assert rows[0] != rows[1]
    many = replace(config, datasets=("avenue", "ped2"), labels=("avenue=volLabel", "ped2=masks"))
    assert editions_of(many) == {"avenue": ("volLabel",), "ped2": ("masks",)}
    with pytest.raises(PagenError, match="expected DATASET=EDITION as --labels, of folder, found street=a; name one"):
        editions_of(replace(config, labels=("street=a",)))


def test_choices_are_made_on_one_set_and_figures_are_of_another(
    footage: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run()
    config = Evaluate((path,), "folder", footage, choose_on="street", device="cpu", workers=0, json=True)
    run(config)
    found = json.loads(capsys.readouterr().out)
    assert found["chosen_on"] == {"dataset": "street", "label_edition": "procedural", "clips": 8}
    (table,) = found["tables"]
    assert "Chosen on street (8 test clips, labels: procedural) by micro AUROC: flow_speed: sigma" in table["title"]
    assert all(row["choice"]["micro"] > 0 for row in table["rows"])
    assert (path / "scores/street/last").is_dir()
    before = tree_hash(path / "scores")
    np.save(footage / "labels/x.npy", 1 - marks(NPY)["test_x"])
    run(replace(config, labels=NPY))
    (other,) = json.loads(capsys.readouterr().out)["tables"]
    assert [row["choice"] for row in other["rows"]] == [row["choice"] for row in table["rows"]]
    assert tree_hash(path / "scores") == before


def test_a_set_that_shares_test_clips_is_refused_whatever_it_is_called(footage: Path) -> None:
    (footage / CSV).write_text("video,start_frame,end_frame\nx,10,20\ny,2,5\n")
    config = Evaluate((), "folder", footage, device="cpu", workers=0)
    with pytest.raises(PagenError, match="no test clip with folder, found the same data set; choose on another one"):
        run(replace(config, choose_on="folder"))
    with pytest.raises(PagenError, match="with folder, found folder:mixed, which shares 1 with it; choose"):
        run(replace(config, choose_on="folder:mixed"))
    with pytest.raises(PagenError, match="expected --choose-on with --choose-root, which says where"):
        run(replace(config, choose_root=footage))


def test_of_several_states_of_a_training_the_one_that_is_best_on_the_other_set_is_measured(
    footage: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    (footage / CSV).write_text("video,start_frame,end_frame\nx,10,20\ny,2,5\n")
    how = EvaluationSettings(choose_on="street:square")
    states = {name: make_run(weights, name) for weights, name in enumerate(("last", "best"))}
    alone = {name: evaluate([path], "folder", settings=how, compute=here(footage)) for name, path in states.items()}
    run_ = make_run(0, "run")
    make_run(1, "run/checkpoints/best")
    (table,) = evaluate([run_], "folder", settings=how, compute=here(footage)).tables
    rows = {name: found.tables[0].rows[2:] for name, found in alone.items()}
    led = {name: of[1].choice.micro for name, of in rows.items() if of[1].choice}
    assert [row.indicator for row in rows["last"]] == ["psnr", "psnr_local"]
    assert len(set(led.values())) == 2
    winner = max(led, key=led.__getitem__)
    for row, one in zip(table.rows[2:], rows[winner], strict=True):
        assert row.choice is not None
        assert one.choice is not None
        assert row.choice == replace(one.choice, checkpoint=winner)
        assert (row.run, row.micro) == (str(run_), one.micro)
    assert f"{run_}: sigma {table.rows[3].choice.sigma:g} frames, checkpoint {winner}." in table.title
    assert rows["last"][0].choice.checkpoint == ""
    capsys.readouterr()


def test_what_cannot_be_tested_on_is_told_before_anything_is_prepared(footage: Path) -> None:
    before = lying(cache_folder())
    with pytest.raises(PagenError, match=r"no edition of labels of folder named .nix.; known: labels\.csv labels/"):
        labelled_by_each("folder", here(footage), "nix")
    with pytest.raises(PagenError, match="found none; test on each data set by itself"):
        labelled_by_each("street+street:square", Compute(device="cpu", workers=0))
    assert lying(cache_folder()) == before
