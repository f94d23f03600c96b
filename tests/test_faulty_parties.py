"""Entries of others that are faulty: one line each, which names the entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pagen.cli import main
from pagen.errors import PagenError
from pagen.registry import Registry, resolve
from pagen.spread import spread
from pagen.third_party import named

OPEN = {**os.environ, "PYTHONSAFEPATH": ""}
"""The folder of a script is looked at for modules."""
TABLES = (
    "pagen.footage.catalogue:DATASETS",
    "pagen.footage.flow:FLOWS",
    "pagen.generate.mask_kinds:MASKS",
    "pagen.generate.inpainters:INPAINTERS",
    "pagen.generate.frame_flags:PATCH_MASKS",
    "pagen.generate.frame_flags:SOURCES",
    "pagen.models.networks:NETWORKS",
    "pagen.train.recipes.table:RECIPES",
    "pagen.scoring.indicator_table:INDICATORS",
    "pagen.features.kinds:FEATURES",
    "pagen.features.box_kinds:BOXES",
    "pagen.models.encoders.kinds:ENCODERS",
    "pagen.models.density.detectors:DETECTORS",
    "pagen.eval.protocols:PROTOCOLS",
)
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("pagen.flows", "theirs = faulty_x:open", code)`: a package of somebody else's."""

    def installed(group: str, entry: str, code: str) -> None:
        module = entry.partition("= ")[2].partition(":")[0]
        info = tmp_path / "faulty-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return installed


@pytest.mark.parametrize(
    ("entry", "code", "found"),
    [
        ("theirs = faulty_a:GONE", "", "AttributeError"),
        ("theirs = faulty_b:X", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("theirs = faulty_c:X", "X = 1 / 0", "ZeroDivisionError: division by zero"),
        ("theirs = faulty_d:X", "def X(:", "SyntaxError"),
    ],
)
def test_an_entry_that_cannot_be_imported_is_told(install: Install, entry: str, code: str, found: str) -> None:
    install("pagen.tests", entry, code)
    with pytest.raises(
        PagenError, match=rf"expected a thing by the entry point {entry} \(pagen.tests\) of faulty, "
    ) as told:
        Registry("thing", "pagen.tests")["theirs"]
    assert found in str(told.value)


def test_an_entry_of_another_kind_is_told(install: Install) -> None:
    install("pagen.tests", "theirs = faulty_e:X", "X = 7")
    with pytest.raises(PagenError, match="expected a thing to be registered as 'theirs', found 7; mend that"):
        Registry("thing", "pagen.tests", fits=callable)["theirs"]


def test_every_table_refuses_what_is_no_row() -> None:
    for table in TABLES:
        registry = resolve(table)
        registry._table["no row"] = 7
        try:
            with pytest.raises(PagenError, match=r"expected a .* found 7; "):
                registry["no row"]
        finally:
            del registry._table["no row"]


def test_what_an_entry_raises_is_told_in_one_line(
    install: Install, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    install("pagen.flows", "broken = faulty_f:open_broken", "def open_broken(option):\n    return {}[option]\n")
    assert [point.name for point in entry_points(group="pagen.flows")] == ["broken"]
    with pytest.raises(SystemExit) as left:
        main(
            ["generate", "--dataset", "street", "--kinds", "temporal", "--flow", "broken", "--out", str(tmp_path / "o")]
        )
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.startswith(
        "pagen: the entry point broken = faulty_f:open_broken (pagen.flows) of faulty raised KeyError ('') in "
    )
    assert said.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_what_an_entry_raises_in_a_worker_is_told_too(install: Install, workers: int) -> None:
    install("pagen.tests", "theirs = faulty_g:fail", "def fail(item):\n    raise ValueError(f'not {item}')\n")
    fail = Registry[Callable[[int], int]]("thing", "pagen.tests")["theirs"]
    with (
        pytest.raises(
            PagenError, match=r"theirs = faulty_g:fail \(pagen.tests\) of faulty raised ValueError \(not 3\)"
        ),
        named(),
    ):
        list(spread(fail, [3], workers))


def test_errors_of_ours_stay_as_they_are(install: Install) -> None:
    install("pagen.tests", "theirs = faulty_h:X", "X = 1")
    with pytest.raises(ZeroDivisionError), named():
        1 / 0  # noqa: B018  # raises


SCRIPT = """
from pagen.footage.flow import FLOWS, open_flow
from pagen.registry import Registry
from pagen.spread import spread
import {module} as home

def of_script(item):
    return item

THINGS = Registry("thing", "pagen.things")
if __name__ == "__main__":
    {what}
"""
HOME = """
from pagen.footage.flow import FLOWS

def theirs(option):
    return option

def look(name):
    return FLOWS[name]("option")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ('FLOWS.register("own", home.theirs); print(list(spread(home.look, ["own"], 1)))', "[('own', 'option')]"),
        (
            'FLOWS.register("own", of_script); print(list(spread(home.look, ["own"], 1)))',
            "PagenError: expected a flow 'own' that worker processes can import, found one of the script that was "
            "started; put it in a module of its own and register it from there, or take 0 workers",
        ),
        (
            "print(list(spread(of_script, [1], 1)))",
            "PagenError: expected functions and classes that worker processes can import, found others",
        ),
        ("print(list(spread(of_script, [1], 0)))", "[(1, 1)]"),
    ],
)
def test_what_a_script_registers_reaches_worker_processes_or_is_refused(what: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "home.py").write_text(HOME)
    (tmp_path / "script.py").write_text(SCRIPT.format(module="home", what=what))
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, env=OPEN)
    assert said in done.stdout + done.stderr.strip().rpartition("\n")[2]
