from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pagen import cli
from pagen.errors import PagenError
from pagen.footage import locate as module
from pagen.footage.catalogue import DATASETS
from pagen.footage.check import require
from pagen.footage.list_datasets import Datasets, run
from pagen.footage.locate import locate


@pytest.fixture(autouse=True)
def _no_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "listed_file", lambda: tmp_path / "nowhere/data.json")
    monkeypatch.delenv("PAGEN_DATA", raising=False)


def test_the_list_says_what_is_known_and_where(common: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Datasets(root=common))
    lines = capsys.readouterr().out.splitlines()
    found = {line.split()[0]: line for line in lines[1 : lines.index("")]}
    assert found["ped2"].endswith(f"{common} (common layout)")
    missing = {name for name, line in found.items() if line.endswith("not found")}
    assert missing == set(DATASETS.names()) - {"ped2", "street", "street:square"}


@pytest.mark.parametrize("columns", ["40", "80", "120", "300"])
def test_the_list_fits_a_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    run(Datasets())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= min(max(int(columns), 80), 120)


def test_the_list_as_json(common: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PAGEN_DATA", str(common.parent))
    run(Datasets(json=True))
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) >= {"ped1", "ped2", "folder", "street"}
    assert (rows["ped2"]["found"], rows["ped2"]["layout"]) == (str(common), "common")
    assert rows["ped1"]["found"] is None
    assert rows["street"]["found"] == "built in"
    assert rows["ped1"]["frames"] == {"train": 6800, "test": 7200}


def test_a_check_names_what_was_found(official: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Datasets(("check", "ped2"), root=official))
    out = capsys.readouterr().out
    assert f"ped2: official layout in {official}, labels: UCSDped2.m (UCSD v1p2)" in out
    assert [line.split() for line in out.splitlines() if line.startswith("test frames")] == [
        ["test", "frames", "15", "15"]
    ]
    assert "nothing missing, nothing odd" in out


def test_a_check_lists_every_problem_and_fails(official: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (official / "Train/Train001/003.tif").unlink()
    path = official / "Test/Test002/002.tif"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(PagenError, match="found 2 problems, listed above"):
        run(Datasets(("check", "ped2"), root=official, json=True))
    value = json.loads(capsys.readouterr().out)
    assert value["found"]["train frames"] == value["expected"]["train frames"] - 1
    assert "missing: 3" in value["problems"][0]
    assert all("002.tif" in problem for problem in value["problems"][1:])


@pytest.mark.parametrize("action", [("check",), ("chekc", "ped2"), ("check", "ped2", "ped1")])
def test_other_actions_are_refused(action: tuple[str, ...]) -> None:
    with pytest.raises(PagenError, match="expected 'pagen datasets' or 'pagen datasets check NAME'"):
        run(Datasets(action))


def test_an_unknown_data_set_meets_the_nearest() -> None:
    with pytest.raises(PagenError, match="did you mean 'ped2'"):
        run(Datasets(("check", "pde2")))


def test_the_list_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pagen.footage.list_datasets import Datasets, run; run(Datasets());"
        "print([name for name in ('numpy', 'torch', 'cv2', 'av', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_part_is_not_called_whole_and_the_advice_works_when_typed(
    official: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(official / "Test/Test002")
    with pytest.raises(PagenError, match="or obtain the data set anew; --partial takes the clips that are there"):
        run(Datasets(("check", "ped2"), root=official))
    assert "nothing" not in capsys.readouterr().out
    run(Datasets(("check", "ped2"), root=official, partial=True))
    out = capsys.readouterr().out
    assert "2 of 3 test clips are there" in out
    assert out.endswith("nothing odd about what is there\n")


def test_what_is_advised_of_footage_by_root_works_when_typed(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "a folder"
    root.mkdir()
    shutil.move(official, root / "UCSDped2")
    shutil.rmtree(root / "UCSDped2/Test/Test002")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PagenError) as refused:
        require(locate("ped2", root))
    command = re.findall("'(pagen datasets check .*)' lists all", str(refused.value))[0]
    with pytest.raises(SystemExit):
        cli.main(shlex.split(command)[1:])
    assert "problem: expected 3 test clips" in capsys.readouterr().out
