from __future__ import annotations

import math
import statistics
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from pagen import console
from pagen.eval.results import TRIVIAL, Row, Scenes, Table
from pagen.eval.transfer import left_out
from pagen.eval.transfer.heat_map import heat_map
from pagen.eval.transfer.left_out import Held
from pagen.eval.transfer.left_out import left_out as leaving_out
from pagen.eval.transfer.lines import Line, kin_of, lines_of
from pagen.eval.transfer.results import Transferred, text

BAR = {"ped2": 0.9, "street": 0.6, "ped1": 0.7}
HERE = {name: name for name in BAR}
AREAS = {
    ("skip", "ped2", 0): (0.80, 0.50, 0.60),
    ("skip", "ped2", 1): (0.90, 0.60, 0.62),
    ("skip", "street", 0): (0.70, 0.66, 0.64),
    ("skip", "street", 1): (0.74, 0.68, 0.66),
    ("skip", "ped2+street", 0): (0.82, 0.67, 0.69),
    ("luss", "street", 0): (0.60, 0.72, 0.58),
}
"""Recipe, data set trained on and seed -> micro AUROC on ped2, street and ped1."""


def row_of(run: str, indicator: str, micro: float, **about: Any) -> Row:
    return Row(run, indicator, micro, micro - 0.1, micro + 0.1, micro, *[0.5] * 1, 1, 1, 2, *[0.5] * 9, **about)


def named(recipe: str, home: str, seed: int) -> str:
    return f"runs/{recipe}-{home}-{seed}"


def recipes() -> dict[str, dict[str, Any]]:
    return {
        named(*key): {"recipe": key[0], "dataset": key[1], "seed": key[2], "scale": "tiny", "window": 16}
        for key in AREAS
    }


@pytest.fixture
def tables() -> dict[str, Table]:
    found = {}
    for place, target in enumerate(BAR):
        rows = [row_of(TRIVIAL, "flow_speed", BAR[target]), row_of(TRIVIAL, "frame_difference", 0.5)]
        for (recipe, home, seed), areas in AREAS.items():
            about = {"recipe": recipe, "scale": "tiny", "seed": seed, "trained_on": home}
            rows.append(row_of(named(recipe, home, seed), "psnr_local", areas[place], **about))
        found[target] = Table("causal", "raw scores", False, tuple(rows), ())
    return found


@pytest.fixture
def lines(tables: dict[str, Table]) -> tuple[Line, ...]:
    return lines_of(tables, HERE, {run: kin_of([recipe]) for run, recipe in recipes().items()})


def transferred(lines: tuple[Line, ...], **changes: Any) -> Transferred:
    labels, titles = dict.fromkeys(BAR, "labels"), dict.fromkeys(BAR, "raw scores")
    return replace(Transferred(tuple(BAR), labels, "causal", titles, "source", "published", 0, "0", lines), **changes)


def test_seeds_of_a_recipe_are_one_line_with_mean_spread_and_the_first_ones_interval(lines: tuple[Line, ...]) -> None:
    assert [(line.run, line.seeds) for line in lines[2:]] == [
        ("runs/skip-ped2-0", (0, 1)),
        ("runs/skip-street-0", (0, 1)),
        ("runs/skip-ped2+street-0", (0,)),
        ("runs/luss-street-0", (0,)),
    ]
    skip = lines[2]
    assert skip.micro("ped2") == pytest.approx(0.85)
    assert skip.spread("ped2") == pytest.approx(statistics.stdev([0.8, 0.9])) == pytest.approx(0.0707, abs=1e-4)
    shown = text(transferred(lines))
    assert "[85.0 +-7.1 (70.0-90.0)]" in shown
    assert "runs/skip-ped2-0 and 1 more" in shown
    assert "skip (tiny, seeds 0 1)" in shown
    assert "Of several seeds: their mean" in shown


