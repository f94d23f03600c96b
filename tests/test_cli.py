from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pagen import __version__, cli
from pagen.cli import VERBS, main

pytestmark = pytest.mark.slow

Answers = list[dict[str, Any]]

# Many command lines in one fresh process, which tells for each what it printed and what it had imported.
MANY = """
import contextlib, io, json, sys
from pagen.cli import main

answers = []
for argv in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(argv)
        except SystemExit as end:
            code = end.code or 0
    slow = {"torch", "numpy", "pydantic", "cv2", "skimage", "sklearn", "diffusers", "matplotlib"}
    heavy = sorted(slow & set(sys.modules))
    answers.append({"argv": argv, "code": code, "out": out.getvalue(), "err": err.getvalue(), "heavy": heavy})
print(json.dumps(answers))
"""
RECIPES = ("baseline", "skip", "spatial", "temporal")
HELP = [["--help"], ["-h"], [], ["--version"]]
HELP += [[verb, "--help"] for verb in VERBS] + [["train", recipe, "--help"] for recipe in RECIPES]
WRONG = {
    ("prepair", "--dataset", "ped2"): "no verb named 'prepair'; did you mean 'prepare'? known: ",
    ("generate", "--dataset", "pde2"): "no data set named 'pde2'; did you mean 'ped2'? known: avenue ",
    ("prepare", "--dataset", "pde2"): "no data set named 'pde2'; did you mean 'ped2'?",
    ("evaluate", "--dataset", "pde2"): "no data set named 'pde2'; did you mean 'ped2'?",
    ("train", "skip", "--dataset", "pde2"): "no data set named 'pde2'; did you mean 'ped2'?",
    ("train", "skipp", "--dataset", "ped2"): "no recipe named 'skipp'; did you mean 'skip'?",
    ("train", "skip", "--scale", "tny", "--dataset", "ped2"): "no scale named 'tny'; did you mean 'tiny'?",
    ("datasets", "chek", "ped2"): "expected 'pagen datasets' or 'pagen datasets check NAME', found 'chek ped2'",
    ("datasets", "check", "pde2"): "no data set named 'pde2'; did you mean 'ped2'?",
    ("evaluate", "no/run", "--dataset", "ped2"): "expected a run folder of pagen at no/run, found no manifest.json",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], dict[str, Any]]:
    """Command line -> code, out, err, heavy."""
    lines = json.dumps([*HELP, *map(list, WRONG)])
    command = [sys.executable, "-c", MANY, lines]
    done = subprocess.run(command, cwd=tmp_path_factory.mktemp("cli"), capture_output=True, text=True, check=True)
    return {tuple(answer["argv"]): answer for answer in json.loads(done.stdout)}


@pytest.mark.parametrize("argv", [tuple(argv) for argv in HELP])
def test_help_is_printed_on_stdout(argv: tuple[str, ...], answers: dict[tuple[str, ...], dict[str, Any]]) -> None:
    answer = answers[argv]
    assert (answer["code"], answer["err"]) == (0, "")
    assert answer["out"].strip()
    if "--version" in argv:
        assert answer["out"] == f"pagen {__version__}\n"
    elif len(argv) < 2:
        assert [line.split()[0] for line in answer["out"].splitlines() if line.startswith("  ")] == list(VERBS)
    else:
        assert answer["out"].startswith(f"usage: pagen {argv[0]}")
        if argv != ("train", "--help"):
            assert "--json" in answer["out"] or argv[0] == "demo"


@pytest.mark.parametrize("argv", list(WRONG), ids=" ".join)
def test_slips_get_one_line_and_two(argv: tuple[str, ...], answers: dict[tuple[str, ...], dict[str, Any]]) -> None:
    answer = answers[argv]
    assert (answer["code"], answer["out"]) == (2, "")
    assert answer["err"].startswith(f"pagen: {WRONG[argv]}")
    assert answer["err"].count("\n") == 1


def test_help_and_slips_import_nothing_heavy(answers: dict[tuple[str, ...], dict[str, Any]]) -> None:
    assert {argv: answer["heavy"] for argv, answer in answers.items() if answer["heavy"]} == {}


@pytest.mark.parametrize(
    "argv",
    [["prepare"], ["prepare", "--dataset", "ped2", "--nonsense"], ["generate", "--dataset", "ped2", "--kinds", "x"]],
)
def test_flags_that_are_missing_or_unknown_exit_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"pagen {argv[0]} --help" in printed.err


def test_every_verb_of_the_table_is_there() -> None:
    from importlib import import_module

    for target, summary in VERBS.values():
        name, config = target.split(":")
        module = import_module(name)
        assert callable(module.run)
        assert (getattr(module, config).__doc__ or "").strip()
        assert summary[0].islower()


def _raise(error: BaseException) -> Any:
    def dispatch(argv: object) -> None:
        raise error

    return dispatch


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            KeyboardInterrupt(),
            130,
            "pagen: interrupted; what is done is kept, and the same command goes on from there\n",
        ),
        (
            OSError(28, "No space left on device", "/x/y"),
            2,
            "pagen: cannot write or read /x/y: No space left on device; mend that and run the same command again\n",
        ),
        (
            OSError(27, "File too large"),
            2,
            "pagen: cannot write or read: File too large; mend that and run the same command again\n",
        ),
    ],
)
def test_what_is_no_bug_gets_one_line(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "dispatch", _raise(error))
    with pytest.raises(SystemExit) as end:
        main(["prepare"])
    assert (end.value.code, capsys.readouterr()) == (code, ("", line))


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(5, "Input/output error"), AssertionError()])
def test_a_bug_stays_a_traceback(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "dispatch", _raise(error))
    with pytest.raises(type(error)):
        main(["prepare"])


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    try:
        command = [sys.executable, "-m", "pagen", "--help"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=write, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
