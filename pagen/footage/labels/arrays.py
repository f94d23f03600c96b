"""Arrays of labels: a `.npy` a clip, one `.npz` for all clips, or one value a line. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import Archive, opened_archive, read_array
from pagen.errors import PagenError
from pagen.footage.labels.raw import bare, head, lines, reason, wrong_line
from pagen.footage.labels.said import Vector, vector
from pagen.texts import NPY, number

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
        name = next((name for name in archive.names if key in (name, bare(name))), None)
        return vector(archive(name), f"{path}, {name}") if name else None


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
        return [bare(name) for name in archive.names]


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
    for place, line in lines(path):
        try:
            values.append(number(line))
        except ValueError:
            raise wrong_line("0 or 1", place, path, line) from None
    return Vector(np.array(values))


def opened(path: Path) -> npt.NDArray[Any]:
    """The array of numbers in a `.npy` file, which stays on disk and is never unpickled.

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
    return read_array(path)


@contextmanager
def _archive(path: Path) -> Iterator[Archive]:
    """An archive, open for as long as it is read."""
    if not head(path).startswith(_ZIP):
        raise PagenError(f"expected an archive .npz of one array a clip in {path}, found something else; copy it again")
    try:
        with opened_archive(path) as archive:
            yield archive
    except ValueError as error:
        raise PagenError(
            f"expected an array of 0 and 1 in {path}, found something else ({reason(error)}); copy it again"
        ) from error
