"""Whatever a reader of labels refuses, it says what to do about it: behind a semicolon, or as a question."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pagen.footage import images, labels

FOLDER = Path(labels.__file__).parent
FILES = [*sorted(FOLDER.glob("*.py")), Path(images.__file__)]


def messages(path: Path) -> Iterator[str]:
    """The source of what is made a `PagenError` in a module."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PagenError":
            yield " ".join(ast.unparse(argument) for argument in node.args)


def advises(message: str) -> bool:
    return ";" in message or "?" in message


def test_every_refusal_of_a_reader_says_what_to_do() -> None:
    found = [(path.name, message) for path in FILES for message in messages(path)]
    assert len(found) > 30
    assert [pair for pair in found if not advises(pair[1])] == []