def test_a_seed_that_is_there_twice_and_another_recipe_are_lines_of_their_own(tables: dict[str, Table]) -> None:
    kin = {run: kin_of([recipe]) for run, recipe in recipes().items()}
    kin[named("skip", "ped2", 1)] = kin_of([{**recipes()[named("skip", "ped2", 1)], "window": 8}])
    assert [len(line.runs) for line in lines_of(tables, HERE, kin)] == [1, 1, 1, 1, 2, 1, 1]
    again = {
        target: replace(table, rows=tuple(replace(row, seed=0 if row.seed == 1 else row.seed) for row in table.rows))
        for target, table in tables.items()
    }
    kin = {run: kin_of([recipe]) for run, recipe in recipes().items()}
    assert [len(line.runs) for line in lines_of(again, HERE, kin)] == [1] * 8


def test_members_tell_runs_apart() -> None:
    whole = {"recipe": "unified", "seed": 0, "scale": "cpu"}
    first, second = ([whole, {"recipe": "spatial", "probability": share, "seed": 0}] for share in (0.4, 0.2))
    assert kin_of(first).alike != kin_of(second).alike
    assert kin_of(first) == kin_of([{**whole, "seed": 2}, {**first[1], "seed": 2}])
    assert kin_of([{"recipe": "mulde", "scale": "cpu", "features": "velocity"}]).method == "mulde of velocity (cpu)"


def test_what_is_gained_is_the_mean_over_the_seeds_that_both_have(lines: tuple[Line, ...]) -> None:
    away = lines[3].over_trained["ped2"]
    assert away.against == "runs/skip-ped2-0"
    assert away.micro == pytest.approx(((0.70 - 0.80) + (0.74 - 0.90)) / 2)
    assert "street" not in lines[3].over_trained
    assert set(lines[4].over_trained) == set()  # trained on both
    assert set(lines[5].over_trained) == set()  # no other luss


def test_own_runs_are_in_brackets_joined_ones_among_them(lines: tuple[Line, ...]) -> None:
    own = {line.run: line.own for line in lines}
    assert own["runs/skip-ped2+street-0"] == ("ped2", "street")
    assert own["runs/skip-ped2-0"] == ("ped2",)
    assert own[TRIVIAL] == ()


def test_editions_of_a_data_set_are_columns_of_their_own(tables: dict[str, Table]) -> None:
    tables["ped2 (masks)"] = tables["ped2"]
    kin = {run: kin_of([recipe]) for run, recipe in recipes().items()}
    line = lines_of(tables, {**HERE, "ped2 (masks)": "ped2"}, kin)[2]
    assert line.own == ("ped2", "ped2 (masks)")


def test_leave_one_out_is_of_runs_not_trained_on_the_target(lines: tuple[Line, ...]) -> None:
    found = {one.method: one.held for one in leaving_out(lines, tuple(BAR))}
    assert list(found) == ["flow_speed", "frame_difference", "skip (tiny)", "luss (tiny)"]
    skip = found["skip (tiny)"]
    assert skip["ped2"] == Held(pytest.approx(0.72), 0.70, 0.74, 2, pytest.approx((0.8 + 0.9 + 0.82) / 3), 3)
    # three kinds of training count on ped1, the joined one among them; on street it does not
    assert skip["ped1"].runs == 5
    assert skip["ped1"].mean == pytest.approx(np.mean([0.60, 0.62, 0.64, 0.66, 0.69]))
    assert (skip["street"].runs, skip["street"].own_runs) == (2, 3)
    assert found["luss (tiny)"]["street"].runs == 0
    assert math.isnan(found["luss (tiny)"]["street"].mean)
    shown = text(transferred(lines, left_out=leaving_out(lines, tuple(BAR))))
    assert "72.0 (70.0-74.0; 2) [84.0]" in shown
    assert left_out.cells(leaving_out(lines, tuple(BAR))[0]) == ["flow_speed", "90.0", "60.0", "70.0"]
    assert left_out.cells(leaving_out(lines, tuple(BAR))[3]) == ["luss (tiny)", "60.0", "[72.0]", "58.0"]


