"""Scenes in tables: a column only where there are several, the mean of what scikit-learn says of each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen import console
from pagen.eval import render, tables
from pagen.eval.metrics import at_false_alarms_by_scene
from pagen.eval.metrics.scenes import in_scenes
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.results import BAR, TRIVIAL, Evaluation, Table
from pagen.eval.scores import Scores
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of

SCENES = {"a": "yard", "b": "gate", "c": "yard", "d": "hall"}


def drawn(seed: int, name: str) -> Scores:
    """Scores that lie higher in one scene than in another; in the hall all is normal."""
    rng = np.random.default_rng(seed)
    labels = {video: (np.arange(30) > 14 + seed).astype(np.uint8) for video in SCENES}
    labels["d"][:] = 0
    values = {video: rng.normal(marks) + 3 * (SCENES[video] == "yard") for video, marks in labels.items()}
    return Scores(Path(name), {}, {video: {name: each} for video, each in values.items()}, labels)


RUNS = [(TRIVIAL, drawn(0, BAR)), ("run", drawn(0, "psnr"))]


def table(scenes: dict[str, str], fps: float | None = 10.0) -> Table:
    settings = EvaluationSettings("lane", fps, alarms=200.0, scenes=scenes)
    return table_of(PROTOCOLS["causal"], series_of(PROTOCOLS["causal"], RUNS, settings), settings)


def test_a_row_says_what_scikit_learn_says_of_each_scene() -> None:
    found = table(SCENES)
    assert [(scene.name, scene.videos, scene.frames, scene.abnormal) for scene in found.scenes] == [
        *(("gate", 1, 30, 15), ("hall", 1, 30, 0), ("yard", 2, 60, 30)),
    ]
    for (_, scores), row in zip(RUNS, found.rows, strict=True):
        final, labels = apply(PROTOCOLS["causal"], {row.indicator: scores.of(row.indicator)}, scores.labels)
        areas = []
        for scene in ("gate", "yard"):
            videos = [video for video in SCENES if SCENES[video] == scene]
            areas.append(
                roc_auc_score(*(np.concatenate([part[video] for video in videos]) for part in (labels, final)))
            )
        assert row.by_scene is not None
        assert [row.by_scene.micro[name] for name in ("gate", "yard")] == pytest.approx(areas, abs=1e-12)
        assert row.by_scene.mean == pytest.approx(np.mean(areas), abs=1e-12)
        assert row.by_scene.mean > row.micro
        assert row.by_scene.used == 2
        points = at_false_alarms_by_scene(final, labels, SCENES, 200.0, 10.0)
        assert (row.by_scene.thresholds, row.by_scene.tpr) == (points.thresholds, points.tpr)
        assert row.by_scene.tpr >= row.tpr


@pytest.mark.parametrize("scenes", [{}, dict.fromkeys(SCENES, "yard")])
def test_without_several_scenes_there_is_no_such_column(scenes: dict[str, str]) -> None:
    found = table(scenes)
    assert found.scenes == ()
    assert {row.by_scene for row in found.rows} == {None}
    assert "scene" not in render.as_text([found])
    assert len(render.headers(found)) == len(render.cells(found.rows[0])) == 11


def test_a_table_looks_for_scenes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[object]()
    monkeypatch.setattr(tables, "in_scenes", lambda *given: asked.append(given) or in_scenes(*given))
    assert len(table(SCENES).rows) == 2
    assert len(asked) == 1


def test_without_a_frame_rate_there_are_areas_and_no_alarms() -> None:
    row = table(SCENES, None).rows[1]
    assert row.by_scene is not None
    assert row.by_scene.mean == row.by_scene.mean
    assert row.by_scene.tpr != row.by_scene.tpr


def test_tables_and_json_show_the_mean_and_each_scene() -> None:
    found = table(SCENES)
    row = found.rows[1]
    assert row.by_scene is not None
    shown, area = f"{100 * row.by_scene.mean:.1f} (2/3)", f"{100 * row.by_scene.micro['gate']:.1f}"
    headers = render.headers(found)
    assert len(headers) == len(render.cells(row)) == 12
    assert render.cells(row)[headers.index("by scene (scenes)")] == shown
    assert len(render.point_headers(found)) == len(render.points(row)) == 8
    evaluation = Evaluation("lane", "made", 0, "published", 200.0, "0", (found,))
    text, page = render.text(evaluation), render.page(evaluation, "pagen evaluate")
    for part in (text, page):
        assert shown in part
        assert "found, a threshold a scene" in part
        assert "By scene: micro AUROC" in part
    assert f"| gate | 1 | 30 | 15 | {100 * found.rows[0].by_scene.micro['gate']:.1f} | {area} |" in page
    assert "| hall | 1 | 30 | 0 | - | - |" in page
    plain = json.loads(console.as_json(evaluation.plain()))["tables"][0]
    assert plain["rows"][1]["by_scene"]["micro"] == {**row.by_scene.micro, "hall": None}
    assert [scene["name"] for scene in plain["scenes"]] == ["gate", "hall", "yard"]
