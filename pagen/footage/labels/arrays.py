"""Arrays of labels: a `.npy` a clip, one `.npz` for all clips, or one value a line. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import UNREADABLE
from pagen.errors import PagenError
from pagen.footage.labels.raw import NPY, bare, head, lines, reason, wrong_line
from pagen.footage.labels.said import Vector, vector

_ZIP = b"PK\x03\x04"


def read_npy(path: Path, key: str) -> Vector:
    """What a `.npy` file of one clip's own says, whatever its name ends in.

    Raises PagenError: it is no array of numbers (T,).

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.save(f"{folder}/a.npy", [0, 1])
        ...     read_npy(Path(folder, "a.npy"), "a").fit(2).labels.tolist()
        [0, 1]
    """
    return vector(opened(path), str(path))


def read_npz(path: Path, key: str) -> Vector | None:
    """What a `.npz` of all clips says of the clip `key`, or None when it does not name it.

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.savez(f"{folder}/gt.npz", D001_01=[0, 1])
        ...     read_npz(Path(folder, "gt.npz"), "D001_01").fit(2).labels.tolist()
        [0, 1]
    """
    with _archive(path) as archive:
        name = next((name for name in archive.files if key in (name, bare(name))), None)
        return vector(archive[name], f"{path}, {name}") if name else None


def names_in_npz(path: Path) -> list[str]:
    """The clips that a `.npz` has labels of.

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.savez(f"{folder}/gt.npz", D001_01=[0, 1])
        ...     names_in_npz(Path(folder, "gt.npz"))
        ['D001_01']
    """
    with _archive(path) as archive:
        return [bare(name) for name in archive.files]


def read_values(path: Path, key: str) -> Vector:
    """What a text of one value a line, of one clip's own, says: `ground_truth_frame_level.txt` of UBnormal's copies.

    Raises PagenError: a line that is no number.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_text("0.0e+00\\n1.0e+00\\n")
        ...     read_values(Path(folder, "a.txt"), "a").fit(2).labels.tolist()
        [0, 1]
    """
    values = []
    for number, line in lines(path):
        try:
            values.append(float(line))
        except ValueError:
            raise wrong_line("0 or 1", number, path, line) from None
    return Vector(np.array(values))


def opened(path: Path, mapped: bool = False) -> npt.NDArray[Any]:
    """The array in a `.npy` file, which is never unpickled; where `mapped`, it stays on disk.

    Raises PagenError: no such file, cut short, or an array of objects.

    Example:
        >>> import tempfile, numpy
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     numpy.save(f"{folder}/a.npy", [0, 1])
        ...     opened(Path(folder, "a.npy")).shape
        (2,)
    """
    if not head(path).startswith(NPY):
        raise PagenError(f"expected an array in NumPy's format in {path}, found something else; is it its name alone?")
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        return array
    except UNREADABLE as error:
        raise _no_array(path, error) from error


@contextmanager
def _archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An archive, open for as long as it is read."""
    if not head(path).startswith(_ZIP):
        raise PagenError(f"expected an archive .npz of one array a clip in {path}, found something else")
    try:
        with path.open("rb") as file:
            yield np.load(file, allow_pickle=False)
    except UNREADABLE as error:
        raise _no_array(path, error) from error


def _no_array(path: Path, error: Exception) -> PagenError:
    return PagenError(f"expected an array of 0 and 1 in {path}, found something else ({reason(error)})")
