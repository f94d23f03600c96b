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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagen.digests import sha256_of
from pagen.errors import PagenError
from pagen.leftovers import LOCK, TEMPORARY, is_vacant, leftovers_of, remove, sweep, temporary_of
from pagen.locks import held, locked, require_written, turn
from pagen.manifest import KEYS, SCHEMA, aside, differences, leads_out, read_manifest, require_no_link, require_own
from pagen.manifest import MANIFEST as MANIFEST
from pagen.version import __version__


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which takes the place of `path` when the block ends well.

    Nobody sweeps it as long as this process lives; what a killed one left of the same path goes. Raises PagenError
    where a link inside of a folder of pagen leads there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    require_no_link(path.parent)
    sweep(leftovers_of(path))
    temporary = temporary_of(path)
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
    """The digests of files, by their path below `root`."""
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

        Raises PagenError where the path holds something else, which stays, or was made with another configuration.
        """
        wanted = cls(path, kind, _plain(config), dict(inputs), volatile=_plain(volatile or {}))
        require_no_link(path)
        if not (path / MANIFEST).exists():
            if path.exists() and not is_vacant(path):
                raise PagenError(f"{path} is not a pagen folder and is not empty; {aside(path, kind)}remove it")
            wanted._write()
        elif overwrite:
            return wanted._begun_again()
        return cls._read(path)._taken_up(wanted)

    @classmethod
    def open(cls, path: Path, kind: str, verify: bool = True, partial: bool = False) -> Folder:
        """Open a folder to read it.

        Args:
            kind: what it must be.
            verify: compare every file with its hash, not only its size.
            partial: an unfinished folder will do.

        Raises:
            PagenError: no such folder, another kind, unfinished, a file missing or damaged, or what leads out of it.
        """
        require_no_link(path)
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
            self.sweep()
            self.complete = True
            self._write()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One command at a time is inside; what others have noted of the folder until then is known in it."""
        with turn(self.path / LOCK, f"fills {self.path}"):
            if not self._joined():  # another command was refused, and took the folder with it
                self._write()
            yield

    @contextmanager
    def vanishing(self) -> Iterator[None]:
        """What is refused inside leaves no folder that holds nothing, what is interrupted nothing half-written."""
        try:
            yield
        except KeyboardInterrupt:
            self.sweep()
            raise
        except PagenError:
            files = (child.name for child in self.path.rglob("*") if child.is_file())
            if all(name == MANIFEST or name.startswith(TEMPORARY) for name in files):
                remove(self.path)
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
        if leads_out(self.path, file):
            return f"expected no link at {path}, found one"
        if not path.is_file():
            return f"missing file {path}"
        if path.stat().st_size != want["bytes"]:
            return f"damaged file {path}: expected {want['bytes']} bytes, found {path.stat().st_size}"
        if content and sha256_of(path) != want["sha256"]:
            return f"damaged file {path}: its SHA-256 is not the one in {MANIFEST}"
        return None

    def _taken_up(self, wanted: Folder) -> Folder:
        """This folder, for the command that wants the other: swept, and with today's paths."""
        self._require_same(wanted)
        self.sweep()
        if self.volatile != wanted.volatile:
            self.volatile = wanted.volatile
            self._write()
        return self

    def _begun_again(self) -> Folder:
        """This folder, empty; where another command has just made it anew, as that made it."""
        self.sweep()
        with turn(self.path / LOCK, f"fills {self.path}") as waited:
            require_own(self.path, self.kind)
            if waited and (there := self._read(self.path)).complete and not there._differs(self):
                return there._taken_up(self)
            for child in list(self.path.iterdir()):  # the manifest tells whose folder it is, should this be killed
                if child.name != MANIFEST and not child.name.startswith(TEMPORARY):
                    remove(child)
            self._write(afresh=True)
        return self

    def _differs(self, wanted: Folder) -> str:
        return differences(*({"kind": one.kind, **one.config, **one.inputs} for one in (self, wanted)))

    def _require_same(self, wanted: Folder) -> None:
        """Raise PagenError where the other is not what is wanted of this folder."""
        if shown := self._differs(wanted):
            raise PagenError(f"{self.path} was made otherwise: {shown}; {aside(self.path, self.kind)}remove it")

    def sweep(self) -> None:
        """Remove what a killed process left half-written, on this machine or another, and nothing of a living one."""
        sweep(list(self.path.rglob(f"{TEMPORARY}*")))

    def _write(self, afresh: bool = False) -> None:
        """Write the manifest; what other commands have noted since it was read stays in it, unless all is new."""
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            if not afresh:
                self._joined()
            content = {"schema": SCHEMA, "pagen": __version__, **{key: getattr(self, key) for key in KEYS}}
            write_json(self.path / MANIFEST, content)

    def _joined(self) -> bool:
        """Take over the items that other commands have noted of the folder; whether it has a manifest."""
        if not (self.path / MANIFEST).exists():
            return False
        other = self._read(self.path)
        other._require_same(self)
        self.complete = self.complete or (other.complete and self.items.items() <= other.items.items())
        self.items = {**other.items, **self.items}
        return True

    @classmethod
    def _read(cls, path: Path) -> Folder:
        return cls(path, **read_manifest(path))


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


def _short_hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """The value as JSON will give it back (tuples become lists)."""
    return json.loads(json.dumps(value, sort_keys=True))


def folder_name(dataset: str) -> str:
    """A data set's name in that of a folder: without the colon, which Windows refuses."""
    return dataset.replace(":", "-")
