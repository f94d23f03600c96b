"""The page docs/how-to-add.md: its diffs fit the sources, and with them its commands do what it shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/how-to-add.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
FOOTAGE = {
    "my/footage": {"training/a": 40, "training/b": 24, "testing/x": 30},
    "my/corridor": {"training/01": 40, "testing/01": 30},
}
"""What lies where the commands look: clips and their numbers of frames."""
FILE = re.compile(r"^--- (\S+)\n\+\+\+ b/(\S+)\n(.*?)(?=^--- \S+\n\+\+\+|\Z)", re.MULTILINE | re.DOTALL)
HUNK = re.compile(r"^@@ -\d+,\d+ \+\d+,\d+ @@.*\n((?:[ +-].*\n|\n)*)", re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def applied(diff: str, read: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Files as a diff leaves them. What stands before its + lines must stand once in a file; numbers of lines are none
    of its concern, since a page would have to follow every edit."""
    for before, path, hunks in FILE.findall(diff):
        text = "" if before == "/dev/null" else read(path)
        for hunk in HUNK.findall(hunks):
            lines = [line or " " for line in hunk.splitlines()]
            old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
            new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
            assert not old or text.count(old) == 1, f"{path} holds this {text.count(old)} times:\n{old}"
            text = text.replace(old, new) if old else new
        yield path, text


def test_a_diff_is_applied_where_its_context_stands() -> None:
    text = "a\nb\n\nc\n"
    diff = "--- a/f.py\n+++ b/f.py\n@@ -2,3 +2,3 @@\n b\n\n-c\n+d\n--- /dev/null\n+++ b/g.py\n@@ -0,0 +1,1 @@\n+new\n"
    assert dict(applied(diff, lambda path: text)) == {"f.py": "a\nb\n\nd\n", "g.py": "new\n"}
    with pytest.raises(AssertionError, match=r"f.py holds this 0 times"):
        dict(applied(diff, lambda path: "b\nc\n"))


def changed_tree(section: str, top: Path) -> None:
    """Put the package `pagen` into a folder, the diffs of a section applied."""
    package = {"pagen": top / "pagen", **{room: top / "pagen" / room for room in ("models", "train", "eval")}}
    for room, path in package.items():
        shutil.copytree(ROOT / room, path, ignore=shutil.ignore_patterns("__pycache__"))

    def place(path: str) -> Path:
        room, _, rest = path.partition("/")
        return package[room] / rest

    for diff in blocks(SECTIONS[section], "diff"):
        for path, text in applied(diff, lambda path: place(path).read_text(encoding="utf-8")):
            place(path).write_text(text, encoding="utf-8")


def answer(command: str, tree: Path, folder: Path) -> str:
    """What `pagen` out of that tree prints and says, called in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-P", "-m", *shlex.split(command)]
    done = subprocess.run(
        words, cwd=folder, env=environment, timeout=300, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_page_holds_what_it_promises() -> None:
    assert list(SECTIONS) == ["A method", "An indicator", "A data set", "A kind of features"]


@pytest.mark.parametrize("section", SECTIONS)
def test_with_the_diff_the_commands_do_what_is_shown(
    section: str, write_folder: Callable[..., Path], tmp_path: Path
) -> None:
    changed_tree(section, tmp_path / "tree")
    for folder, lengths in FOOTAGE.items():
        write_folder(tmp_path / folder, lengths, (48, 64))
    commands = [line.removeprefix("$ ") for block in blocks(SECTIONS[section], "sh") for line in block.splitlines()]
    shown = [" ".join(line.split()) for block in blocks(SECTIONS[section], "text") for line in block.splitlines()]
    said = " ".join(" ".join(answer(command, tmp_path / "tree", tmp_path) for command in commands).split())
    assert commands
    assert shown
    assert [line for line in shown if line not in said] == [], said
