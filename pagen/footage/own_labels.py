"""Labels of one's own data sets: places below their folder, or tables that also say how the labels are written.

labels = ["labels/{clip}.npy", {kind = "tracks", path = "tracks/{clip}.txt", edition = "strict", slack = 1}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from string import Formatter
from typing import Any

from pagen.footage.labels.said import COUNTINGS
from pagen.footage.layout import LABEL_KINDS, LabelSource

PLACES = {".csv": "csv", "{clip}.npy": "npy", "{clip}": "masks"}
"""How a place ends that says enough -> how labels are written there."""
KINDS = tuple(kind for kind in LABEL_KINDS if kind not in ("m", "mat_intervals", "npy_for_tracks"))
"""Kinds that a table may name: those that call clips by names, not by numbers, each once."""
_RESERVED = ("all", "none")
"""What no edition may be called: `--labels all` asks for every one."""
_CLIP = "{clip}"
_FORMS: Mapping[str, tuple[str, Any]] = {
    "edition": (
        f"words in quotes, none of {' '.join(_RESERVED)},",
        lambda value: isinstance(value, str) and value.strip() and value not in _RESERVED,
    ),
    "slack": ("a number of frames", lambda value: type(value) is int and value >= 0),
    "counting": (f"one of {' '.join(COUNTINGS)}", lambda value: isinstance(value, str) and value in COUNTINGS),
    "normal": ("0 or 1", lambda value: type(value) is int and value in (0, 1)),
}
"""What else a table may say, which a `LabelSource` tells -> what that has to be, and whether it is."""


def source_of(value: str | Mapping[str, Any]) -> LabelSource:
    """Where labels are, by a place or table without `label_problems`.

    Example:
        >>> source = source_of({"kind": "tracks", "path": "tracks/{clip}.txt", "slack": 1})
        >>> source.kind, source.edition, source.slack, source_of("labels.csv").kind
        ('tracks', 'tracks/*.txt', 1, 'csv')
    """
    kinds = (kind for end, kind in PLACES.items() if isinstance(value, str) and value.endswith(end))
    table = {"kind": next(kinds), "path": value} if isinstance(value, str) else value
    return LabelSource(**{"edition": table["path"].format(clip="*"), "promised": True, **table})


def label_problems(value: Any) -> Iterator[str]:
    """What is wrong with a place or a table of labels: what was expected, and what was found.

    Example:
        >>> list(label_problems("labels.csv")), next(label_problems({"path": "a.npz"})).partition(", found ")[2]
        ([], "None in {'path': 'a.npz'}")
    """
    if isinstance(value, dict):
        yield from _table_problems(value)
    elif not (isinstance(value, str) and value.endswith(tuple(PLACES)) and _is_place(value)):
        yield (
            "expected places below root, each FILE.csv, DIR/{clip}.npy or DIR/{clip} (masks), or tables with kind and "
            f"path, as labels, found {value!r:.80}"
        )


def _table_problems(table: Mapping[str, Any]) -> Iterator[str]:
    kind, path, found = table.get("kind"), table.get("path"), f"in {table!r:.160}"
    for key in table:
        if key not in ("kind", "path", *_FORMS):
            yield f"expected only kind path {' '.join(_FORMS)} in a table of labels, found {key} {found}"
    if kind not in KINDS:
        yield f"expected a kind of labels, one of {' '.join(KINDS)}, found {kind!r} {found}"
        return
    holds = "without {clip}, a file of all clips," if LABEL_KINDS[kind].names else "with {clip}, one a clip,"
    if not (isinstance(path, str) and _is_place(path) and (_CLIP in path) is not bool(LABEL_KINDS[kind].names)):
        yield f"expected a path below root {holds} for {kind}, found {path!r} {found}"
    for key, (wanted, fits) in _FORMS.items():
        if key in table and not fits(table[key]):
            yield f"expected {wanted} as {key}, found {table[key]!r} {found}"


def _is_place(path: str) -> bool:
    """Whether it is a relative path in which no more than the clip's name is left open."""
    try:
        parts = {part[1:] for part in Formatter().parse(path) if part[1] is not None}
    except ValueError:
        return False
    return parts <= {("clip", "", None)} and bool(path) and not PurePath(path).is_absolute()
