from __future__ import annotations

import json
import math
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tyro
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.evaluate import Evaluate, run
from pagen.eval.evaluation import evaluate, evaluate_files
from pagen.eval.metrics.undefined import reason
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.render import cells, command, points
from pagen.eval.render import page as page_of
from pagen.eval.results import Row
from pagen.eval.scores import open_scores
from pagen.eval.settings import EvaluationSettings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]
MakeRun = Callable[..., Path]


def here(footage: Path) -> Compute:
    """This process."""
    return Compute(footage, "cpu", 0)


def test_the_table_holds_what_scikit_learn_says_of_the_scores(footage: Path, make_run: MakeRun) -> None:
    path = make_run()
    result = evaluate([path], "folder", ["all"], compute=here(footage))
    assert [table.protocol for table in result.tables] == PROTOCOLS.names()
    tables = {table.protocol: table for table in result.tables}
    causal, lntra = tables["causal"], tables["lntra"]
    assert [row.indicator for row in causal.rows] == ["flow_speed", "frame_difference", "psnr", "psnr_local"]
    assert [row.run for row in causal.rows] == ["trivial baseline", "trivial baseline", str(path), str(path)]
    scores = open_scores(path / "scores" / "folder" / "last")
    frames = [np.concatenate([*part.values()]) for part in (scores.labels, scores.of("psnr"))]
    row = causal.rows[-2]
    assert row.raw == pytest.approx(roc_auc_score(*frames), abs=1e-12)
    areas = [roc_auc_score(scores.labels[name], scores.of("psnr")[name]) for name in scores.clips]
    assert row.videos_used == row.videos == len(areas) == 2
    assert row.low <= row.micro <= row.high
    assert (row.frames, lntra.rows[-2].frames) == (35, 15)
    assert (lntra.rows[-2].videos, lntra.rows[-2].videos_used) == (1, 1)
    assert (row.recipe, row.scale, row.seed, row.trained_on) == ("baseline", "tiny", 0, "folder")


def test_a_run_below_flow_speed_is_told_so(footage: Path, make_run: MakeRun) -> None:
    (table,) = evaluate([make_run()], "folder", compute=here(footage)).tables
    speed, _, *rows = table.rows
    below = [f"{row.run} ({row.indicator})" for row in rows if row.micro < speed.micro]
    assert below[0].endswith("(psnr)")
    some = (f"Below flow_speed, so not beating arithmetic: {', '.join(below)}.",)
    every = ("All of them lie below flow_speed: none has beaten arithmetic.",)
    assert table.notes == (every if len(below) == len(rows) else some)


