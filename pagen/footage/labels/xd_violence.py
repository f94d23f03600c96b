"""XD-Violence's `annotations.txt`: `NAME a b [a b ...]`, frames [a, b) from 0. It names abnormal test clips alone."""

from __future__ import annotations

from pathlib import Path

from pagen.footage.labels.raw import bare, lines, once_a_file, wrong_line
from pagen.footage.labels.said import Interval, Spans
from pagen.texts import whole


@once_a_file
def parse_xd(path: Path) -> dict[str, list[Interval]]:
    """The intervals of every clip that the file names; some copies have `.mp4` after the name.

    Raises PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "annotations.txt")
        ...     _ = path.write_text("v=S-7rRLrxnVQ__#1_label_B4-0-0 0 1517 1970 3038")
        ...     parse_xd(path)
        {'v=S-7rRLrxnVQ__#1_label_B4-0-0': [(0, 1517), (1970, 3038)]}
    """
    clips: dict[str, list[Interval]] = {}
    for number, line in lines(path):
        name, *words = line.split()
        try:
            bounds = [whole(word) for word in words]
            pairs = list(zip(bounds[::2], bounds[1::2], strict=True))
            if min(bounds) < 0:  # which no bounds at all are not either
                raise ValueError("less than no frame")
        except ValueError:
            raise wrong_line("NAME first end first end", number, path, line) from None
        clips.setdefault(bare(name), []).extend(pairs)
    return clips


def read_xd(path: Path, key: str) -> Spans | None:
    """What the file says of the clip `key`, or None when it does not name it, as it names no normal one.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "annotations.txt")
        ...     _ = path.write_text("Bad.Boys.1995__#1_label_G-B2-B6.mp4 1 3")
        ...     read_xd(path, "Bad.Boys.1995__#1_label_G-B2-B6").fit(4).labels.tolist()
        [0, 1, 1, 0]
    """
    intervals = parse_xd(path).get(bare(key))
    return None if intervals is None else Spans(tuple(intervals))


def names_in_xd(path: Path) -> list[str]:
    """The clips that the file names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "annotations.txt").write_text("a_label_B1-0-0 1 3")
        ...     names_in_xd(Path(folder, "annotations.txt"))
        ['a_label_B1-0-0']
    """
    return list(parse_xd(path))
