"""Text that other programs wrote, read in one way: its encoding, its lines and cells, and numbers as they are written.

Excel saves UTF-8 with a mark at its start, or UTF-16; MATLAB and NumPy write 3 as 3.0 or 3.000000e+00; editors leave
spaces at the end of a line. All of that says the same.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from pagen.errors import PagenError

NPY = b"\x93NUMPY"
"""What files of one array begin with."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # which begins as UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order mark -> the encoding that it tells."""
_FORMS = {
    NPY: "an array in NumPy's format",
    b"PK": "a zip or .npz archive",
    b"MATLAB": "a MATLAB file",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "a git-LFS pointer; run 'git lfs pull' where it came from",
}
"""What other files begin with -> what they are."""
_EXACT = 2**53
"""Whole numbers up to here are told apart by floats."""


def read_text(path: Path, what: str = "text") -> str:
    """The text of a file in UTF-8, or in what its byte-order mark says.

    Raises PagenError: it cannot be opened, or is no such text; says what it is instead.

    Args:
        what: what stands in it, in the words of an error message.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.csv").write_text("a,1", encoding="utf-16")
        ...     read_text(Path(folder, "a.csv"))
        'a,1'
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PagenError(f"expected {what} in {path}, which cannot be opened ({error.strerror})") from error
    encoding = next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), "utf-8")
    form = next((form for magic, form in _FORMS.items() if content.startswith(magic)), "")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        form = form or f"other bytes ({error.reason}); save it as UTF-8"
    if form or "\0" in text:
        raise PagenError(f"expected {what} as text in UTF-8 in {path}, found {form or 'bytes that are none'}")
    return text


def table(text: str, source: object) -> Iterator[tuple[int, list[str]]]:
    """The rows of a text of cells between commas that are not blank: the number of the line, and the cells.

    White space around cells is left out. Raises PagenError: a quote that never ends, or a cell of a megabyte.

    Example:
        >>> list(table("video, frame\\r\\n\\r\\n a.mp4 ,3", "a.csv"))
        [(1, ['video', 'frame']), (3, ['a.mp4', '3'])]
    """
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in lines:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield lines.line_num, cells
    except csv.Error as error:
        found = f"others ({error}); mend it"
        raise PagenError(f"expected cells between commas in line {lines.line_num} of {source}, found {found}") from None


def number(word: str) -> float:
    """A finite number, however it is written. Raises ValueError for all else.

    Example:
        >>> number(" 3.50 "), number("1e3")
        (3.5, 1000.0)
    """
    value = float(word)
    if "_" in word or not math.isfinite(value):
        raise ValueError(f"no finite number: {word[:40]!r}")
    return value


def whole(word: str) -> int:
    """A whole number, which may be written as a float. Raises ValueError for all else.

    Example:
        >>> whole("3"), whole("3.0"), whole("-3.000e+00")
        (3, 3, -3)
    """
    value = number(word)
    if not value.is_integer() or abs(value) > _EXACT:
        raise ValueError(f"no whole number: {word[:40]!r}")
    return int(value)
