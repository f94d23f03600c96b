"""What others have added to pagen's tables, where it fails: one line that names their entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from traceback import walk_tb
from types import FrameType
from typing import Any

from pagen.errors import PagenError

GROUPS = "pagen."
"""How the groups of entry points begin that pagen reads."""


@contextmanager
def named() -> Iterator[None]:
    """Raise PagenError, which names the entry point, for what the code of others raises inside the block.

    What they did not raise themselves stays as it is.
    """
    try:
        yield
    except PagenError:
        raise
    except Exception as error:
        frame = _theirs(error)
        if frame is None:
            raise
        module, shown = str(frame.f_globals["__name__"]), " ".join(str(error).split()) or "nothing said"
        raise PagenError(
            f"{_entries(module)} raised {type(error).__name__} ({shown:.300}) in {frame.f_code.co_filename}, "
            f"{frame.f_code.co_name}; mend it there, or uninstall it"
        ) from error


def called(function: Callable[[Any], Any], item: Any) -> Any:
    """`function(item)`, with what others raise named."""
    with named():
        return function(item)


def where(point: EntryPoint) -> str:
    """An entry point in words: its name, its group, what it points at, and whose it is."""
    of = f" of {point.dist.name}" if point.dist else ""
    return f"the entry point {point.name} = {point.value} ({point.group}){of}"


def _points() -> Sequence[EntryPoint]:
    groups = entry_points()
    return [
        point for group in sorted(groups.groups) if group.startswith(GROUPS) for point in groups.select(group=group)
    ]


def _theirs(error: BaseException) -> FrameType | None:
    """The innermost frame of the traceback that runs in a package which has entry points here."""
    packages = {_package(point.module) for point in _points()} - {_package(__name__)}
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return next(
        (frame for frame in reversed(frames) if _package(frame.f_globals.get("__name__", "")) in packages), None
    )


def _entries(module: str) -> str:
    """The entry points of a module, or, where it has none, of its package."""
    points = [point for point in _points() if _package(point.module) == _package(module)]
    own = [point for point in points if point.module == module] or points
    first, more = where(own[0]), f" (or {' '.join(point.name for point in own[1:5])} there)" if own[1:] else ""
    return f"{first}{more}"


def _package(module: str) -> str:
    return module.partition(".")[0]
