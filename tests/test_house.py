"""What keeps the house simple: no circle of imports, few lazy imports, methods that answer for themselves, short code.

Each test lists its offenders. Imports are those of the whole source, inside functions and under TYPE_CHECKING too.
"""

from __future__ import annotations

import ast
import doctest
import re
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from pagen.cli import VERBS

ROOT = Path(__file__).parents[1]
TOPS = {"pagen": "pagen", "models": "pagen.models", "train": "pagen.train", "eval": "pagen.eval"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
METHODS = {
    "LUSS-AE": re.compile(r"luss", re.IGNORECASE),
    "MemAE": re.compile(r"memae", re.IGNORECASE),
    "the semantic discriminator": re.compile(r"discriminator", re.IGNORECASE),
}
GCL = re.compile(r"pagen\.models\.density\.gcl|pagen\.train\.(gcl_|recipes\.gcl)")
"""GCL's generator is taught by a discriminator of its own, which is no semantic discriminator."""
INDICATORS = {"psnr", "flow", "semantic", "vcr", "ffp", "prp", "density", "frame_difference", "flow_speed"}


@dataclass(frozen=True)
class Module:
    """A module's name and source."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def code(self) -> str:
        """Its identifiers and constants, without comments and docstrings, those of attributes included."""
        tree = ast.parse(self.text)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)):
                node.body = [line for line in node.body if not is_text(line)] or [ast.Pass()]
        return ast.unparse(tree)


@dataclass(frozen=True)
class Import:
    """An import of a module of ours: of what, in which line, and whether a function has to be called first."""

    target: str
    line: int
    lazy: bool


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def house() -> dict[str, Module]:
    """Every module by its name."""
    found = {}
    for top, package in TOPS.items():
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = [package, *path.relative_to(ROOT / top).with_suffix("").parts]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path.read_text(encoding="utf-8"))
    return found


def imports(module: Module, names: Mapping[str, object]) -> Iterator[Import]:
    """The imports of `module` that lead to one of the names, wherever they stand."""
    lazy = inside_functions(module)
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in targets(node, names) - {module.name}:
                yield Import(target, node.lineno, id(node) in lazy)


def inside_functions(module: Module) -> set[int]:
    """The identities of all nodes that stand in a function."""
    return {id(inner) for node in ast.walk(module.tree) if isinstance(node, FUNCTIONS) for inner in ast.walk(node)}


def targets(node: ast.Import | ast.ImportFrom, names: Mapping[str, object]) -> set[str]:
    """What an import loads: `from a import b` the module `a.b`, if there is one, and else `a`."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name in names}
    assert not node.level, "imports of this project are absolute"
    inner = {f"{node.module}.{alias.name}" for alias in node.names}
    whole = {str(node.module)} & set(names) if inner - set(names) else set()
    return inner & set(names) | whole


def graph(modules: Mapping[str, Module]) -> dict[str, set[str]]:
    return {name: {found.target for found in imports(module, modules)} for name, module in modules.items()}


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules each of which leads to every other of its group."""
    beyond = {name: reached(name, arrows) for name in arrows}
    groups = {frozenset(other for other in beyond[name] if name in beyond[other]) for name in arrows}
    return sorted(sorted(group) for group in groups if group)


def reached(name: str, arrows: Mapping[str, set[str]]) -> set[str]:
    """All that `name` leads to over any number of arrows; itself only by a circle."""
    seen: set[str] = set()
    waiting = set(arrows[name])
    while waiting:
        seen |= waiting
        waiting = {after for other in waiting for after in arrows[other]} - seen
    return seen


@cache
def graph_of_house() -> dict[str, set[str]]:
    """Every module -> those that it imports."""
    return graph(house())


def made_up(**sources: str) -> dict[str, Module]:
    return {name: Module(name, text) for name, text in sources.items()}


def test_a_circle_is_found_whatever_its_imports_stand_in() -> None:
    lazy = "def f():\n    if True:\n        import c\n"
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import A\n"
    modules = made_up(a="from b import x", b=lazy, c=typed, d="import a, os", e="")
    assert graph(modules) == {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}
    assert circles(graph(modules)) == [["a", "b", "c"]]
    assert [found.lazy for found in imports(modules["b"], modules)] == [True]
    assert [found.lazy for found in imports(modules["c"], modules)] == [False]
    del modules["c"]
    assert circles(graph(modules)) == []


def test_an_import_of_a_module_out_of_its_package_is_one_of_the_module() -> None:
    modules = {"p": Module("p", ""), "p.q": Module("p.q", "")}
    assert {found.target for found in imports(Module("m", "from p import q"), modules)} == {"p.q"}
    assert {found.target for found in imports(Module("m", "from p import q, r"), modules)} == {"p", "p.q"}


def test_no_circle_of_imports() -> None:
    found = circles(graph_of_house())
    assert not found, "\n".join([f"{len(found)} circles:", *map(" ".join, found)])


def test_code_is_read_without_comments_and_docstrings() -> None:
    module = Module("m", '"""LUSS-AE."""\nA = 1  # MemAE\n"""Of LUSS-AE."""\ndef f(x):\n    """Luss."""\n')
    assert module.code == "A = 1\n\ndef f(x):\n    pass"


@cache
def lazy_imports() -> dict[str, bool]:
    """Where a function of a module that is no verb imports one of ours -> whether a comment says why."""
    verbs = {target.partition(":")[0] for target, _ in VERBS.values()}
    found = {}
    for name, module in house().items():
        lines = module.text.splitlines()
        for each in imports(module, house()) if name not in verbs else ():
            if each.lazy:
                reason = "#" in lines[each.line - 1] or lines[each.line - 2].lstrip().startswith("#")
                found[f"{name}:{each.line} {each.target}"] = reason
    return found


def test_few_imports_hide_in_functions() -> None:
    found = sorted(lazy_imports())
    assert len(found) < 10, "\n".join([f"{len(found)} imports, but for verbs:", *found])


def test_each_import_in_a_function_says_why() -> None:
    found = sorted(where for where, reason in lazy_imports().items() if not reason)
    assert not found, "\n".join([f"{len(found)} imports without a comment in their line or the one above:", *found])


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_named_in_few_files(method: str) -> None:
    naming = [name for name, module in house().items() if METHODS[method].search(module.code)]
    if "discriminator" in method:
        naming = [name for name in naming if not GCL.match(name)]
    assert len(naming) <= 4, f"{len(naming)} modules name {method}: {' '.join(naming)}"


def asked_recipes(module: Module) -> Iterator[str]:
    """Where it is asked which recipe a recipe is."""
    for node in ast.walk(module.tree):
        asked: ast.expr | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            asked = node.args[0]
        elif isinstance(node, ast.Match):
            asked = node.subject
        if asked is not None and "recipe" in ast.unparse(asked):
            yield f"{module.name}:{asked.lineno} {ast.unparse(asked)}"


def test_questions_to_recipes_are_found() -> None:
    text = (
        "isinstance(self.recipe, X)\nissubclass(recipe, X)\nisinstance(run, X)\nmatch recipe:\n    case X():\n        0"
    )
    assert sorted(asked_recipes(Module("m", text))) == ["m:1 self.recipe", "m:2 recipe", "m:4 recipe"]


def test_few_ask_which_recipe_a_recipe_is() -> None:
    found = sorted(where for module in house().values() for where in asked_recipes(module))
    assert len(found) < 6, "\n".join([f"{len(found)} questions:", *found])


def functions() -> dict[str, int]:
    """The lines of each function's body, docstring aside."""
    found = {}
    for name, module in house().items():
        for node in ast.walk(module.tree):
            if isinstance(node, FUNCTIONS):
                body = node.body[1:] if is_text(node.body[0]) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                found[f"{name}:{node.lineno} {node.name}"] = lines
    return found


def test_functions_are_short() -> None:
    lengths = functions()
    assert {where: lines for where, lines in lengths.items() if lines > 40} == {}
    assert statistics.median(lengths.values()) <= 5


def example_lines(module: Module) -> int:
    """How many lines of a module are examples in docstrings: what is typed and what is answered."""
    documented = (ast.Module, ast.ClassDef, *FUNCTIONS)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(module.tree) if isinstance(node, documented)]
    examples = [example for text in texts for example in doctest.DocTestParser().get_examples(text)]
    return sum(len(f"{example.source}{example.want}".splitlines()) for example in examples)


