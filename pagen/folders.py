"""A folder with a manifest: what passes from room to room.

`manifest.json` names the schema, the kind, the configuration, the fingerprints of the inputs, and every item that is
done with the sizes and hashes of its files. A file appears whole or not at all. The same command resumes; another
configuration is refused. Several commands may fill one folder at once: each keeps what the others note. What differs
from machine to machine (paths) is `volatile`: no fingerprint looks at it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.locks import held, locked, require_written, unless_held
from pagen.manifest import SCHEMA, read_manifest
from pagen.version import __version__

MANIFEST = "manifest.json"
_TEMPORARY = ".tmp-"
_KEYS = ("kind", "config", "inputs", "items", "complete", "volatile")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which takes the place of `path` when the block ends well.

    Its name is like no other: two machines may write the same file at once, one of them given up as lost. Nobody
    sweeps it as long as this process lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(4)}-{path.name}")
    try:
        with held(temporary):
            yield temporary
            with open(temporary, "rb+") as file:
                require_written(file)
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def digest(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file, as the manifest holds them."""
    with open(path, "rb") as file:
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def digests(root: Path, files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The digests of the files by their path relative to `root`."""
    return {file.relative_to(root).as_posix(): digest(file) for file in files}


def fingerprint(root: Path, files: Iterable[Path]) -> str:
    """32 hexadecimal digits that depend on the names (relative to the root) and the bytes of the files."""
    return _short_hash(digests(root, files))


@dataclass
class Folder:
    """A folder of items under a manifest.

    Attributes:
        kind: one of `options.FolderKind`.
        config: what its bytes depend on, apart from the inputs; plain JSON data.
        inputs: name -> fingerprint of what it was made of.
        items: name -> `{"files": {relative path: digest}, ...what else is known of it}`.
        complete: every item that the command wanted is there.
        volatile: what differs from machine to machine.
    """

    path: Path
    kind: str
    config: dict[str, Any]
    inputs: dict[str, str]
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    complete: bool = False
    volatile: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        path: Path,
        kind: str,
        config: Mapping[str, Any],
        inputs: Mapping[str, str],
        volatile: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> Folder:
        """Create the folder, or take up the one that the same command left.

        Raises PagenError where the path holds something else, or was made with another configuration.
        """
        wanted = cls(path, kind, _plain(config), dict(inputs), volatile=_plain(volatile or {}))
        made_before = (path / MANIFEST).exists()
        if made_before and not overwrite:
            return cls._read(path)._taken_up(wanted)
        if made_before:  # the manifest stays, and tells whose folder it is should the process be killed here
            for child in [child for child in path.iterdir() if child.name != MANIFEST]:
                _remove(child)
        elif path.exists() and not _is_vacant(path):
            raise PagenError(f"{path} is not a pagen folder and is not empty; give another --out, or remove it")
        path.mkdir(parents=True, exist_ok=True)
        wanted._sweep()
        wanted._write(afresh=made_before)
        return wanted

    @classmethod
    def open(cls, path: Path, kind: str, verify: bool = True, partial: bool = False) -> Folder:
        """Open a folder to read it.

        Args:
            kind: what it must be.
            verify: compare every file with its hash, not only its size.
            partial: an unfinished folder will do.

        Raises:
            PagenError: no such folder, another kind, unfinished, or a file missing or damaged.
        """
        if not (path / MANIFEST).exists():
            raise PagenError(
                f"expected a {kind} folder of pagen at {path}, found no {MANIFEST} there; is the path right?"
            )
        folder = cls._read(path)
        if folder.kind != kind:
            raise PagenError(f"expected a {kind} folder at {path}, found a {folder.kind} folder; is the path right?")
        if not folder.complete and not partial:
            raise PagenError(
                f"the {kind} folder {path} is not finished; run the command that makes it again, it resumes"
            )
        folder.verify(content=verify)
        return folder

    def pending(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are not done, or whose files have been removed since."""
        return [name for name in names if name not in self.items or not self._lies(name)]

    def record(self, name: str, files: Mapping[str, Mapping[str, Any]], **info: Any) -> None:
        """Note an item whose files (relative path -> digest) lie in place."""
        item = {"files": {key: dict(value) for key, value in files.items()}, **_plain(info)}
        self.complete = self.complete and self.items.get(name) == item
        self.items[name] = item
        self._write()

    def finish(self) -> None:
        """Note that nothing is missing any more; a folder that knows that already is not touched."""
        if not self.complete:
            self._sweep()
            self.complete = True
            self._write()

    @contextmanager
    def vanishing(self) -> Iterator[None]:
        """What is refused inside leaves no folder that holds nothing: it goes, with its manifest."""
        try:
            yield
        except PagenError:
            if not any(child.is_file() and child.name != MANIFEST for child in self.path.rglob("*")):
                shutil.rmtree(self.path, ignore_errors=True)
            raise

    def verify(self, content: bool = True) -> None:
        """Raise PagenError when a file is missing, or is not what was written."""
        expected = {file: want for item in self.items.values() for file, want in item["files"].items()}
        with ThreadPoolExecutor() as pool:
            for problem in pool.map(lambda file: self._problem(file, expected[file], content), expected):
                if problem:
                    raise PagenError(f"{problem}; remove the file and run the command that made {self.path} again")

    def fingerprint(self) -> str:
        """32 hex digits that stand for every byte of the folder's content."""
        return _short_hash({key: getattr(self, key) for key in ("kind", "config", "inputs", "items")})

    def _lies(self, name: str) -> bool:
        return not any(self._problem(file, want, False) for file, want in self.items[name]["files"].items())

    def _problem(self, file: str, want: Mapping[str, Any], content: bool) -> str | None:
        path = self.path / file
        if not path.is_file():
            return f"missing file {path}"
        if path.stat().st_size != want["bytes"]:
            return f"damaged file {path}: expected {want['bytes']} bytes, found {path.stat().st_size}"
        if content and digest(path)["sha256"] != want["sha256"]:
            return f"damaged file {path}: its SHA-256 is not the one in {MANIFEST}"
        return None

    def _taken_up(self, wanted: Folder) -> Folder:
        """This folder, for the command that wants the other: swept, and with today's paths."""
        old, new = (dict(_leaves({"kind": one.kind, **one.config, **one.inputs})) for one in (self, wanted))
        keys = [key for key in sorted(set(old) | set(new)) if old.get(key) != new.get(key)]
        if keys:
            shown = ", ".join(f"{key} {old.get(key)!r:.80} there, {new.get(key)!r:.80} asked" for key in keys[:4])
            raise PagenError(f"{self.path} was made otherwise: {shown}; give another --out, or --overwrite")
        self._sweep()
        if self.volatile != wanted.volatile:
            self.volatile = wanted.volatile
            self._write()
        return self

    def _sweep(self) -> None:
        """Remove what a killed process left half-written, on this machine or another, and nothing of a living one."""
        for leftover in list(self.path.rglob(f"{_TEMPORARY}*")):
            with suppress(FileNotFoundError), unless_held(leftover) as dead:
                if dead:
                    _remove(leftover)

    def _write(self, afresh: bool = False) -> None:
        """Write the manifest; what other commands have noted since it was read stays in it, unless all is new."""
        with locked(self.path):
            if not afresh and (self.path / MANIFEST).exists():
                self._join(self._read(self.path))
            content = {"schema": SCHEMA, "pagen": __version__, **{key: getattr(self, key) for key in _KEYS}}
            write_json(self.path / MANIFEST, content)

    def _join(self, other: Folder) -> None:
        """Take over the items that another command has noted of the same folder."""
        if all(getattr(self, key) == getattr(other, key) for key in ("kind", "config", "inputs")):
            self.complete = self.complete or (other.complete and self.items.items() <= other.items.items())
            self.items = {**other.items, **self.items}

    @classmethod
    def _read(cls, path: Path) -> Folder:
        found = read_manifest(path / MANIFEST)
        return cls(path, **{key: getattr(found, key) for key in _KEYS})


def tree_hash(path: Path) -> str:
    """SHA-256 over the names and bytes of all files below `path`, volatile entries aside."""
    total = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        content = file.read_bytes()
        if file.name == MANIFEST:
            manifest = json.loads(content)
            manifest.pop("volatile")
            content = json.dumps(manifest, sort_keys=True).encode()
        total.update(file.relative_to(path).as_posix().encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What nested tables hold, by dotted names."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _is_vacant(path: Path) -> bool:
    """Whether it is an empty folder, or one whose first manifest was being written by a killed process."""
    return path.is_dir() and all(child.name.startswith(_TEMPORARY) for child in path.iterdir())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _short_hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """The value as JSON will give it back (tuples become lists)."""
    return json.loads(json.dumps(value, sort_keys=True))


def folder_name(dataset: str) -> str:
    """A data set's name in that of a folder: without the colon, which Windows refuses."""
    return dataset.replace(":", "-")
