"""Errors that the user can mend; everything else that is raised is a bug."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager


class PagenError(Exception):
    """One line: what was expected, what came, what to do next. The command line exits with 2."""


@contextmanager
def asked_by(command: str) -> Iterator[None]:
    """What a verb that does the work of another refuses inside is said to be of that command, whose flags it names.

    Example:
        >>> with asked_by("pagen train skip"):
        ...     raise PagenError("expected --lr above 0, found 0")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected --lr above 0, found 0 (in `pagen train skip`)
    """
    try:
        yield
    except PagenError as error:
        raise PagenError(f"{error} (in `{command}`)") from error


def require_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise PagenError, with the nearest name, for a name that is not among those known."""
    if name not in known:
        raise unknown_name(what, name, known)


def require_counts(values: Mapping[str, int | Sequence[int]], least: int = 1) -> None:
    """Raise PagenError that names the first of these numbers that is too low; of several, one at least, the lowest."""
    for name, value in values.items():
        numbers = [value] if isinstance(value, int) else list(value)
        if min(numbers, default=least - 1) < least:
            found = min(numbers) if numbers else "none"
            raise PagenError(f"expected {name} of {least} and more, found {found}")


def unknown_name(what: str, name: str, known: Iterable[str]) -> PagenError:
    """The answer to a name that no table holds, with the nearest one that it does hold."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" did you mean {close[0]!r}?" if close else ""
    return PagenError(f"no {what} named {name!r};{hint} known: {' '.join(names)}")