def test_lines_of_examples_are_counted() -> None:
    text = '"""Title.\n\nExample:\n    >>> for i in range(2):\n    ...     print(i)\n    0\n    1\n"""\nA = 1\n'
    assert example_lines(Module("m", text)) == 4


def test_modules_stay_small() -> None:
    lengths = {name: len(module.text.splitlines()) - example_lines(module) for name, module in house().items()}
    assert {name: lines for name, lines in lengths.items() if lines > 300} == {}


def indicator_tables(module: Module) -> Iterator[str]:
    """Tables by the names of three indicators and more: dictionaries of modules and classes, and tables in docstrings.

    What a function returns, as the parts of a loss, is no table.
    """
    inner = inside_functions(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict) and id(node) not in inner:
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            if len(known(keys)) > 2:
                yield f"{module.name}:{node.lineno}"
        elif is_text_node(node) and len(known(re.findall(r"^ *\| `(\w+)`", node.value, re.MULTILINE))) > 2:
            yield f"{module.name}:{node.lineno}"


def is_text_node(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def known(names: list[object]) -> set[str]:
    return INDICATORS & {str(name).removesuffix("_local") for name in names}


def test_tables_of_indicators_are_found() -> None:
    text = '"""Said.\n\n| `psnr` | a |\n| `vcr` | b |\n| `prp_local` | c |\n"""\nA = {"psnr": 1, "flow": 2, "x": 3}\n'
    tables = 'class B:\n    c = {"psnr_local": 1, "flow": 2, "vcr": 3}\n'
    parts = 'def f():\n    return {"psnr": 1, "flow": 2, "vcr": 3}\n'
    assert sorted(indicator_tables(Module("m", text + tables + parts))) == ["m:1", "m:9"]


def test_one_table_says_what_indicators_are() -> None:
    found = [where for module in house().values() for where in indicator_tables(module)]
    assert [where.partition(":")[0] for where in found] == ["pagen.scoring.indicator_table"], found


def test_metrics_know_nothing_of_runs() -> None:
    arrows = graph_of_house()
    room = {name for name in arrows if name.startswith("pagen.eval.metrics")}
    outside = {
        name: {other for other in arrows[name] - room if re.match(r"pagen\.(eval|train|models|scoring)", other)}
        for name in room
    }
    assert {name: others for name, others in outside.items() if others} == {}


def test_wings_of_eval_know_nothing_of_each_other() -> None:
    wings = ("pagen.eval.camera", "pagen.eval.report", "pagen.eval.figures", "pagen.eval.transfer")
    found = [
        f"{name} -> {other}"
        for name, others in graph_of_house().items()
        for other in others
        if {wing for wing in wings if name.startswith(wing)} ^ {wing for wing in wings if other.startswith(wing)}
        and name.startswith(wings)
        and other.startswith(wings)
    ]
    assert found == []
