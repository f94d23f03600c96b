"""What a command may empty, and that nothing in a folder of pagen leads out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pagen.cli import main
from pagen.errors import PagenError
from pagen.folders import MANIFEST, Folder, atomic, digests, write_text
from pagen.manifest import kind_of, require_within
from pagen.models.runs import open_run

EXTENSION = {"manifest_version": 3, "name": "Dark mode", "version": "1.0", "schema": 1}
KILLED = """
import os, sys
from pathlib import Path
from pagen.folders import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), 9)
"""
WAITING = """
import sys, time
from pathlib import Path
from pagen.folders import Folder
with Folder.begin(Path(sys.argv[1]), "flow", {}, {}).alone():
    print(flush=True)
    time.sleep(float(sys.argv[2]))
"""


def folder_of(path: Path, kind: str = "flow", **config: Any) -> Folder:
    """A finished folder of one item."""
    folder = Folder.begin(path, kind, config, {})
    write_text(path / "items/a", "content")
    folder.record("a", digests(path, [path / "items/a"]))
    folder.finish()
    return folder


def listing(path: Path) -> dict[str, bytes | str]:
    """All that lies there: what files hold, and where links lead."""
    return {
        str(each.relative_to(path)): os.readlink(each) if each.is_symlink() else each.read_bytes()
        for each in sorted(path.rglob("*"))
        if each.is_symlink() or each.is_file()
    }


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Somebody's folder, which nobody may touch."""
    (tmp_path / "outside/items").mkdir(parents=True)
    for name in ("a", "items/a"):
        (tmp_path / "outside" / name).write_text("years of work")
    return tmp_path / "outside"


@pytest.mark.parametrize(
    "content", [json.dumps(EXTENSION), '{"schema": 1, "pagen": "0.1.0"}', "{", "[]", "", "null", "[" * 5000]
)
def test_what_only_looks_like_a_folder_of_pagen_is_never_emptied(content: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(content)
    (tmp_path / "background.js").write_text("years")
    before = listing(tmp_path)
    with pytest.raises(
        PagenError, match=r"expected a flow folder to overwrite at .*, found none of pagen's; remove it"
    ):
        Folder.begin(tmp_path, "flow", {}, {}, overwrite=True)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("schema", [1, 0, 99])
def test_one_kind_never_empties_another_and_any_schema_can_be_made_again(schema: int, tmp_path: Path) -> None:
    folder_of(tmp_path, "run")
    content = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps({**content, "schema": schema}))
    before = listing(tmp_path)
    for kind in ("prepared", "pa_set", "flow", "features", "scores", "maps", "rows"):
        with pytest.raises(PagenError, match=f"expected a {kind} folder to overwrite at .*, found a run folder"):
            Folder.begin(tmp_path, kind, {}, {}, overwrite=True)
    assert listing(tmp_path) == before
    assert Folder.begin(tmp_path, "run", {}, {}, overwrite=True).items == {}
    assert list(listing(tmp_path)) == [MANIFEST]


@pytest.mark.parametrize("kind", ["prepared", "pa_set", "flow", "features", "scores", "run"])
def test_no_other_out_is_advised_for_what_lies_in_the_cache(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verbs without --out fill folders there; what is advised works for all of them."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / kind
    write_text(path / "a", "somebody's")
    with pytest.raises(PagenError, match=r"is not a pagen folder and is not empty; remove it$"):
        Folder.begin(path, kind, {}, {})
    (path / MANIFEST).write_text(json.dumps(EXTENSION))
    with pytest.raises(PagenError, match=r"found none of pagen's; remove it$"):
        Folder.begin(path, kind, {}, {}, overwrite=True)
    folder_of(tmp_path / "cache/other", kind, size=1)
    with pytest.raises(PagenError, match=r"was made otherwise: size 1 there, 2 asked; remove it$"):
        Folder.begin(tmp_path / "cache/other", kind, {"size": 2}, {})


@pytest.mark.slow
@pytest.mark.parametrize("words", ["prepare --size 48 64", "generate --size 48 64 --kinds skip"])
def test_a_run_is_never_deleted_by_a_verb_that_makes_something_else(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(tmp_path / "run", "run")
    before = listing(tmp_path / "run")
    asked = [*words.split(), "--dataset", "street", "--out", str(tmp_path / "run"), "--overwrite", "--workers", "0"]
    with pytest.raises(SystemExit) as end:
        main(asked)
    assert end.value.code == 2
    assert "found a run folder; give another --out, or remove it" in capsys.readouterr().err.splitlines()[-1]
    assert listing(tmp_path / "run") == before


def write_item(folder: Path) -> None:
    write_text(folder / "items/b", "new")


def write_folder(folder: Path) -> None:
    Folder.begin(folder / "items", "scores", {}, {})


def empty_folder(folder: Path) -> None:
    Folder.begin(folder / "items", "flow", {}, {}, overwrite=True)


def read_items(folder: Path) -> None:
    Folder.open(folder, "flow")


def read_folder(folder: Path) -> None:
    Folder.open(folder / "items", "flow")


@pytest.mark.parametrize("reach", [write_item, write_folder, empty_folder, read_items, read_folder])
@pytest.mark.parametrize("absolute", [True, False])
def test_no_link_in_a_folder_is_followed(
    reach: Callable[[Path], None], absolute: bool, outside: Path, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "folder").path
    folder_of(tmp_path / "other")
    (folder / "items/a").unlink()
    (folder / "items").rmdir()
    target = outside if reach is not read_folder else tmp_path / "other"
    (folder / "items").symlink_to(target if absolute else Path("..") / target.name)
    before = listing(tmp_path)
    with pytest.raises(PagenError, match=r"expected no link .*items"):
        reach(folder)
    assert listing(tmp_path) == before


def test_a_file_that_is_a_link_is_refused_and_what_replaces_it_leaves_its_target(outside: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "folder").path
    (folder / "items/a").unlink()
    (folder / "items/a").symlink_to(outside / "a")
    with pytest.raises(PagenError, match="expected no link"):
        Folder.open(folder, "flow", verify=False)
    assert Folder.begin(folder, "flow", {}, {}).pending(["a"]) == ["a"]
    write_text(folder / "items/a", "new")
    assert (outside / "a").read_text() == "years of work"
    assert not (folder / "items/a").is_symlink()


def test_emptying_and_sweeping_remove_links_and_not_what_they_name(outside: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "folder").path
    before = listing(outside)
    for name in ("link", ".tmp-12345678-a", "items/.tmp-9"):
        (folder / name).symlink_to(outside)
    os.mkfifo(folder / ".tmp-pipe")  # whoever opened it would wait for ever
    Folder.begin(folder, "flow", {}, {})
    assert [path.name for path in folder.rglob(".tmp-*")] == []
    Folder.begin(folder, "flow", {}, {}, overwrite=True)
    assert (list(listing(folder)), listing(outside)) == ([MANIFEST], before)


def test_a_link_that_the_user_names_is_followed_and_so_are_folders_of_others(outside: Path, tmp_path: Path) -> None:
    (outside / MANIFEST).write_text(json.dumps(EXTENSION))
    (tmp_path / "disk").mkdir()
    (outside / "out").symlink_to(tmp_path / "disk")
    folder = folder_of(outside / "out/runs").path
    assert Folder.open(folder, "flow").path == folder
    assert (tmp_path / "disk/runs" / MANIFEST).exists()


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "..", "", ".", "C:/a", "..\\a", "\\\\host\\a"])
def test_names_that_lead_out_are_refused_whatever_they_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="expected names below its folder"):
        require_within(name, tmp_path)
    folder = folder_of(tmp_path / "folder").path
    content = json.loads((folder / MANIFEST).read_text())
    item = content["items"]["a"]
    for changed in (
        {"items": {name: item}},
        {"items": {"a": {"files": {name: {"bytes": 0, "sha256": ""}}}}},
        {"config": {"clips": [name]}},
        {"config": {"clips": [[name, "test"]]}},
    ):
        (folder / MANIFEST).write_text(json.dumps({**content, **changed}))
        for attempt in (lambda: Folder.open(folder, "flow"), lambda: Folder.begin(folder, "flow", {}, {})):
            with pytest.raises(PagenError, match=r"expected names below its folder in .*manifest\.json"):
                attempt()


