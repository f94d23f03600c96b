from __future__ import annotations

import json
import math
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import matplotlib.image
import numpy as np
import pytest
import tyro
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.results import Row, headline
from pagen.eval.scores import Scores, open_scores
from pagen.eval.settings import EvaluationSettings
from pagen.eval.transfer.calibrating import calibration_of
from pagen.eval.transfer.heat_map import heat_map
from pagen.eval.transfer.lines import Line
from pagen.eval.transfer.results import Transferred, text
from pagen.eval.transfer.transfer import Transfer, editions_of, require_roots, run
from pagen.eval.transfer.transferring import transfer as transferred
from pagen.folders import tree_hash, write_json
from pagen.footage.catalogue import DATASETS

pytestmark = pytest.mark.slow

MakeRun = Callable[..., Path]
SOURCE = {"psnr": {"p1": -30.0, "median": -20.0, "p99": -5.0}, "psnr_local": {"p1": -9.0, "median": -8.0, "p99": -1.0}}
FUSED = {"smooth": "none", "fused": {"skip": ["psnr", "psnr_local"]}}


@pytest.fixture
def roots(footage: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Footage of two data sets, `alley` in grey, and `plaza`: larger, in colour, brighter, and more in it abnormal."""
    for name in ("alley", "plaza"):
        monkeypatch.setitem(DATASETS._table, name, replace(DATASETS["folder"], name=name))
    other = tmp_path / "plaza"
    shutil.copytree(footage, other)
    for file in other.rglob("*.png"):
        picture = cv2.resize(cv2.imread(str(file)), (48, 32))[::-1]
        cv2.imwrite(str(file), np.minimum(picture * np.array([0.5, 0.9, 1.1]) + 30, 255).astype(np.uint8))
    np.save(other / "labels/x.npy", (np.arange(30) >= 11).astype(np.uint8))
    return footage, other


@pytest.fixture
def pair(make_run: MakeRun) -> tuple[Path, Path]:
    """A run of either data set, of one recipe, scale and seed."""
    runs = [make_run(i, f"of_{name}", recipe="skip", dataset=name) for i, name in enumerate(("alley", "plaza"))]
    for each in runs:
        write_json(each / "calibration.json", SOURCE)
    return runs[0], runs[1]


def asked(runs: tuple[Path, ...], roots: tuple[Path, ...], **changes: Any) -> Transfer:
    return replace(Transfer(runs, ("alley", "plaza"), roots, device="cpu", workers=0), **changes)


def transfer(config: Transfer) -> Transferred:
    """What the verb prints."""
    settings = EvaluationSettings(seed=config.seed, weights=config.weights)
    how = (Compute.of(config), editions_of(config), config.calibrate, config.leave_one_out)
    return transferred(config.runs, require_roots(config), config.protocol, settings, *how)


def frames(scores: Scores, values: dict[str, Any]) -> tuple[Any, Any]:
    return np.concatenate([scores.labels[name] for name in values]), np.concatenate([*values.values()])


def smoothed(values: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    """Plain loop of causal smoothing."""
    means = []
    for t in range(len(values)):
        shares = [math.exp(-(back**2) / (2 * sigma**2)) for back in range(min(t, 8) + 1)]
        means.append(sum(share * values[t - back] for back, share in enumerate(shares)) / sum(shares))
    return np.array(means)


def test_every_cell_is_what_scikit_learn_says_of_the_scores_kept(
    pair: tuple[Path, Path], roots: tuple[Path, Path]
) -> None:
    found = transfer(asked(pair, roots))
    assert [line.run for line in found.lines] == ["trivial baseline", "trivial baseline", *map(str, pair)]
    assert [line.indicator for line in found.lines] == ["flow_speed", "frame_difference", "psnr_local", "psnr_local"]
    assert found.label_editions == {"alley": "labels/*.npy", "plaza": "labels/*.npy"}
    for line, path, home in zip(found.lines[2:], pair, found.datasets, strict=True):
        assert tuple(line.rows) == ("alley", "plaza")
        for target, row in line.rows.items():
            scores = open_scores(path / "scores" / target / "last")
            raw = scores.of("psnr_local")
            assert row.raw == pytest.approx(roc_auc_score(*frames(scores, raw)), abs=1e-12)
            soft = {name: smoothed(values) for name, values in raw.items()}
            assert row.micro == pytest.approx(roc_auc_score(*frames(scores, soft)), abs=1e-12)
            assert row.low <= row.micro <= row.high
            assert (row.trained_on, row.recipe, row.frames) == (home, "skip", 35)
    assert len({row.raw for line in found.lines[2:] for row in line.rows.values()}) == 4


def test_what_a_transfer_loses_is_told_where_a_like_run_was_trained_on_the_target(
    pair: tuple[Path, Path], roots: tuple[Path, Path], make_run: MakeRun
) -> None:
    alone = make_run(2, "alone", dataset="alley", seed=1)
    found = transfer(asked((*pair, alone), roots))
    here, there, other = found.lines[2:]
    assert here.over_trained["plaza"].against == str(pair[1])
    assert here.over_trained["plaza"].micro == here.rows["plaza"].micro - there.rows["plaza"].micro
    assert there.over_trained["alley"].micro == there.rows["alley"].micro - here.rows["alley"].micro
    assert set(here.over_trained) == {"plaza"}
    assert not other.over_trained
    assert not any(line.over_trained for line in found.lines[:2])


def test_what_is_fused_is_calibrated_by_the_source_or_by_the_target(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path
) -> None:
    write_json(tmp_path / "both.json", FUSED)
    for calibrate in ("source", "target"):
        found = transfer(asked(pair[:1], roots, protocol=str(tmp_path / "both.json"), calibrate=calibrate))
        assert found.lines[-1].indicator == "fused"
        scores, total = open_scores(pair[0] / "scores/plaza/last"), {}
        for indicator, known in SOURCE.items():
            if calibrate == "target":
                normal = open_scores(pair[0] / "scores/plaza/calibration")
                assert list(normal.clips) == ["train_a"]
                low, middle, high = np.percentile(normal.clips["train_a"][indicator], [1, 50, 99])
            else:
                low, middle, high = known.values()
            for name, values in scores.of(indicator).items():
                total[name] = total.get(name, 0) + (values - middle) / (high - low)
        assert found.lines[-1].rows["plaza"].micro == pytest.approx(roc_auc_score(*frames(scores, total)), abs=1e-12)


def test_test_labels_change_no_calibration(pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path) -> None:
    before = calibration_of(pair[0], "plaza", Compute(roots[1], "cpu", 0))
    kept = pair[0] / "scores/plaza/calibration/clips/train_a.npz"
    scored = kept.read_bytes()
    for name, length in (("x", 30), ("y", 5)):
        np.save(roots[1] / f"labels/{name}.npy", (np.arange(length) % 3 == 0).astype(np.uint8))
    after = calibration_of(pair[0], "plaza", Compute(roots[1], "cpu", 0, overwrite=True))
    assert after == before
    assert kept.read_bytes() == scored
    assert not list(kept.parent.glob("test_*"))
    assert before["psnr"]["count"] == 17


def test_the_calibration_keeps_what_the_run_knows_of_pseudo_anomalies(
    pair: tuple[Path, Path], roots: tuple[Path, Path]
) -> None:
    write_json(pair[0] / "calibration.json", {"psnr": {"pseudo_auroc": 0.75, "median": 1.0}})
    known = calibration_of(pair[0], "alley", Compute(roots[0], "cpu", 0))
    assert known["psnr"]["pseudo_auroc"] == 0.75
    assert known["psnr"]["median"] != 1.0
    assert "pseudo_auroc" not in known["psnr_local"]


def test_the_same_command_takes_up_what_is_done_and_prints_the_same(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(tmp_path / "both.json", FUSED)
    config = asked(pair, roots, protocol=str(tmp_path / "both.json"), calibrate="target", json=True)
    run(config)
    first, hashes = capsys.readouterr().out, [tree_hash(path / "scores") for path in pair]
    kept = pair[0] / "scores/alley/last/clips"
    gone, stays = kept / "test_x.npz", kept / "test_y.npz"
    gone.unlink()
    (pair[1] / "scores/alley/calibration/clips/train_a.npz").unlink()
    untouched = stays.stat().st_mtime_ns
    run(config)
    assert capsys.readouterr().out == first
    assert [tree_hash(path / "scores") for path in pair] == hashes
    assert stays.stat().st_mtime_ns == untouched
    result = json.loads(first)
    assert result["lines"][-1]["rows"]["alley"].keys() == Row.__dataclass_fields__.keys()
    assert (result["calibrate"], result["protocol"]) == ("target", "both")


def test_what_is_calibrated_is_said_where_something_is_fused(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path
) -> None:
    write_json(tmp_path / "both.json", FUSED)
    alone = text(transfer(asked(pair[:1], roots, calibrate="target")))
    assert "calibrated by" not in alone
    assert "--calibrate target changes no figure" in alone
    assert not (pair[0] / "scores/alley/calibration").exists()
    found = transfer(asked(pair[:1], roots, protocol=str(tmp_path / "both.json")))
    assert "What is fused is calibrated by the data set trained on." in text(found)


def test_the_page_and_the_heat_map(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, plot = tmp_path / "docs/transfer.md", tmp_path / "docs/pictures/transfer.png"
    config = asked(pair, roots, write=page, plot=plot)
    run(config)
    lines = page.read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith((f"| {pair[0]}", f"| {pair[1]}", "| trivial"))]
    for row, marked in zip(rows, ([], [], [4], [5], [], []), strict=True):
        assert [place for place, cell in enumerate(row) if cell.startswith("[")] == marked
    assert rows[4][3] == "-"
    here, there = (float(cell.strip("[]| ").split(" ")[0]) for cell in (rows[2][5], rows[3][5]))
    assert float(rows[4][4].rstrip(" |")) == pytest.approx(here - there, abs=0.11)
    assert "![heat map](pictures/transfer.png)" in lines
    assert any(line.startswith("Protocol causal on alley, plaza: raw scores") for line in lines)
    words = shlex.split(next(line for line in lines if line.startswith("    pagen transfer")))
    assert tyro.cli(Transfer, args=words[2:]) == config
    assert "Rai et al." not in capsys.readouterr().out
    picture = matplotlib.image.imread(plot)
    assert picture.shape == (int(150 * (1.7 + 0.5 * 4)), int(150 * (4.2 + 1.35 * 2)), 4)
    assert np.ptp(picture[..., :3]) > 0.9


def test_the_headline_is_what_is_fused_else_local_else_the_first() -> None:
    row = Row("r", "vcr", *[0.5] * 5, 1, 1, 2, *[0.5] * 9)
    rows = {name: replace(row, indicator=name) for name in ("flow", "psnr", "psnr_local", "fused (pseudo)")}
    assert headline([*rows.values()]).indicator == "fused (pseudo)"
    assert headline([rows["psnr"], rows["psnr_local"]]).indicator == "psnr_local"
    assert headline([rows["flow"]]).indicator == "flow"


def test_what_is_undefined_or_worse_than_chance_is_shown(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path
) -> None:
    found = transfer(asked(pair, roots))
    speed, difference, here, there = found.lines

    def changed(line: Line, micro: float) -> Line:
        rows = {name: replace(row, micro=micro, low=math.nan, high=math.nan) for name, row in line.rows.items()}
        return replace(line, rows=rows, areas=dict.fromkeys(rows, (micro,)))

    shown = replace(found, lines=(changed(speed, 0.9), difference, changed(here, math.nan), changed(there, 0.3)))
    last = text(shown).split("\n\n")[2].splitlines()[-2:]
    assert last[0].split("  ")[-1].strip() == "-"
    assert "[30.0 (-)]" in last[1]
    assert f"On plaza below flow_speed, so not beating arithmetic: {difference.run}" not in text(shown)
    assert f"On plaza below flow_speed, so not beating arithmetic: {there.run}." in text(shown)
    heat_map(shown, tmp_path / "map.png")
    assert np.ptp(matplotlib.image.imread(tmp_path / "map.png")[..., :3]) > 0.9


def test_fitted_to_the_test_labels_is_said_aloud(
    pair: tuple[Path, Path], roots: tuple[Path, Path], tmp_path: Path
) -> None:
    write_json(tmp_path / "both.json", FUSED)
    found = transfer(asked(pair[:1], roots, protocol=str(tmp_path / "both.json"), weights="oracle"))
    assert found.lines[-1].indicator == "fused (ORACLE)"
    assert "\n\nORACLE: " in text(found)


def test_a_target_without_labels_is_named_before_anything_is_prepared(
    pair: tuple[Path, Path], roots: tuple[Path, Path], cache: Path
) -> None:
    shutil.rmtree(roots[1] / "labels")
    with pytest.raises(PagenError, match=r"frame labels of plaza in .*plaza, found none; put them into labels.csv or"):
        transfer(asked(pair, roots))
    assert not cache.exists()


def test_a_target_without_the_clips_that_are_asked_for_is_named(
    pair: tuple[Path, Path], roots: tuple[Path, Path], cache: Path
) -> None:
    shutil.rmtree(roots[0] / "training")
    with pytest.raises(PagenError, match="expected train clips of alley for --calibrate target, found none"):
        transfer(asked(pair, roots, calibrate="target"))
    shutil.rmtree(roots[1] / "testing")
    with pytest.raises(PagenError, match="expected test clips of plaza to be tested on, found none"):
        transfer(asked(pair, roots))
    assert not cache.exists()


def test_a_target_of_one_class_is_refused_before_a_run_is_scored(
    pair: tuple[Path, Path], roots: tuple[Path, Path]
) -> None:
    for name, length in (("x", 30), ("y", 5)):
        np.save(roots[1] / f"labels/{name}.npy", np.zeros(length, np.uint8))
    with pytest.raises(PagenError, match="AUROC is undefined: all 35 test frames of plaza are labelled normal"):
        transfer(asked(pair, roots))
    assert not (pair[0] / "scores").exists()


def test_flow_out_of_files_serves_its_own_data_set_alone(
    make_run: MakeRun, roots: tuple[Path, Path], cache: Path
) -> None:
    path = make_run(source="flow", channels=3, flow="file:somewhere", dataset="alley")
    with pytest.raises(PagenError, match="expected flow that can be computed for plaza, found file:somewhere of alley"):
        transfer(asked((path,), roots))
    assert not cache.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": "all"}, "expected one protocol for a table of transfers"),
        ({"protocol": "casual"}, "did you mean 'causal'"),
        ({"device": "gpu"}, "expected a device that torch has"),
    ],
)
def test_choices_that_are_none_are_refused_before_anything_is_prepared(
    pair: tuple[Path, Path], roots: tuple[Path, Path], cache: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(PagenError, match=words):
        transfer(asked(pair, roots, **changes))
    assert not cache.exists()


def test_names_are_checked_before_torch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pagen.errors import PagenError\n"
        "from pagen.eval.transfer.transfer import Transfer, run\n"
        "run_of, here = (Path('nowhere'),), Path('.')\n"
        "for config in (((), ('street',)), (run_of, ()), (run_of, ('street', 'street')), (run_of, ('sreet',)),\n"
        "               (run_of, ('street',), (here, here)), (run_of, ('street',)), ((here,), ('street',))):\n"
        "    try: run(Transfer(*config))\n"
        "    except PagenError as error: print(error)\n"
        "assert not {'torch', 'numpy', 'cv2', 'matplotlib'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    words = ("run folders", "names as", "once", "'street'", "one folder", "found no manifest", "found no manifest")
    for line, part in zip(done.stdout.splitlines(), words, strict=True):
        assert part in line
