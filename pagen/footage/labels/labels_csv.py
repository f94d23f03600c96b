"""`labels.csv`, for one's own videos: `video,start_frame,end_frame`, from 0, end excluded."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from pagen.errors import PagenError
from pagen.footage.clips import without_suffix
from pagen.footage.labels.raw import once_a_file, text
from pagen.footage.labels.said import Interval, Spans
from pagen.texts import table, whole

_HEADER = "video,start_frame,end_frame"


def parse_csv(content: str, source: str = "the .csv file") -> dict[str, list[Interval]]:
    """The intervals of each video in a CSV `video,start_frame,end_frame`, from 0, half-open.

    A video without anything abnormal stands there with both frames left empty; a video that does not stand there at all
    has no labels. Raises PagenError: another header, or a line that is no interval.

    Example:
        >>> parse_csv("video,start_frame,end_frame\\na.mp4,3,5\\nb.mp4,,")
        {'a.mp4': [(3, 5)], 'b.mp4': []}
    """
    (_, header), *rows = [*table(content, source)] or [(1, ["nothing"])]
    if header != _HEADER.split(","):
        raise PagenError(f"expected the header {_HEADER} in {source}, found {','.join(header):.80}; begin with that")
    videos: dict[str, list[Interval]] = {}
    for line, row in rows:
        intervals = videos.setdefault(row[0], [])
        if row[1:] == ["", ""]:
            continue
        try:
            start, end = map(whole, row[1:])
            if not 0 <= start < end:
                raise ValueError("no interval")
        except ValueError:
            wanted = f"{_HEADER} with start < end (end excluded) in line {line} of {source}"
            raise PagenError(f"expected {wanted}, found {','.join(row)!r:.80}; mend that line") from None
        intervals.append((start, end))
    return videos


def read_csv(path: Path, key: str) -> Spans | None:
    """What the CSV says of the video `key` (its name, with or without extension), or None when it does not name it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels.csv")
        ...     _ = path.write_text("video,start_frame,end_frame\\na.mp4,1,3")
        ...     read_csv(path, "a").fit(4).labels.tolist()
        [0, 1, 1, 0]
    """
    named = [intervals for name, intervals in _videos(path).items() if key in (name, without_suffix(name))]
    return Spans(tuple(chain(*named))) if named else None


def names_in_csv(path: Path) -> list[str]:
    """The videos that a CSV file names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "labels.csv").write_text("video,start_frame,end_frame\\na.mp4,1,3")
        ...     names_in_csv(Path(folder, "labels.csv"))
        ['a.mp4']
    """
    return list(_videos(path))


@once_a_file
def _videos(path: Path) -> dict[str, list[Interval]]:
    return parse_csv(text(path), str(path))
