"""What a verb can reach: functions, classes and tables, by the names that the source uses.

Coarser than a run, never finer: a class that is named may be made, and a method of it may be called as soon as anything
that is reached has an attribute of that name. `"module:attribute"` in a table leads to what it names. Annotations lead
nowhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOPS = {"pagen": "pagen", "models": "pagen.models", "train": "pagen.train", "eval": "pagen.eval"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
REFERENCE = re.compile(r"pagen[\w.]*:\w+")
DUNDER = re.compile(r"__\w+__")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Text:
    """A string of the source; what an f-string fills in stands as `{}`."""

    module: str
    line: int
    text: str


@dataclass
class Node:
    """Something that has a name at the top of a module, or a method."""

    names: set[str] = field(default_factory=set)
    """Nodes that it names, as `module:name`."""
    attributes: set[str] = field(default_factory=set)
    texts: list[Text] = field(default_factory=list)
    methods: dict[str, str] = field(default_factory=dict)
    """Of a class: name -> node."""


@cache
def house() -> dict[str, ast.Module]:
    """Every module by its name."""
    found = {}
    for top, package in TOPS.items():
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = [package, *path.relative_to(ROOT / top).with_suffix("").parts]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def graph() -> dict[str, Node]:
    """Every node by `module:name` or `module:Class.method`."""
    nodes: dict[str, Node] = {}
    for name, module in house().items():
        scope = _imports(module.body, name)
        tops = {top for statement in module.body for top in _defined(statement)}
        scope |= {top: f"{name}:{top}" for top in tops}
        for statement in _flat(module.body):
            for top in _defined(statement):
                _add(nodes, name, top, statement, scope)
    return nodes


def reached(starts: Collection[str], barred: Collection[str] = ()) -> set[str]:
    """All nodes that lie on a way from these that passes none of the barred."""
    nodes, seen, attributes = graph(), set[str](), set[str]()
    waiting = {start for start in starts if start in nodes}
    while waiting:
        seen |= waiting
        attributes |= {name for node in waiting for name in nodes[node].attributes}
        named = {_resolved(name) for node in waiting for name in nodes[node].names}
        called = {
            method
            for node in seen
            for name, method in nodes[node].methods.items()
            if name in attributes or DUNDER.fullmatch(name)
        }
        waiting = {node for node in named | called if node in nodes} - seen - set(barred)
    return seen


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under an `if` or a `try` too."""
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _flat([*statement.body, *statement.orelse])
        else:
            yield statement


def _defined(statement: ast.stmt) -> list[str]:
    """What a statement of a module gives names to."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    if isinstance(statement, (ast.If, ast.Try)):
        return [name for inner in _flat([statement]) for name in _defined(inner)]
    return []


def _imports(body: list[ast.stmt], module: str) -> dict[str, str]:
    """Name -> `module:attribute`, or a module, of all imports below these statements, those in functions aside."""
    found: dict[str, str] = {}
    for statement in _flat(body):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                inner = f"{statement.module}.{alias.name}"
                found[alias.asname or alias.name] = inner if inner in house() else f"{statement.module}:{alias.name}"
        elif isinstance(statement, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in statement.names if alias.name in house()}
    return found


def _resolved(name: str) -> str:
    """A name where it is defined, if a module only passes it on."""
    for _ in range(5):
        module, _, attribute = name.partition(":")
        if name in graph() or module not in house():
            return name
        name = _imports(house()[module].body, module).get(attribute, name)
    return name


def _add(nodes: dict[str, Node], module: str, name: str, statement: ast.stmt, scope: Mapping[str, str]) -> None:
    node = nodes.setdefault(f"{module}:{name}", Node())
    if not isinstance(statement, ast.ClassDef):
        _read(node, module, [statement], scope)
        return
    _read(node, module, [*statement.bases, *statement.decorator_list], scope)
    for inner in statement.body:
        if isinstance(inner, FUNCTIONS):
            method = f"{module}:{name}.{inner.name}"
            node.methods[inner.name] = method
            _read(nodes.setdefault(method, Node()), module, [inner], scope)
        else:
            _read(node, module, [inner], scope)


def _read(node: Node, module: str, trees: list[ast.AST], scope: Mapping[str, str]) -> None:
    """Note what these trees name and say."""
    parts = [part for tree in trees for part in _parts(tree)]
    lazy = [part for part in parts if isinstance(part, (ast.Import, ast.ImportFrom))]
    known = {**scope, **_imports(lazy, module)}
    inside = {id(inner) for part in parts if isinstance(part, ast.JoinedStr) for inner in part.values}
    for part in parts:
        if isinstance(part, ast.Name) and part.id in known:
            node.names.add(known[part.id])
        elif isinstance(part, ast.Attribute):
            node.attributes.add(part.attr)
            if isinstance(part.value, ast.Name) and part.value.id in known:
                node.names.add(f"{known[part.value.id]}:{part.attr}")
        elif isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and id(part) not in inside):
            text = _text(part)
            node.names |= {text} if REFERENCE.fullmatch(text) else set()
            node.texts.append(Text(module, part.lineno, text))


def _text(part: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(part, ast.Constant):
        return part.value if isinstance(part.value, str) else ""
    return "".join(_text(value) if isinstance(value, ast.Constant) else "{}" for value in part.values)


def _parts(tree: ast.AST) -> Iterator[ast.AST]:
    """A tree and all that is below it, but for annotations and docstrings."""
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant):
        return
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _parts(child)