@pytest.mark.parametrize("member", [".", "..", "../run", "/", "", "link"])
def test_members_that_name_themselves_are_refused(member: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    folder = Folder.begin(run, "run", {}, {})
    (run / "link").symlink_to(".")
    write_text(run / "recipe.json", json.dumps({"recipe": "unified", "members": [member]}))
    folder.record("run", digests(run, [run / "recipe.json"]))
    folder.finish()
    with pytest.raises(PagenError, match=r"expected (names below|no link)"):
        open_run(run)


def test_what_a_killed_process_left_beside_a_table_goes_when_it_is_written_again(tmp_path: Path) -> None:
    table = tmp_path / "table[1].md"
    assert subprocess.run([sys.executable, "-P", "-c", KILLED, table], check=False).returncode == -9
    other = tmp_path / ".tmp-12345678-other.md"
    other.write_text("somebody's")
    assert len(list(tmp_path.iterdir())) == 2
    with atomic(table) as one, atomic(table) as two:  # what is being written stays
        one.write_text("one")
        two.write_text("two")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, table.name]
    assert table.read_text() == "one"


def test_whoever_comes_second_waits_and_says_what_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-P", "-c", WAITING, out, "60"], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = [sys.executable, "-P", "-c", WAITING, out, "0"]
        with subprocess.Popen(second, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr is not None
            assert waiting.stderr.readline() == f"waiting for another command, which fills {out}\n"
            assert waiting.poll() is None
            first.kill()
            assert (waiting.communicate(timeout=60), waiting.returncode) == (("\n", ""), 0)
    assert list(listing(out)) == [MANIFEST]


def test_whoever_waited_to_make_a_folder_again_takes_the_one_that_was_just_made(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with folder.alone():
        made = (tmp_path / "items/a").stat().st_mtime_ns
        again = (
            "import sys, pathlib; from pagen.folders import Folder; "
            "Folder.begin(pathlib.Path(sys.argv[1]), 'flow', {}, {}, overwrite=True)"
        )
        second = subprocess.Popen([sys.executable, "-P", "-c", again, tmp_path], stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        second.stderr.readline()
    assert second.wait(60) == 0
    second.stderr.close()
    assert (tmp_path / "items/a").stat().st_mtime_ns == made


def test_two_commands_that_want_something_else_of_one_folder_never_mix_it(tmp_path: Path) -> None:
    first = Folder.begin(tmp_path, "flow", {"size": 1}, {})
    (tmp_path / MANIFEST).unlink()
    Folder.begin(tmp_path, "flow", {"size": 2}, {})  # which saw no manifest when the first did not either
    with pytest.raises(PagenError, match="was made otherwise: size 2 there, 1 asked"):
        first.record("a", {})
    assert Folder.open(tmp_path, "flow", partial=True).config == {"size": 2}


def test_kinds_are_told_of_pagens_folders_alone(tmp_path: Path) -> None:
    folder_of(tmp_path / "mine", "maps")
    assert (kind_of(tmp_path / "mine"), kind_of(tmp_path)) == ("maps", None)
