"""UCSD's `.m` files: one line of MATLAB a test clip."""

from __future__ import annotations

import re
from pathlib import Path

from pagen.errors import PagenError
from pagen.footage.labels.raw import text
from pagen.footage.labels.said import Interval, Spans

_LINE = re.compile(r"TestVideoFile\{end\s*\+\s*1\}\.gt_frame\s*=\s*\[([^\]]*)\]\s*;?")
_RANGE = re.compile(r"(\d+)(?::(\d+))?")


def parse_m(code: str, source: str = "the .m file") -> list[list[Interval]]:
    """The intervals of each test clip in a UCSD `.m` file, from 1, last frame included, as they are written.

    Raises PagenError: a line that is neither empty, a comment, the empty list nor one clip's intervals.

    Example:
        >>> parse_m("TestVideoFile{end+1}.gt_frame = [61:180];")
        [[(61, 180)]]
    """
    clips = []
    for number, line in enumerate(code.splitlines(), 1):
        statement = line.split("%")[0].strip()
        if not statement or re.fullmatch(r"TestVideoFile\s*=\s*\{\s*\}\s*;?", statement):
            continue
        match = _LINE.fullmatch(statement)
        parts = [part for part in re.split(r"[\s,;]+", match[1].strip()) if part] if match else [""]
        ranges = [found for part in parts if (found := _RANGE.fullmatch(part))]
        intervals = [(int(found[1]), int(found[2] or found[1])) for found in ranges]
        if len(ranges) < len(parts) or any(not 1 <= first <= last for first, last in intervals):
            raise PagenError(
                f"expected 'TestVideoFile{{end+1}}.gt_frame = [a:b];' in line {number} of {source}, found {statement!r}"
                "; mend that"
            )
        clips.append(intervals)
    return clips


def read_m(path: Path, key: str) -> Spans:
    """What the `.m` file says of the test clip number `key` (from 1). Raises PagenError as `parse_m`, or no such clip.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "ped2.m")
        ...     _ = path.write_text("TestVideoFile{end+1}.gt_frame = [2:3];")
        ...     read_m(path, "1").fit(4).labels.tolist()
        [0, 1, 1, 0]
    """
    clips = parse_m(text(path), str(path))
    if int(key) > len(clips):
        raise PagenError(
            f"expected labels of test clip {key} in {path}, found those of {len(clips)} clips; of another set?"
        )
    return Spans(tuple(clips[int(key) - 1]), "one-inclusive")


def names_in_m(path: Path) -> list[str]:
    """The numbers of the test clips that a `.m` file has labels of, from 1, as text.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "ped2.m").write_text("TestVideoFile{end+1}.gt_frame = [2:3];")
        ...     names_in_m(Path(folder, "ped2.m"))
        ['1']
    """
    return [str(number) for number, _ in enumerate(parse_m(text(path), str(path)), 1)]
