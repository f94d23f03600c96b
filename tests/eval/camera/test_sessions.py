"""What sessions of a camera keep of those before, however those ended."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.csv_cell import cell
from pagen.errors import PagenError
from pagen.eval.camera import score_table
from pagen.eval.camera.alerts import AlertLog, AlertTracker
from pagen.eval.camera.score_table import PIECES, pieces_of
from pagen.eval.camera.shots import Shot
from pagen.eval.camera.threshold import Threshold
from pagen.manifest import MANIFEST
from pagen.train.state import as_csv

THRESHOLD = Threshold("flow_speed", "", "flow_speed", 0.0, 0.3, 0.2, 0.5, 10.0, 1, 1, 0, 3, 0, 1.0, 0.0, None)


def shot(index: int, session: int = 0) -> Shot:
    return Shot(np.zeros((8, 8), np.uint8), index, index / 10, f"2026-11-2{session}T00:00:{index / 10:06.3f}+00:00")


def session(folder: Path, scores: list[float], number: int = 0, killed: bool = False, **about: Any) -> AlertLog:
    """A session over these smoothed scores; a killed one ends with the last of them."""
    tracker = AlertTracker(THRESHOLD)
    log = AlertLog(folder, about.pop("source", "camera"), THRESHOLD, about.pop("goes_on", True), **about)
    for index, score in enumerate(scores):
        log.score(shot(index, number), score, score)
        log.write(tracker.update(shot(index, number), score, (1, 2, 3, 4) if score > THRESHOLD.threshold else None))
    if not killed:
        log.write(tracker.finish())
    log.__exit__()
    return log


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text("utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


LOUD = THRESHOLD.threshold + 1


@pytest.mark.parametrize(
    "scores", [[0, *[LOUD] * 8], [0, *[LOUD] * 8, 0, 0], [0, LOUD, LOUD, LOUD, LOUD, LOUD + 5, LOUD]]
)
def test_an_alert_that_was_open_at_a_kill_is_closed_as_if_the_source_had_ended(
    scores: list[float], tmp_path: Path
) -> None:
    session(tmp_path / "killed", scores, killed=True)
    session(tmp_path / "ended", scores)
    assert [line["what"] for line in lines(tmp_path / "killed")] == ["begin"]
    for name in ("killed", "ended"):
        session(tmp_path / name, [0, *[LOUD] * 7], 1)
    kept = lines(tmp_path / "killed")
    assert [(line["what"], line["id"]) for line in kept] == [("begin", 1), ("end", 1), ("begin", 2), ("end", 2)]
    assert kept == lines(tmp_path / "ended")
    assert table(tmp_path / "killed/alerts.csv") == table(tmp_path / "ended/alerts.csv")


def test_without_scores_an_open_alert_ends_where_it_was_last_told(tmp_path: Path) -> None:
    session(tmp_path, [0, *[LOUD] * 8], killed=True)
    (tmp_path / "scores.csv").unlink()
    session(tmp_path, [0], 1)
    begun, ended = lines(tmp_path)
    assert {**begun, "what": "end"} == ended


def test_an_end_that_did_not_reach_the_table_and_half_a_line_are_mended(tmp_path: Path) -> None:
    session(tmp_path, [0, *[LOUD] * 8])
    whole = table(tmp_path / "alerts.csv")
    for name, cut in (("alerts.csv", 20), ("scores.csv", 3)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-cut])
    with (tmp_path / "alerts.jsonl").open("a") as file:
        file.write('{"what": "beg')
    session(tmp_path, [0], 1)
    assert table(tmp_path / "alerts.csv") == whole
    assert len(lines(tmp_path)) == 2
    assert [row["frame"] for row in table(tmp_path / "scores.csv")] == [*map(str, range(8)), "0"]


def test_scores_of_a_camera_are_kept_and_those_of_a_recording_begin_anew(tmp_path: Path) -> None:
    for goes_on, count in ((True, 6), (False, 3)):
        for number in range(2):
            session(tmp_path / str(goes_on), [0, 1, 2], number, goes_on=goes_on)
        rows = table(tmp_path / str(goes_on) / "scores.csv")
        assert (len(rows), [float(row["score"]) for row in rows][-3:]) == (count, [0, 1, 2])


def test_scores_of_a_camera_never_grow_beyond_what_is_kept(tmp_path: Path) -> None:
    for number in range(3):
        session(tmp_path, [float(value) for value in range(300)], number, most=8000)
        assert sum(piece.stat().st_size for piece in pieces_of(tmp_path)) <= 8000 + PIECES * 100
    assert len(pieces_of(tmp_path)) == PIECES
    rows = [row for piece in pieces_of(tmp_path) for row in table(piece)]
    assert all(list(row) == list(score_table.COLUMNS) for row in rows)
    kept = [(row["clock"][:10], int(row["frame"])) for row in rows]
    assert kept == sorted(kept)
    assert kept[-1] == ("2026-11-22", 299)
    session(tmp_path, [0], goes_on=False)
    assert [piece.name for piece in pieces_of(tmp_path)] == ["scores.csv"]


@pytest.mark.parametrize("name", ["alerts.jsonl", "alerts.csv", "scores.csv", ""])
def test_a_session_follows_no_link_of_a_strangers_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("years of work\n")
    folder = tmp_path / "run/live/camera"
    (folder if name else folder.parent).mkdir(parents=True)
    about = {"schema": 1, "pagen": "0.1.0", "kind": "run"}
    (tmp_path / "run" / MANIFEST).write_text(json.dumps(about))
    (folder / name).symlink_to(tmp_path / "outside" if name else tmp_path)
    with pytest.raises(PagenError, match="expected no link inside of a folder of pagen"):
        session(folder, [0])
    assert (tmp_path / "outside").read_text() == "years of work\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "run"]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_name_becomes_a_formula(name: str, tmp_path: Path) -> None:
    session(tmp_path, [0, *[LOUD] * 8], source=name)
    (row,) = table(tmp_path / "alerts.csv")
    shown = f"'{name}".replace("\r", " ").replace("\n", " ")
    assert row["source"] == shown
    assert lines(tmp_path)[0]["source"] == name
    (kept,) = csv.DictReader(io.StringIO(as_csv([{"video": name, "score": -1.5}]), newline=""))
    assert kept == {"video": shown, "score": "-1.5"}


@pytest.mark.parametrize("number", ["-1.5", "+2", "-inf", "1e-3", -1.5, 0, None, "nan"])
def test_numbers_stay_numbers(number: Any) -> None:
    assert cell(number) == number


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("alerts.jsonl", '{"what": "begin"}\n', "expected a value for id in .*alerts.jsonl, found none; move it away"),
        (
            "alerts.jsonl",
            '{"what": "end", "id": "x"}\n',
            "expected a whole number for id in .*, found 'x'; move it away",
        ),
        (
            "alerts.csv",
            "id;source;start\n0;gate;1\n",
            "expected alerts as pagen writes them in .*alerts.csv, .*move it away",
        ),
        (
            "scores.csv",
            "frame,seconds,clock,score,smoothed,alarm\n1,x,y,z,0,0\n",
            "as pagen writes them in .*scores.csv",
        ),
    ],
)
def test_what_others_made_of_a_cameras_files_is_refused_and_moving_it_away_helps(
    name: str, content: str, words: str, tmp_path: Path
) -> None:
    session(tmp_path, [0, *[LOUD] * 8], killed=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(PagenError, match=words):
        session(tmp_path, [0], number=1)
    assert (tmp_path / name).read_text().startswith(content)
    (tmp_path / name).rename(tmp_path / "away")
    session(tmp_path, [0], number=1)
