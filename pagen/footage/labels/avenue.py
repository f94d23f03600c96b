"""Labels of Avenue, in `.mat` of three forms. They are two editions, told apart by the variables in the file.

The authors' `volLabel` is a cell of one mask a frame, a file a clip. `avenue.mat` is either the intervals of Hasan et
al., CVPR 2016, as a cell `gt` of one 2 x k array a clip (in use for Ped1, Ped2 and others too), or a variable `01` to
`21` a clip with one label a frame, which are those of the masks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.labels.mat import variable, variables, whole_numbers
from pagen.footage.labels.mat_cells import cells
from pagen.footage.labels.said import Interval, Spans, Vector, from_masks, vector

if TYPE_CHECKING:
    from pagen.arrays import Masks

_MASKS, _INTERVALS = "volLabel", "gt"


def read_mat_masks(path: Path, key: str) -> Vector:
    """What the masks of one clip's own file say, a mask at a time: a frame with any pixel in it is abnormal.

    Raises PagenError: as `mat_masks`.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     masks = np.empty((1, 2), object)
        ...     masks[0, :] = [np.zeros((2, 3), "uint8"), np.ones((2, 3), "uint8")]
        ...     scipy.io.savemat(f"{folder}/1_label.mat", {"volLabel": masks})
        ...     read_mat_masks(Path(folder, "1_label.mat"), "1").fit(2).labels.tolist()
        [0, 1]
    """
    return Vector(from_masks(mat_masks((path,))))


def mat_masks(files: tuple[Path, ...]) -> Iterator[Masks]:
    """The pixel masks (H, W) bool in the `volLabel` of one file, one a frame.

    Raises PagenError: no such cell in it, masks of several sizes, or as `mat_cells.cells`.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     masks = np.empty((1, 1), object)
        ...     masks[0, 0] = np.array([[0, 255]], "uint8")
        ...     scipy.io.savemat(f"{folder}/1_label.mat", {"volLabel": masks})
        ...     [mask.tolist() for mask in mat_masks((Path(folder, "1_label.mat"),))]
        [[[False, True]]]
    """
    (path,) = files
    shape = None
    for mask in cells(path, _MASKS):
        shape = shape or mask.shape
        if mask.ndim != 2 or not mask.size or mask.shape != shape:
            raise PagenError(f"expected masks {shape} all through {path}, found one {mask.shape}; copy it again")
        yield mask != 0


def read_mat_intervals(path: Path, key: str) -> Spans:
    """What the cell `gt` says of the clip number `key`, from 1, last frame included.

    A clip's array is 2 x k, its columns are intervals; a single one may be squeezed to two numbers.
    Raises PagenError: no such cell or clip, another shape, or what is no number of a frame.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     clips = np.empty((1, 1), object)
        ...     clips[0, 0] = [[5, 140], [90, 200]]
        ...     scipy.io.savemat(f"{folder}/ped1.mat", {"gt": clips})
        ...     read_mat_intervals(Path(folder, "ped1.mat"), "1").pairs
        ((5, 90), (140, 200))
    """
    clips = _intervals(path)
    if not 1 <= int(key) <= len(clips):
        raise PagenError(
            f"expected labels of test clip {key} in {path}, found those of {len(clips)} clips; of another set?"
        )
    return Spans(tuple(columns(clips[int(key) - 1], f"{path}, clip {key}")), "one-inclusive")


def names_in_mat_intervals(path: Path) -> list[str]:
    """The numbers of the clips that a cell `gt` has labels of, from 1, as text.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/a.mat", {"gt": np.array([[[], [5, 9]]], object)})
        ...     names_in_mat_intervals(Path(folder, "a.mat"))
        ['1', '2']
    """
    return [str(number) for number, _ in enumerate(_intervals(path), 1)]


def holds_mat_intervals(path: Path) -> bool:
    """Whether a file is to be read for intervals: it does not hold one label a frame.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/avenue.mat", {"01": [0, 1]})
        ...     holds_mat_intervals(Path(folder, "avenue.mat"))
        False
    """
    return not holds_mat_frames(path)


def read_mat_frames(path: Path, key: str) -> Vector | None:
    """What the variable that is called as the clip says, with or without zeros before it; None where there is none.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/avenue.mat", {"01": [0, 1]})
        ...     read_mat_frames(Path(folder, "avenue.mat"), "1").fit(2).labels.tolist()
        [0, 1]
    """
    name = next((name for name in _frames(path) if name.lstrip("0") == key.lstrip("0")), None)
    return vector(variable(path, name), f"{path}, {name}") if name else None


def names_in_mat_frames(path: Path) -> list[str]:
    """The clips that have a variable of their own, by their numbers without zeros before them.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/avenue.mat", {"01": [0, 1]})
        ...     names_in_mat_frames(Path(folder, "avenue.mat"))
        ['1']
    """
    return [name.lstrip("0") for name in _frames(path)]


def holds_mat_frames(path: Path) -> bool:
    """Whether a file holds one label a frame, a variable a clip.

    Example:
        >>> import scipy.io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/avenue.mat", {"01": [0, 1]})
        ...     holds_mat_frames(Path(folder, "avenue.mat"))
        True
    """
    try:
        return bool(_frames(path))
    except PagenError:
        return False


def columns(intervals: npt.NDArray[Any], where: str) -> Iterator[Interval]:
    """The columns (first, last) of an array 2 x k of frame numbers, one column squeezed or not.

    Raises PagenError: another shape, or what is no whole number.

    Example:
        >>> list(columns(np.array([[5, 140], [90, 200]]), "gt")), list(columns(np.array([[5, 90]]), "gt"))
        ([(5, 90), (140, 200)], [(5, 90)])
    """
    if not intervals.size:
        return
    pairs = intervals.reshape(2, 1) if intervals.size == 2 else intervals
    if pairs.ndim != 2 or len(pairs) != 2 or not whole_numbers(pairs):
        raise PagenError(
            f"expected 2 x k whole numbers, a column an interval, in {where}, found {intervals.shape}; copy it again"
        )
    yield from ((int(first), int(last)) for first, last in pairs.T)


def _intervals(path: Path) -> list[npt.NDArray[Any]]:
    """The array of each clip in a cell `gt`."""
    cell = variable(path, _INTERVALS)
    if cell.dtype != object or 1 not in cell.shape:
        raise PagenError(
            f"expected a cell {_INTERVALS}, 1 x clips, in {path}, found {cell.dtype} {cell.shape}; another file?"
        )
    return [np.asarray(clip) for clip in cell.ravel()]


def _frames(path: Path) -> list[str]:
    return [name for name in variables(path) if re.fullmatch(r"\d+", name)]
