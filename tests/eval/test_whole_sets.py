"""What the footage is of stands in every table: scenes, a part of the clips, labels that were made to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval import render
from pagen.eval.baselines import score_baselines
from pagen.eval.evaluate import Evaluate, run
from pagen.eval.evaluation import evaluate
from pagen.eval.figures.figure import Figure
from pagen.eval.figures.figure import run as run_figure
from pagen.eval.labelled import labelled
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report.report import Report
from pagen.eval.report.report import run as run_report
from pagen.eval.settings import EvaluationSettings
from pagen.footage.catalogue import DATASETS, DataSet, Subset
from pagen.footage.layout import LabelSource, Layout, Part

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]
MakeRun = Callable[..., Path]
CLIP = r"(?P<scene>gate|yard)_(?P<number>\d+)"
LANE = DataSet(
    name="lane",
    what="a lane, made for a test",
    fps=10,
    licence="none",
    obtain="nothing",
    layouts=(
        Layout(
            name="official",
            parts=(Part("train", ("training",), CLIP, first=0), Part("test", ("testing",), CLIP, first=0)),
            labels=(LabelSource("npy", "labels/{clip}.npy", "theirs", slack=2),),
        ),
    ),
    train=(17,),
    test=(20, 24, 12, 20),
    scene_names=("gate", "yard"),
    subsets={"hr": Subset("without the dogs", left_out={"02": ((3, 9), (20, 24))})},
)
TEST = {"gate_1": 20, "yard_2": 24, "yard_3": 12, "gate_4": 20}


@pytest.fixture
def lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four test clips of two scenes; labels of the second reach two frames beyond it, those of the third lack one."""
    monkeypatch.setitem(DATASETS._table, "lane", LANE)
    root = tmp_path / "lane"
    for folder, clips in (("training", {"gate_1": 17}), ("testing", TEST)):
        for name, length in clips.items():
            (root / folder / name).mkdir(parents=True)
            marks = np.arange(length) >= length // 2
            place = np.cumsum(1 + 2 * marks) % 28
            noise = np.random.default_rng(int(name[-1])).integers(0, 60, (20, 36), np.uint8)
            for index, x in enumerate(place):
                frame = noise.copy()
                frame[6:14, x : x + 8] = 200
                cv2.imwrite(str(root / folder / name / f"{index:03}.png"), frame)
            if folder == "testing":
                (root / "labels").mkdir(exist_ok=True)
                longer = {"yard_2": length + 2, "yard_3": length - 1}.get(name, length)
                np.save(root / f"labels/{name}.npy", (np.arange(longer) >= length // 2).astype(np.uint8))
    return root


def here(root: Path, partial: bool = False) -> Compute:
    return Compute(root, "cpu", 0, partial=partial)


def test_scenes_of_clips_reach_the_table(lane: Path) -> None:
    (table,) = evaluate([], "lane", compute=here(lane)).tables
    assert [(scene.name, scene.videos, scene.frames, scene.abnormal) for scene in table.scenes] == [
        *(("gate", 2, 40, 20), ("yard", 2, 36, 18)),
    ]
    data = labelled("lane", here(lane))
    scores = score_baselines(data.prepared, 0)
    row = table.rows[0]
    final, labels = apply(PROTOCOLS["causal"], {row.indicator: scores.of(row.indicator)}, scores.labels)
    for scene, numbers in (("gate", "14"), ("yard", "23")):
        parts = [np.concatenate([part[f"test_0{number}"] for number in numbers]) for part in (labels, final)]
        assert row.by_scene is not None
        assert row.by_scene.micro[scene] == pytest.approx(roc_auc_score(*parts), abs=1e-12)
    (alone,) = evaluate([], "lane:gate", compute=here(lane)).tables
    assert (alone.scenes, alone.rows[0].by_scene, alone.rows[0].frames) == ((), None, 40)


def test_labels_that_were_made_to_fit_are_told(lane: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Evaluate((), "lane", lane, workers=0))
    beyond, short = "2 beyond its end cut off", "1 short, which goes on with the last"
    said = f"Labels that did not fit their clips: test_02: {beyond}; test_03: {short}."
    assert said in capsys.readouterr().out
    assert labelled("lane", here(lane)).labels["test_03"].tolist() == [0] * 6 + [1] * 6
    np.save(lane / "labels/yard_3.npy", np.ones(9, np.uint8))
    with pytest.raises(PagenError, match="expected one label a frame"):
        run(Evaluate((), "lane", lane, workers=0))


def test_a_part_of_the_clips_stands_in_every_title(
    lane: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("yard_3", "gate_4"):
        for file in (lane / "testing" / name).iterdir():
            file.unlink()
        (lane / "testing" / name).rmdir()
    with pytest.raises(PagenError, match="--partial works on the clips that are there"):
        run(Evaluate((), "lane", lane, workers=0))
    path = make_run(dataset="lane")
    config = Evaluate((path,), "lane", lane, protocol=("raw", "causal"), workers=0, partial=True, device="cpu")
    run(replace(config, write=tmp_path / "page.md"))
    text = capsys.readouterr().out
    assert text.count("A part of the data set: 2 of 4 test clips.") == 2
    assert (tmp_path / "page.md").read_text().count("2 of 4 test clips") == 2
    for kind, name in (("report", "page.html"), ("scores", "scores.svg"), ("maps", "maps.svg")):
        out = tmp_path / name
        if kind == "report":
            run_report(Report((path,), "lane", lane, out=out, workers=0, device="cpu", partial=True))
            assert out.read_text("utf-8").count("on lane, 2 of 4 test clips</") == 2
        else:
            video = () if kind == "scores" else ("test_02",)
            capsys.readouterr()
            run_figure(
                Figure(kind, (path,), "lane", out, lane, video, workers=0, device="cpu", partial=True, json=True)
            )
            assert json.loads(capsys.readouterr().out)["part"] == "2 of 4 test clips"


def test_frames_that_a_subset_leaves_out_count_in_no_figure(
    lane: Path, make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run(dataset="lane")
    whole, part = (evaluate([path], name, compute=here(lane), by_event=True) for name in ("lane", "lane:hr"))
    left = [*range(3, 9), *range(20, 24)]
    for table, other, series in zip(whole.tables, part.tables, part.series, strict=True):
        assert (table.rows[0].frames, other.rows[0].frames) == (76, 66)
        for row, one, before in zip(other.rows, series, whole.series[0], strict=True):
            assert one.frames["test_02"].tolist() == [frame for frame in range(24) if frame not in left]
            np.testing.assert_array_equal(one.final["test_02"], np.delete(before.final["test_02"], left))
            frames = [np.concatenate([*each.values()]) for each in (one.labels, one.final)]
            assert row.micro == pytest.approx(roc_auc_score(*frames), abs=1e-12)
    assert part.by_event[0].normal == 66 - sum(int(marks.sum()) for marks in part.series[0][0].labels.values())
    assert "66" in render.text(part)
    out = tmp_path / "page.html"
    run_report(Report((path,), "lane:hr", lane, out=out, workers=0, device="cpu"))
    page = out.read_text("utf-8")
    assert '"left": [[3, 9], [20, 24]]' in page
    assert '"pieces": [[0, 3], [9, 11]]' in page
    assert "left out of all figures" in page
    capsys.readouterr()


def test_choices_go_from_scene_to_scene_and_not_onto_the_same_clips(lane: Path) -> None:
    found = evaluate([], "lane:gate", settings=EvaluationSettings(choose_on="lane:yard"), compute=here(lane))
    assert "Chosen on lane:yard (2 test clips, labels: theirs) by micro AUROC: flow_speed" in found.tables[0].title
    for name, count in (("lane", 2), ("lane:hr", 2)):
        with pytest.raises(PagenError, match=f"found {name}, which shares {count} with it; choose on another one"):
            evaluate([], "lane:gate", settings=EvaluationSettings(choose_on=name), compute=here(lane))
