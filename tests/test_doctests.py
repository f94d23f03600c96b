"""Every example in a docstring runs, and every public function and class of the rooms that one calls has one."""

from __future__ import annotations

import ast
import doctest
import os
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from pagen.cli import VERBS

ROOT = Path(__file__).parents[1]
TOPS = {"pagen": "pagen", "models": "pagen.models", "train": "pagen.train", "eval": "pagen.eval"}
ROOMS = ("pagen.eval.metrics", "pagen.scoring", "pagen.models", "pagen.generate", "pagen.footage")
"""Whose public functions and classes have an example each."""
SLOW = {"pagen.footage.tvl1", "pagen.generate.diffusion"}
"""Whose examples have torch compile, or make a pipeline."""


@cache
def modules() -> dict[str, Path]:
    """Every module but `__main__` by its name; found by files, since four folders install as one package."""
    files = {}
    for top, package in TOPS.items():
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = [package, *path.relative_to(ROOT / top).with_suffix("").parts]
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: path for name, path in files.items() if not name.endswith("__main__")}


VERB_FILES = {modules()[target.partition(":")[0]] for target, _ in VERBS.values()}


def with_examples() -> list[object]:
    """The names of modules with examples, marked where they take seconds."""
    names = [name for name, path in modules().items() if ">>>" in path.read_text(encoding="utf-8")]
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


def test_every_room_is_looked_through() -> None:
    assert {room for room in ROOMS if not any(name.startswith(f"{room}.") for name in modules())} == set()
    assert {"pagen.registry", "pagen.train.loop"} <= set(modules())


@pytest.mark.parametrize("name", with_examples())
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
            runner.run(test, out=said.append)
    assert runner.tries > 0, "there is >>> in the file, but in no docstring of its own"
    assert not runner.failures, "".join(said)
    assert os.listdir() == [], "an example left files behind"


def public(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The public functions and classes at the top of a module, but for a verb's `run`, which a command line calls."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        is_verb = path in VERB_FILES and getattr(node, "name", "") == "run"
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and not is_verb:
            yield node


def has_example(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether its docstring has an example, or, of a class, that of a method."""
    own = [
        node,
        *(inner for inner in node.body if isinstance(inner, ast.FunctionDef) and isinstance(node, ast.ClassDef)),
    ]
    return any(">>> " in (ast.get_docstring(each) or "") for each in own)


@pytest.mark.parametrize("room", ROOMS)
def test_what_one_calls_has_an_example(room: str) -> None:
    inside = {name: path for name, path in modules().items() if name == room or name.startswith(f"{room}.")}
    without = [f"{name}.{node.name}" for name, path in inside.items() for node in public(path) if not has_example(node)]
    assert not without, "\n".join([f"{len(without)} without an example:", *without])
