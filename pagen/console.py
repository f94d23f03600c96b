"""What is printed: results on stdout, messages and bars on stderr, nothing that moves into a pipe."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def say(message: str) -> None:
    """A message for the person who waits (stderr); where nobody reads any more, the work goes on."""
    with suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)


def open_streams() -> None:
    """Give the process the streams that it was started without, and let no letter that a stream lacks end it."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # else the next file would take a stream's place
            pass
        os.close(number)
        sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def reader_is_gone(last: str = "") -> bool:
    """Whether nobody reads stdout any more, as after `| head`; what is still in it goes nowhere then.

    Give a `last` letter after a pipe broke: a long text that is not taken leaves nothing in the stream to tell it by.
    """
    try:
        print(end=last, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def progress(
    items: Iterable[T], label: str, total: int | None = None, unit: str = "clips", delay: float = 0
) -> Iterator[T]:
    """The items, with a bar on a terminal, drawn after `delay` seconds, and in silence elsewhere."""
    from tqdm import tqdm

    bar = "{l_bar}{bar:24}| {n_fmt}/{total_fmt} {unit} {elapsed} left {remaining}{postfix}"
    plain = not sys.stderr.isatty() or os.environ.get("TERM") == "dumb"
    form = {"unit": unit, "bar_format": bar, "ascii": True, "delay": delay, **_size()}
    yield from tqdm(items, label, total, file=sys.stderr, disable=plain, **form)


def _size() -> dict[str, int]:
    """What to take for the size of a terminal that tells none, on which tqdm would draw nothing."""
    with suppress(OSError, ValueError):
        return {} if os.get_terminal_size(sys.stderr.fileno()).columns else {"ncols": 80, "nrows": 24}
    return {}


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text columns; the first column to the left, all to the left."""
    cells = [list(headers), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same rows as a Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_json(value: Any) -> str:
    """JSON with sorted keys; NaN and infinities, which JSON lacks, become null."""
    return json.dumps(_finite(value), indent=2, sort_keys=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def result(value: Any, json_wanted: bool, text: str) -> None:
    """The result of a verb on stdout: as JSON where that was asked for, else as text."""
    print(as_json(value) if json_wanted else text)
