"""What is being written and what a killed process left: told apart by locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pagen.folders import MANIFEST, Folder, atomic, digests, tree_hash, write_text
from pagen.locks import locked, unless_held

WRITING = """
import sys, time
from pathlib import Path
from pagen.folders import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(flush=True)
    time.sleep(60)
"""
FILLING = """
import sys
from pathlib import Path
from pagen.fill import fill
from pagen.folders import Folder, digests, write_text
top = Path(sys.argv[1])
def make(name):
    write_text(top / f"items/{name}", name)
    return digests(top, [top / f"items/{name}"])
fill(Folder.begin(top, "flow", {}, {}), sys.argv[2].split(","), make, 0, "fill")
"""


def begin(path: Path) -> Folder:
    return Folder.begin(path, "flow", {}, {})


def add(folder: Folder, name: str) -> None:
    file = folder.path / "items" / name
    write_text(file, name)
    folder.record(name, digests(folder.path, [file]))


def test_a_sweep_leaves_alone_what_a_living_process_writes_and_takes_it_when_that_is_killed(tmp_path: Path) -> None:
    add(begin(tmp_path / "out"), "a")
    target = tmp_path / "out/items/b"
    with subprocess.Popen([sys.executable, "-P", "-c", WRITING, target], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        begin(tmp_path / "out").finish()
        (written,) = (tmp_path / "out/items").glob(".tmp-*-b")
        assert written.read_text() == "half"
        os.kill(writer.pid, signal.SIGKILL)
    begin(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/items").iterdir()] == ["a"]


def test_what_is_written_here_is_not_swept_and_takes_its_place(tmp_path: Path) -> None:
    folder = begin(tmp_path / "out")
    with atomic(tmp_path / "out/items/a") as temporary:
        temporary.write_text("whole")
        begin(tmp_path / "out")
    assert (folder.path / "items/a").read_text() == "whole"
    assert not list(folder.path.rglob(".tmp-*"))


def test_a_folder_can_be_held_too(tmp_path: Path) -> None:
    with locked(tmp_path), unless_held(tmp_path) as free:
        assert not free
    with unless_held(tmp_path) as free:
        assert free


def test_several_commands_note_their_items_in_one_manifest(tmp_path: Path) -> None:
    one, other = begin(tmp_path / "out"), begin(tmp_path / "out")
    add(one, "a")
    add(other, "b")
    add(one, "c")
    other.finish()
    both = Folder.open(tmp_path / "out", "flow")
    assert sorted(both.items) == ["a", "b", "c"]
    add(one, "c")  # once more, the same bytes: nothing is missing by that
    assert Folder.open(tmp_path / "out", "flow").complete


def test_starting_again_forgets_what_others_noted(tmp_path: Path) -> None:
    add(begin(tmp_path / "out"), "a")
    assert Folder.begin(tmp_path / "out", "flow", {}, {}, overwrite=True).items == {}
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [MANIFEST]


def test_commands_that_fill_one_folder_at_once_leave_what_one_alone_leaves(tmp_path: Path) -> None:
    names = [f"clip_{number}" for number in range(12)]
    shares = [names, names, names[6:], names[::2]]
    commands = [[sys.executable, "-P", "-c", FILLING, tmp_path / "all", ",".join(share)] for share in shares]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in processes:
        _, said = process.communicate()
        assert process.returncode == 0, said
    alone = begin(tmp_path / "alone")
    for name in names:
        add(alone, name)
    alone.finish()
    assert tree_hash(tmp_path / "all") == tree_hash(tmp_path / "alone")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_file_system_without_locks_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    folder = begin(tmp_path / "out")
    add(folder, "a")
    folder.finish()
    assert Folder.open(tmp_path / "out", "flow").complete
