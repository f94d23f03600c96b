"""`scores.csv`: a line a frame. That of a camera is kept from session to session, in pieces, of which the oldest go."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import dropwhile, pairwise
from pathlib import Path
from typing import IO, Any

from pagen.errors import PagenError
from pagen.eval.camera.shots import Shot

NAME = "scores.csv"
PIECES = 8
"""`scores.csv` and the older `scores.1.csv` to `scores.7.csv`, each at most so large a part of what is kept."""
LONGEST = 65536
"""Bytes that no line has."""
COLUMNS = ("frame", "seconds", "clock", "score", "smoothed", "alarm")


class ScoreTable(AbstractContextManager["ScoreTable"]):
    """The scores of a source. One that `goes_on` adds to those of earlier sessions and keeps `most` bytes of them."""

    def __init__(self, folder: Path, goes_on: bool, most: float) -> None:
        self._path, self._most = folder / NAME, most / PIECES if goes_on else float("inf")
        if not goes_on:
            for piece in pieces_of(folder):
                piece.unlink()
        mend(self._path)
        self._open()

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, shot: Shot, score: float, smoothed: float, alarm: bool) -> None:
        """Write a line about a frame."""
        if self._size > self._most:
            self._file.close()
            self._turn()
            self._open()
        seconds = f"{shot.seconds:.3f}"
        self._size += self._rows.writerow([shot.index, seconds, shot.clock, repr(score), repr(smoothed), int(alarm)])

    def _open(self) -> None:
        self._file: IO[str] = self._path.open("a", 1, "utf-8", "backslashreplace", "")
        self._rows, self._size = csv.writer(self._file), self._path.stat().st_size
        if self._size == 0:
            self._size += self._rows.writerow(COLUMNS)

    def _turn(self) -> None:
        """Every piece gets the number after its own; the oldest goes."""
        names = [self._path, *(self._path.with_name(f"scores.{number}.csv") for number in range(1, PIECES))]
        for younger, older in reversed(list(pairwise(names))):
            if younger.exists():
                younger.replace(older)


def pieces_of(folder: Path) -> list[Path]:
    """The pieces that lie there, the oldest first."""
    names = [*(f"scores.{number}.csv" for number in reversed(range(1, PIECES))), NAME]
    return [folder / name for name in names if (folder / name).exists()]


def rows_since(folder: Path, frame: int, clock: str) -> Iterator[dict[str, Any]]:
    """The rows from this frame on, with numbers as numbers; none where it is in neither of the two newest pieces."""
    rows = (row for piece in pieces_of(folder)[-2:] for row in _rows(piece))
    return dropwhile(lambda row: (row["frame"], row["clock"]) != (frame, clock), rows)


def mend(path: Path) -> None:
    """Cut a line off that a failing machine left half-written."""
    if path.exists():
        with path.open("rb+") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LONGEST))
            file.truncate(size - len(file.read().rpartition(b"\n")[2]))


def _rows(piece: Path) -> Iterator[dict[str, Any]]:
    with piece.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                numbers = {"frame": int(row["frame"]), **{name: float(row[name]) for name in ("seconds", "smoothed")}}
            except (KeyError, TypeError, ValueError):
                found = "a line of another form; move it away, and watching begins a new one"
                raise PagenError(f"expected scores as pagen writes them in {piece}, found {found}") from None
            yield {**row, **numbers}
