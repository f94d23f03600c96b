from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pagen.digests import _read, sha256_of
from pagen.errors import PagenError
from pagen.folders import MANIFEST, Folder, atomic, digest, digests, fingerprint, tree_hash, write_json, write_text

CONFIG = {"size": (4, 6), "colour": False, "recipe": {"lr": 0.1, "epochs": 3}}


def begin(path: Path, overwrite: bool = False, **changes: object) -> Folder:
    return Folder.begin(path, "flow", {**CONFIG, **changes}, {"prepared": "abc"}, {"root": "here"}, overwrite)


def add(folder: Folder, name: str, content: str) -> None:
    file = folder.path / f"items/{name}.txt"
    write_text(file, content)
    folder.record(name, digests(folder.path, [file]), length=(len(content),))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A finished folder of two items."""
    folder = begin(tmp_path / "whole")
    add(folder, "a", "first")
    add(folder, "b", "second")
    folder.finish()
    return folder.path


def names(path: Path) -> list[str]:
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep/er/file.txt"
    with atomic(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == target.parent  # a rename must not cross file systems
        assert not target.exists()
    assert names(tmp_path) == ["deep/er/file.txt"]
    assert target.read_text() == "new"


def _stop(temporary: Path) -> None:
    temporary.write_text("half")
    raise KeyboardInterrupt


def _write_nothing(temporary: Path) -> None:
    pass


@pytest.mark.parametrize(("writer", "error"), [(_stop, KeyboardInterrupt), (_write_nothing, FileNotFoundError)])
def test_a_writer_that_fails_leaves_what_was_there(
    writer: Callable[[Path], None], error: type[BaseException], tmp_path: Path
) -> None:
    write_text(tmp_path / "old.txt", "old")
    for target in ("old.txt", "new.txt"):
        with pytest.raises(error), atomic(tmp_path / target) as temporary:
            writer(temporary)
    assert names(tmp_path) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_json_is_sorted_and_the_digest_that_of_sha256sum(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": (2, 3)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [2, 3], "b": 1}
    write_text(tmp_path / "abc", "abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert digest(tmp_path / "abc") == {"bytes": 3, "sha256": known}


def test_the_same_command_resumes(tmp_path: Path) -> None:
    folder = begin(tmp_path / "out")
    assert folder.pending(["a", "b"]) == ["a", "b"]
    add(folder, "a", "first")
    with pytest.raises(PagenError, match="not finished; run the command that makes it again, it resumes"):
        Folder.open(tmp_path / "out", "flow")
    assert list(Folder.open(tmp_path / "out", "flow", partial=True).items) == ["a"]
    again = begin(tmp_path / "out")
    assert again.pending(["a", "b"]) == ["b"]
    assert again.items["a"]["length"] == [5]
    add(again, "b", "second")
    again.finish()
    assert Folder.open(tmp_path / "out", "flow").pending(["a", "b"]) == []


def test_a_finished_folder_is_not_touched_again(whole: Path) -> None:
    before = (whole / MANIFEST).stat()
    folder = begin(whole)
    assert folder.pending(["a", "b"]) == []
    folder.finish()
    after = (whole / MANIFEST).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_one_more_item_makes_it_unfinished(whole: Path) -> None:
    add(begin(whole), "c", "third")
    with pytest.raises(PagenError, match="not finished"):
        Folder.open(whole, "flow")


def test_removed_and_shortened_files_are_pending(whole: Path) -> None:
    (whole / "items/a.txt").unlink()
    assert begin(whole).pending(["a", "b"]) == ["a"]
    (whole / "items/b.txt").write_text("sec")
    assert begin(whole).pending(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"size": (4, 7)}, r"size \[4, 6\] there, \[4, 7\] asked"),
        ({"colour": True}, "colour False there, True asked"),
        ({"recipe": {"lr": 0.2, "epochs": 3}}, r"otherwise: recipe\.lr 0\.1 there, 0\.2 asked; remove it"),
        ({"new": 1}, "new None there, 1 asked"),
    ],
)
def test_another_configuration_is_refused_by_its_name(changes: dict[str, object], named: str, whole: Path) -> None:
    before = tree_hash(whole)
    with pytest.raises(PagenError, match=named) as caught:
        begin(whole, **changes)
    assert "\n" not in str(caught.value)
    assert tree_hash(whole) == before


def test_other_inputs_and_kinds_are_refused(whole: Path) -> None:
    with pytest.raises(PagenError, match="prepared 'abc' there, 'xyz' asked"):
        Folder.begin(whole, "flow", CONFIG, {"prepared": "xyz"})
    with pytest.raises(PagenError, match="kind 'flow' there, 'scores' asked"):
        Folder.begin(whole, "scores", CONFIG, {"prepared": "abc"})
    with pytest.raises(PagenError, match=r"expected a run folder at .*, found a flow folder"):
        Folder.open(whole, "run")


def test_overwrite_starts_again(whole: Path) -> None:
    folder = begin(whole, overwrite=True, colour=True)
    assert names(whole) == [MANIFEST]
    assert folder.pending(["a"]) == ["a"]
    assert not folder.complete
    assert Folder.open(whole, "flow", partial=True).config["colour"] is True


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_ours_is_never_removed(overwrite: bool, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    for path in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(PagenError, match="is not a pagen folder and is not empty"):
            begin(path, overwrite)
    assert names(tmp_path) == ["thesis.tex"]


def test_an_overwriting_that_was_killed_can_be_taken_up(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(folder: Folder, afresh: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            begin(whole, overwrite=True)
    assert names(whole) == [MANIFEST]  # without it the folder would be nobody's
    assert begin(whole).pending(["a", "b"]) == ["a", "b"]
    assert begin(whole, overwrite=True, colour=True).items == {}


def test_missing_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected a flow folder of pagen at .*, found no manifest\.json"):
        Folder.open(tmp_path, "flow")
    with pytest.raises(PagenError, match=r"found no manifest\.json"):
        Folder.open(tmp_path / "nowhere", "flow")


def test_missing_files_are_told(whole: Path) -> None:
    (whole / "items/a.txt").unlink()
    with pytest.raises(PagenError, match=r"missing file .*a\.txt"):
        Folder.open(whole, "flow")


def test_another_size_is_told_without_hashing(whole: Path) -> None:
    (whole / "items/a.txt").write_text("first and more")
    with pytest.raises(PagenError, match=r"damaged file .*a\.txt: expected 5 bytes, found 14"):
        Folder.open(whole, "flow", verify=False)


def test_a_flipped_byte_is_told_by_its_hash(whole: Path) -> None:
    (whole / "items/b.txt").write_text("sEcond")
    Folder.open(whole, "flow", verify=False)
    with pytest.raises(PagenError, match=r"damaged file .*b\.txt: its SHA-256 .*; remove the file and run"):
        Folder.open(whole, "flow")


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}', "[]", "null", '"x"', "\x00\x01"])
def test_a_damaged_manifest_is_told_and_its_folder_never_emptied(content: str, whole: Path) -> None:
    (whole / MANIFEST).write_text(content)
    before = names(whole)
    for attempt in (lambda: Folder.open(whole, "flow"), lambda: begin(whole)):
        with pytest.raises(PagenError, match=r"manifest\.json, found .*; remove .* and make it again"):
            attempt()
    with pytest.raises(PagenError, match="found none of pagen's; remove it"):
        begin(whole, overwrite=True)
    assert names(whole) == before


def test_another_schema_is_told(whole: Path) -> None:
    content = json.loads((whole / MANIFEST).read_text())
    (whole / MANIFEST).write_text(json.dumps({**content, "schema": 99}))
    with pytest.raises(PagenError, match="has schema 99, this pagen reads 1"):
        Folder.open(whole, "flow")


def test_leftovers_of_killed_processes_are_swept(whole: Path) -> None:
    clean = tree_hash(whole)
    (whole / "items/.tmp-123-c.txt").write_text("half")
    (whole / ".tmp-123-manifest.json").write_text("{")
    (whole / "items/.tmp-9-model").mkdir()
    (whole / "items/.tmp-9-model/weights").write_text("half")
    begin(whole)
    assert tree_hash(whole) == clean
    assert not list(whole.rglob(".tmp-*"))


def test_a_command_killed_at_its_first_manifest_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.tmp-123-manifest.json").write_text("{")
    begin(tmp_path / "out").finish()
    assert names(tmp_path / "out") == [MANIFEST]


def test_what_differs_from_machine_to_machine_counts_nowhere(whole: Path) -> None:
    before = tree_hash(whole), Folder.open(whole, "flow").fingerprint()
    Folder.begin(whole, "flow", CONFIG, {"prepared": "abc"}, {"root": "elsewhere"})
    folder = Folder.open(whole, "flow")
    assert folder.volatile == {"root": "elsewhere"}
    assert (tree_hash(whole), folder.fingerprint()) == before


def test_every_byte_counts(whole: Path, tmp_path: Path) -> None:
    def rebuilt(name: str, first: str = "first", **changes: object) -> tuple[str, str]:
        folder = begin(tmp_path / name, **changes)
        add(folder, "b", "second")  # in another order
        add(folder, "a", first)
        folder.finish()
        return folder.fingerprint(), tree_hash(folder.path)

    same = Folder.open(whole, "flow").fingerprint(), tree_hash(whole)
    assert rebuilt("twin") == same
    for other in (rebuilt("other", "First"), rebuilt("another", colour=True)):
        assert other[0] != same[0]
        assert other[1] != same[1]
    os.rename(whole / "items/a.txt", whole / "items/c.txt")
    assert tree_hash(whole) != same[1]


def test_fingerprint_depends_on_names_and_bytes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.npy", "b.npy")]
    files[0].write_bytes(b"1")
    files[1].write_bytes(b"2")
    first = fingerprint(tmp_path, files)
    assert first == fingerprint(tmp_path, files[::-1])
    files[1].write_bytes(b"3")
    assert first != fingerprint(tmp_path, files)
    files[1].write_bytes(b"2")
    assert first != fingerprint(tmp_path, [files[0], files[1].rename(tmp_path / "c.npy")])


def test_what_has_not_changed_is_read_once_a_process(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many runs on many data sets open the same folders time and again; damage is seen nevertheless."""
    reads, read = list[Path](), _read
    monkeypatch.setattr("pagen.digests._read", lambda path: (reads.append(path), read(path))[1])
    monkeypatch.setattr("pagen.digests.settled", lambda stamp, now: True)
    for _ in range(3):
        Folder.open(whole, "flow")
    assert sorted(path.name for path in reads) == ["a.txt", "b.txt"]
    (whole / "items/a.txt").write_text("First")
    with pytest.raises(PagenError, match=r"damaged file .*a\.txt"):
        Folder.open(whole, "flow")


def test_what_was_just_written_is_read_every_time(whole: Path) -> None:
    file, found = whole / "items/a.txt", set()
    for text in ("1", "2", "3"):
        file.write_text(text)
        found.add(sha256_of(file))
    assert len(found) == 3