def test_the_verb_prints_json_without_nan(footage: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(footage / "labels/y.npy", np.ones(5, np.uint8))
    run(Evaluate((make_run(),), "folder", footage, device="cpu", workers=0, json=True))
    printed = capsys.readouterr()
    (table,) = json.loads(printed.out)["tables"]
    assert table["rows"][-1]["videos_used"] == 1
    assert table["looks_ahead"] is False
    assert "scores: " in printed.err


def test_the_verb_writes_a_page_that_says_how_it_came_about(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "results.md"
    config = Evaluate((), "folder", footage, protocol=("all",), workers=0, seed=7, write=page)
    run(config)
    text = page.read_text()
    for part in ("# Frame-level AUROC on folder", "labels/*.npy", "seed 7", "## Protocol causal", "## Protocol lntra"):
        assert part in text
    assert command(config) in text
    assert "| trivial baseline | flow_speed |" in text
    assert "protocol causal: raw scores" in capsys.readouterr().out


def test_several_protocols_are_seen_at_a_glance(tmp_path: Path) -> None:
    np.savez(tmp_path / "scores.npz", a=np.array([2.0, 1, 0, 3]), b=np.array([0.0, 4, 1, 1]))
    np.savez(tmp_path / "labels.npz", a=np.array([0, 1, 0, 1]), b=np.array([0, 1, 0, 0]))
    found = evaluate_files([tmp_path / "scores.npz"], tmp_path / "labels.npz", protocols=["raw", "causal"])
    lines = page_of(found, "pagen evaluate").splitlines()
    raw, causal = (f"{100 * table.rows[0].micro:.1f}" for table in found.tables)
    assert lines[lines.index("## At a glance") + 4 :][:3] == [
        "| run | indicator | raw | causal |",
        "| --- | --- | --- | --- |",
        f"| {tmp_path / 'scores.npz'} | {found.tables[0].rows[0].indicator} | {raw} | {causal} |",
    ]


def test_the_command_line_gives_the_configuration_back() -> None:
    config = Evaluate((Path("a b"), Path("c")), "ped2", protocol=("causal", "lntra"), seed=3, overwrite=True)
    files = Evaluate((), scores=(Path("a.npz"), Path("b c.csv")), labels="d.npy", fps=25.0)
    boxes = Evaluate((), detections=Path("d"), tracks=Path("t"), frames=Path("f.json"))
    for one in (config, files, boxes):
        words = shlex.split(command(one))
        assert words[:2] == ["pagen", "evaluate"]
        assert tyro.cli(Evaluate, args=words[2:]) == one


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (Evaluate(()), "expected one of --dataset NAME .* found none"),
        (Evaluate((Path("run"),)), "expected one of --dataset NAME .* found none"),
        (Evaluate((), "ped2", scores=(Path("a"),)), "found --dataset and --scores"),
        (Evaluate((), scores=(Path("a"),), detections=Path("d")), "found --scores and --detections"),
        (Evaluate((), scores=(Path("a"),)), "expected --labels with --scores, found none"),
        (Evaluate((), detections=Path("d")), "expected --tracks with --detections, found none"),
        (Evaluate((Path("run"),), scores=(Path("a"),), labels="b"), "expected no runs with --scores, found"),
        (Evaluate((), scores=(Path("a"),), labels="b", localise=True), "expected no --localise with --scores"),
        (Evaluate((), scores=(Path("a"),), labels="b", choose_on="street"), "expected no --choose-on with --scores"),
        (Evaluate((), "ped2", choose_on="ped2"), "no test clip with ped2, found the same data set; choose on another"),
        (Evaluate((), "ped2", choose_on="street", weights="oracle"), "--weights published with --choose-on, which"),
        (Evaluate((), "ped2", fps=25.0), "expected no --fps with --dataset"),
        (Evaluate((), "ped2", localise=True, choose_on="street"), "expected no --localise with --choose-on"),
        (Evaluate((), detections=Path("d"), tracks=Path("t")), "found neither"),
    ],
)
def test_what_does_not_belong_together_is_refused(config: Evaluate, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        run(config)


def test_scores_of_files_are_compared_with_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    labels = {name: rng.integers(0, 2, 20) for name in "ab"}
    for file in ("first", "second"):
        np.savez(tmp_path / f"{file}.npz", **{name: rng.normal(marks) for name, marks in labels.items()})
    np.savez(tmp_path / "labels.npz", **labels)
    files = tmp_path / "first.npz", tmp_path / "second.npz"
    run(Evaluate((), scores=files, labels=str(tmp_path / "labels.npz"), write=tmp_path / "page.md"))
    text, page = capsys.readouterr().out, (tmp_path / "page.md").read_text()
    assert "protocol raw: scores as they are" in text
    assert f"over {files[0]}" in text
    assert f"Against `{files[0]}` on the same draws" in page
    assert "flow_speed" not in text + page
    assert "window" not in text + page


def test_one_file_of_scores_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    np.savez(tmp_path / "scores.npz", a=np.array([2.0, 1, 0, 3]))
    np.savez(tmp_path / "labels.npz", a=np.array([0, 1, 0, 1]))
    (table,) = evaluate_files([tmp_path / "scores.npz"], tmp_path / "labels.npz").tables
    (row,) = table.rows
    assert (row.micro, row.run) == (0.75, str(tmp_path / "scores.npz"))
    assert "one file of scores alone" in reason(row.over)
    assert "give --fps" in reason(row.tpr)
    assert points(row)[2:] == ["-"] * 5
    (table,) = evaluate_files(
        [tmp_path / "scores.npz"], tmp_path / "labels.npz", settings=EvaluationSettings(fps=10)
    ).tables
    assert (table.rows[0].event_recall, table.rows[0].tpr) == (0.5, 0.5)


def test_what_is_undefined_is_shown_as_a_dash() -> None:
    nan = math.nan
    row = Row("r", "psnr", 0.98765, nan, nan, 0.5, nan, 0, 1, 2010, *[nan] * 5, nan, -0.01234, nan, nan)
    assert cells(row)[2:9] == ["98.8", "-", "50.0", "- (0/1)", "-", "-", "2,010"]
    assert points(row)[2:] == ["-1.2", "-", "-", "-", "-"]


def test_a_test_split_of_one_class_has_no_auroc(footage: Path) -> None:
    for name, length in (("x", 30), ("y", 5)):
        np.save(footage / f"labels/{name}.npy", np.ones(length, np.uint8))
    with pytest.raises(PagenError, match=r"AUROC is undefined: all 35 test frames of folder are labelled abnormal"):
        evaluate([], "folder", compute=here(footage))


def test_missing_labels_are_asked_for_with_their_place(footage: Path) -> None:
    for file in (footage / "labels").iterdir():
        file.unlink()
    with pytest.raises(PagenError, match=r"none for 2 .* labels.csv or labels/\{clip\}.npy") as caught:
        evaluate([], "folder", compute=here(footage))
    assert str(footage) in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [("(), 'pde2'", "did you mean 'ped2'"), ("(Path('nowhere'),), 'ped2'", "expected a run folder")],
)
def test_names_are_checked_before_torch_is_imported(arguments: str, words: str) -> None:
    code = (
        "import sys; from pathlib import Path; from pagen.errors import PagenError\n"
        "from pagen.eval import evaluate as e\n"
        "assert not {'torch', 'numpy', 'cv2'} & sys.modules.keys()\n"
        f"try: e.run(e.Evaluate({arguments}))\n"
        "except PagenError as error: print(error)\n"
        "assert not {'torch', 'numpy', 'cv2'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert words in done.stdout


def test_unknown_protocols_are_named(footage: Path) -> None:
    with pytest.raises(PagenError, match="no protocol named 'casual'; did you mean 'causal'"):
        evaluate([], "folder", ["casual"], compute=here(footage))


WITHOUT_TORCH = """
import sys
from pagen.cli import main
sys.exit(main(sys.argv[1:]) or ("torch was imported" if "torch" in sys.modules else 0))
"""


@pytest.mark.parametrize("protocol", ["causal", "all"])
def test_scores_that_lie_ready_are_measured_without_torch(
    footage: Path, make_run: MakeRun, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run()
    run(Evaluate((path,), "folder", footage, (protocol,), workers=0, json=True))
    words = ["evaluate", str(path), "--dataset", "folder", "--root", str(footage), "--protocol", protocol, "--json"]
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == capsys.readouterr().out