def test_published_transfers_stand_in_the_columns_of_their_targets(lines: tuple[Line, ...]) -> None:
    shown = text(transferred(lines))
    table = shown.partition("Rai et al., 2024, table 3")[2].splitlines()
    rows = [line.split() for line in table if "ubnormal" in line]
    assert [row[-3:] for row in rows] == [["78.80", "-", "-"], ["85.21", "-", "-"], ["85.37", "-", "-"]]
    away = transferred(lines, datasets=("street", "ped1"))
    assert "Rai et al." not in text(away)


def test_a_macro_by_scene_stands_beside_where_there_are_scenes(lines: tuple[Line, ...]) -> None:
    assert "Macro by scene" not in text(transferred(lines))
    scenes = Scenes({"a": 0.5, "b": 0.75}, 0.625, {}, math.nan, math.nan)
    skip = lines[2]
    rows = {**skip.rows, "ped1": replace(skip.rows["ped1"], by_scene=scenes)}
    shown = text(transferred((*lines[:2], replace(skip, rows=rows, by_scene={"ped1": 0.625}))))
    table = shown.partition("Macro by scene, of data sets with several")[2].splitlines()
    assert table[2].split() == ["run", "trained", "on", "indicator", "on", "ped1"]
    assert table[5].split()[-1] == "62.5"
    baselines = [line.split()[-2:] for line in table[3:5]]
    assert baselines == [[line.indicator, "-"] for line in lines[:2]], "lines of one name are told apart"


def test_data_sets_that_are_there_in_part_say_so(lines: tuple[Line, ...]) -> None:
    missing = {"ped1": {"train": (0, 34)}, "street": {"train": (2, 16), "test": (6, 21)}}
    shown = text(transferred(lines, missing=missing))
    assert "ped1 is there in part: 0 of 34 train clips.\n" in shown
    assert "street is there in part: 2 of 16 train clips, 6 of 21 test clips.\n" in shown


def test_many_lines_below_arithmetic_are_counted(lines: tuple[Line, ...]) -> None:
    shown = text(transferred(lines))
    assert "On ped2 all of them lie below flow_speed: none has beaten arithmetic." in shown
    assert "On street below flow_speed, so not beating arithmetic: runs/skip-ped2-0 and 1 more." in shown
    many = tuple(replace(lines[2], run=f"runs/{number}") for number in range(7))
    assert "below flow_speed, so not beating arithmetic: 7 of 8 lines." in text(
        transferred((*lines[:2], *many, lines[3]))
    )


def test_the_heat_map_of_nine_data_sets_and_six_detectors_has_room(lines: tuple[Line, ...], tmp_path: Path) -> None:
    names = [f"set_{number}-of-a-long-name" for number in range(9)]
    rng = np.random.default_rng(0)

    def spread_out(line: Line) -> Line:
        micro = float(rng.uniform(0.3, 0.99))
        rows = {name: replace(line.about, micro=micro, low=micro - 0.1, high=micro + 0.1) for name in names}
        return replace(line, rows=rows, areas={name: tuple(rng.uniform(0.3, 0.99, len(line.seeds))) for name in names})

    shown = tuple(spread_out(line) for line in lines)
    heat_map(transferred(shown, datasets=tuple(names)), tmp_path / "map.png")
    picture = matplotlib.image.imread(tmp_path / "map.png")
    assert picture.shape == (int(150 * (1.7 + 0.5 * 6)), int(150 * (4.2 + 1.35 * 9)), 4)
    assert np.ptp(picture[..., :3]) > 0.9


def test_json_has_every_seed(lines: tuple[Line, ...]) -> None:
    content = console.as_json(asdict(transferred(lines, left_out=leaving_out(lines, tuple(BAR)))))
    for part in ('"areas"', '"runs/skip-ped2-1"', '"left_out"'):
        assert part in content
