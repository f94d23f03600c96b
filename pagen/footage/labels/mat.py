"""MATLAB files: which variables they hold, and small ones as arrays. Cells of masks are read by `mat_cells`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import UNREADABLE
from pagen.errors import PagenError
from pagen.footage.labels.raw import head, reason

DAMAGE = (*UNREADABLE, AttributeError, struct.error)
"""What is raised for MATLAB files that are cut short or damaged, beside scipy's own error."""
_HDF5 = b"\x89HDF\r\n\x1a\n"


def variables(path: Path) -> dict[str, tuple[int, ...]]:
    """The variables of a MATLAB file and their shapes, without reading them.

    Raises PagenError: no MATLAB file, one of MATLAB 7.3, which is HDF5, or cut short.

    Example:
        >>> import numpy, scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/a.mat", {"01": numpy.zeros((1, 9))})
        ...     variables(Path(folder, "a.mat"))
        {'01': (1, 9)}
    """
    import scipy.io

    refuse_foreign(path)
    try:
        return {name: tuple(map(int, shape)) for name, shape, _ in scipy.io.whosmat(path, appendmat=False)}
    except _damage() as error:
        raise damaged(path, error) from error


def variable(path: Path, name: str) -> npt.NDArray[Any]:
    """A variable of a MATLAB file, of two dimensions at least; cells and structures are arrays of objects.

    Raises PagenError: as `variables`, or the file has no variable of that name.

    Example:
        >>> import numpy, scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/a.mat", {"gt": [1, 2]})
        ...     variable(Path(folder, "a.mat"), "gt").tolist()
        [[1, 2]]
    """
    import scipy.io

    if name not in (names := variables(path)):
        raise PagenError(
            f"expected the variable {name} in {path}, found {' '.join(map(repr, names)) or 'none'}; another file?"
        )
    try:
        return np.atleast_2d(scipy.io.loadmat(path, variable_names=[name], appendmat=False)[name])
    except _damage() as error:
        raise damaged(path, error) from error


def whole_numbers(array: npt.NDArray[Any]) -> bool:
    """Whether an array has nothing but whole numbers, of whatever type.

    Example:
        >>> whole_numbers(np.array([1.0, 2.0])), whole_numbers(np.array([1.5])), whole_numbers(np.array(["1"]))
        (True, False, False)
    """
    return array.dtype.kind in "iuf" and bool((np.isfinite(array) & (np.trunc(array) == array)).all())


def refuse_foreign(path: Path) -> None:
    """Raise PagenError for what is no file of MATLAB's version 4 to 7, or is cut short before its header ends.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "gt.mat").write_bytes(b"MATLAB 7.3 MAT-file")
        ...     try:
        ...         refuse_foreign(Path(folder, "gt.mat"))
        ...     except PagenError as error:
        ...         print(str(error).partition(", ")[2])
        found one of MATLAB 7.3 (HDF5); open it in MATLAB, type: save('gt.mat', '-v7'), and put that in its place
    """
    start = head(path, 1024)
    if start.startswith(b"MATLAB 7.3") or _HDF5 in (start[:8], start[512:520]):
        raise PagenError(
            f"expected a MATLAB file of version 7 or older in {path}, found one of MATLAB 7.3 (HDF5); "
            f"open it in MATLAB, type: save('{path.name}', '-v7'), and put that in its place"
        )
    if start.startswith(b"MATLAB") and len(start) <= 128:
        raise PagenError(f"expected a MATLAB file in {path}, found one that is cut short; copy it again")


def damaged(path: Path, error: Exception) -> PagenError:
    """The error for a MATLAB file that cannot be read to its end.

    Example:
        >>> print(damaged(Path("a.mat"), EOFError()))
        expected a whole MATLAB file in a.mat, found one that is cut short or damaged (EOFError); copy it again
    """
    return PagenError(
        f"expected a whole MATLAB file in {path}, found one that is cut short or damaged ({reason(error)}); "
        "copy it again"
    )


def _damage() -> tuple[type[Exception], ...]:
    from scipy.io.matlab import MatReadError

    return (*DAMAGE, MatReadError)
