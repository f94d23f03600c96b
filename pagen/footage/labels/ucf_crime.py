"""UCF-Crime's intervals: `Temporal_Anomaly_Annotation.txt` and its copies, and one structure a clip in `.mat`.

Neither base nor end is documented. The authors' scorer takes frames max(a, 1) to min(b, T), so from 1, last included;
copies in Python take [a:b] or [a:b + 1] from 0, which are `half-open` and `zero-inclusive` editions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pagen.errors import PagenError
from pagen.footage.labels.mat import variable, whole_numbers
from pagen.footage.labels.raw import bare, lines, once_a_file, reason, wrong_line
from pagen.footage.labels.said import Interval, Spans
from pagen.texts import whole

_STRUCTURE = "Annotation_file"
_FORM = "Name Class first last first last"


@once_a_file
def parse_ucf(path: Path) -> dict[str, list[Interval]]:
    """The intervals of every clip, as they are written; -1 stands for none.

    The copies differ in white space, in whether names have a folder or an extension, in whether the number of frames
    stands before the class, at the end, or nowhere, and in whether the class stands there at all.
    Raises PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("Arson011_x264.mp4  Arson  150  420  680  1267  \\nArson/Arson022_x264 9 Arson 5 6")
        ...     parse_ucf(path)
        {'Arson011_x264': [(150, 420), (680, 1267)], 'Arson022_x264': [(5, 6)]}
    """
    clips: dict[str, list[Interval]] = {}
    for number, line in lines(path):
        name, *words = re.split(r"[\s|,;\[\]]+", line.rstrip("]|,; "))
        try:
            pairs = _pairs(words)
        except ValueError:
            raise wrong_line(_FORM, number, path, line) from None
        intervals = clips.setdefault(bare(name), [])
        intervals += [pair for pair in pairs if pair not in intervals]
    return clips


def _pairs(words: Sequence[str]) -> list[Interval]:
    """The intervals among the words of a line, without the number of frames. Raises ValueError."""
    classes = [place for place, word in enumerate(words) if re.fullmatch("[A-Z][A-Za-z_]*", word)]
    numbers = [whole(word) for word in (words[classes[0] + 1 :] if classes else words)]
    if classes and len(numbers) == 5:  # the number of frames ends the line
        numbers.pop()
    elif not classes and (len(numbers) % 2 or numbers[1:] == [-1]):  # it begins it
        numbers.pop(0)
    numbers = [-1, -1] if numbers == [-1] else numbers
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not pairs or any(min(pair) < 0 and pair != (-1, -1) for pair in pairs):
        raise ValueError("no frames")
    return [pair for pair in pairs if pair != (-1, -1)]


def read_ucf(path: Path, key: str) -> Spans | None:
    """What the file says of the clip `key`, its name without folder and extension; None when it does not name it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("Abuse028_x264.mp4  Abuse  2  3  -1  -1  ")
        ...     read_ucf(path, "Abuse028_x264").fit(4).labels.tolist()
        [0, 1, 1, 0]
    """
    intervals = parse_ucf(path).get(bare(key))
    return None if intervals is None else Spans(tuple(intervals), "one-inclusive")


def names_in_ucf(path: Path) -> list[str]:
    """The clips that the file names, without folder and extension.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_text("Abuse028_x264.mp4  Abuse  2  3  -1  -1  ")
        ...     names_in_ucf(Path(folder, "a.txt"))
        ['Abuse028_x264']
    """
    return list(parse_ucf(path))


def read_ucf_mat(path: Path, key: str) -> Spans:
    """What the structure `Annotation_file` in one clip's own `.mat` says; its rows are intervals.

    Raises PagenError: no such structure, one of another clip, or rows that are no intervals.

    Example:
        >>> import scipy.io, tempfile
        >>> said = {"VideoName": "Abuse028_x264.mp4", "Anno": [[2, 3]], "EventName": "Abuse"}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scipy.io.savemat(f"{folder}/Abuse028_x264.mat", {"Annotation_file": said})
        ...     read_ucf_mat(Path(folder, "Abuse028_x264.mat"), "Abuse028_x264").pairs
        ((2, 3),)
    """
    structure = variable(path, _STRUCTURE)
    try:
        record = structure.reshape(-1)[0]
        name, rows = bare(str(record["VideoName"].item())), record["Anno"]
        whole = whole_numbers(rows) and rows.shape[-1] == 2
        pairs = tuple((int(first), int(last)) for first, last in rows if first != -1) if whole else ()
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise PagenError(
            f"expected VideoName and Anno, k x 2, in {path}, found other parts ({reason(error)}); copy it again"
        ) from error
    if name != bare(key) or not whole:
        raise PagenError(
            f"expected whole numbers k x 2 of {key} in {path}, found {rows.shape} of {name}; another file?"
        )
    return Spans(pairs, "one-inclusive")
