"""MSAD's `anomaly_annotation.csv`: one interval a clip, from 1, last frame included. It names abnormal clips alone."""

from __future__ import annotations

from pathlib import Path

from pagen.errors import PagenError
from pagen.footage.labels.raw import bare, lines, once_a_file, text, wrong_line
from pagen.footage.labels.said import Interval, Spans
from pagen.texts import table, whole

_HEADER = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly"


@once_a_file
def parse_msad(path: Path) -> dict[str, list[Interval]]:
    """The intervals of every clip that the file names.

    Raises PagenError: another header, or a row of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "anomaly_annotation.csv")
        ...     _ = path.write_text(f"{_HEADER}\\nAssault_1,shop,426,55,426\\n")
        ...     parse_msad(path)
        {'Assault_1': [(55, 426)]}
    """
    lines(path)
    (_, header), *rows = table(text(path), path)
    if [cell.lower() for cell in header] != _HEADER.split(","):
        raise PagenError(f"expected the header '{_HEADER}' in {path}, found '{','.join(header):.80}'; another file?")
    clips: dict[str, list[Interval]] = {}
    for line, cells in rows:
        try:
            name, _, total, first, last = cells
            interval = whole(first), whole(last)
            if min(whole(total), *interval) < 0:
                raise ValueError("less than no frame")
        except ValueError:
            raise wrong_line(_HEADER, line, path, ",".join(cells)) from None
        clips.setdefault(bare(name), []).append(interval)
    return clips


def read_msad(path: Path, key: str) -> Spans | None:
    """What the file says of the clip `key`, or None when it does not name it, as it names no normal one.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "anomaly_annotation.csv")
        ...     _ = path.write_text(f"{_HEADER}\\nAssault_1,shop,4,2,3\\n")
        ...     read_msad(path, "Assault_1").fit(4).labels.tolist()
        [0, 1, 1, 0]
    """
    intervals = parse_msad(path).get(bare(key))
    return None if intervals is None else Spans(tuple(intervals), "one-inclusive")


def names_in_msad(path: Path) -> list[str]:
    """The clips that the file names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "anomaly_annotation.csv")
        ...     _ = path.write_text(f"{_HEADER}\\nAssault_1,shop,4,2,3\\n")
        ...     names_in_msad(path)
        ['Assault_1']
    """
    return list(parse_msad(path))
