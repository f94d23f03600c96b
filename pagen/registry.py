"""Things that are chosen by name: a table, open to third parties, that knows the nearest name."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, ClassVar, Generic, TypeVar

from pagen.errors import PagenError, unknown_name
from pagen.third_party import where

T = TypeVar("T")
Lent = Mapping[str, Mapping[str, bytes]]
"""Group -> name -> a pickled value; empty where it cannot be pickled."""


class Registry(Generic[T]):
    """A table name -> value. Others add to it with `register`, or by an entry point of its group.

    What is registered reaches worker processes too, where they can import it.

    Args:
        what: what one entry is, in the words of an error message (`"data set"`).
        group: entry point group that is read when a name is not in the table (`"pagen.datasets"`).
        table: values, or `"module:attribute"`, which is imported when the entry is first asked for.
        fits: whether a value may be an entry.

    Example:
        >>> COLOURS = Registry("colour", "example.colours", {"tau": "math:tau"})
        >>> COLOURS.register("two", 2.0)
        2.0
        >>> COLOURS.names(), round(COLOURS["tau"], 2)
        (['tau', 'two'], 6.28)
    """

    _of_group: ClassVar[dict[str, Registry[Any]]] = {}
    _borrowed: ClassVar[dict[str, Mapping[str, bytes]]] = {}

    def __init__(
        self, what: str, group: str, table: dict[str, Any] | None = None, fits: Callable[[Any], bool] | None = None
    ) -> None:
        self.what, self.group, self.fits = what, group, fits
        self._table: dict[str, Any] = {**(table or {}), **self._borrowed.get(group, {})}
        self._registered = set[str]()
        self._of_group[group] = self

    def register(self, name: str, value: T) -> T:
        """Add an entry; an entry of the same name is replaced."""
        self._table[name] = value
        self._registered.add(name)
        return value

    def names(self) -> list[str]:
        """All names of the table, sorted; entry points are listed without being loaded."""
        return sorted(set(self._table) | {point.name for point in entry_points(group=self.group)})

    def __getitem__(self, name: str) -> T:
        """The entry of that name.

        Raises PagenError: no such name, of which it names the nearest; an entry of others that cannot be imported or is
        something else.
        """
        if name not in self._table:
            for point in entry_points(group=self.group, name=name):
                self._table[name] = _loaded(f"a {self.what} by {where(point)}", point.load)
        if name not in self._table:
            raise unknown_name(self.what, name, self.names())
        if isinstance(self._table[name], bytes):
            self._table[name] = self._unpacked(name, self._table[name])
        if isinstance(self._table[name], str):
            self._table[name] = resolve(self._table[name])
        value: T = self._table[name]
        if self.fits and not self.fits(value):
            raise PagenError(f"expected a {self.what} to be registered as {name!r}, found {value!r:.80}; mend that")
        return value

    def __contains__(self, name: str) -> bool:
        return name in self._table or name in self.names()

    def _unpacked(self, name: str, lent: bytes) -> Any:
        if lent:
            return _loaded(f"the {self.what} {name!r} in a worker process", lambda: pickle.loads(lent))
        raise PagenError(
            f"expected a {self.what} {name!r} that worker processes can import, found one of the script that was "
            "started; put it in a module of its own and register it from there, or take 0 workers"
        )


def names_of(group: str, table: Collection[str]) -> list[str]:
    """The names of a table, which need not be loaded, and those by which others registered in its group, sorted.

    Example:
        >>> names_of("example.colours", ["two", "tau"])
        ['tau', 'two']
    """
    registered = Registry._of_group[group].names() if group in Registry._of_group else []
    return sorted({*table, *registered, *(point.name for point in entry_points(group=group))})


def lent() -> Lent:
    """What has been registered in this process, for others to `borrow`."""
    tables = Registry._of_group.items()
    return {
        group: {name: _pickled(table._table[name]) for name in table._registered & table._table.keys()}
        for group, table in tables
        if table._registered
    }


def borrow(lent: Lent) -> None:
    """Register what another process has lent."""
    Registry._borrowed.update(lent)
    for group, values in lent.items():
        if group in Registry._of_group:
            Registry._of_group[group]._table.update(values)


def resolve(reference: str) -> Any:
    """What `module:attribute` names. Raises PagenError where others named what cannot be imported.

    Example:
        >>> resolve("math:floor")(2.5)
        2
    """
    module, _, attribute = reference.partition(":")
    if module.startswith("pagen."):
        return getattr(import_module(module), attribute)
    return _loaded(f"{reference} to be there", lambda: getattr(import_module(module), attribute))


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:  # whatever their module does when it is imported
        shown = " ".join(f"{type(error).__name__}: {error}".split())
        raise PagenError(f"expected {what}, found {shown:.300}; mend or uninstall what names it") from error


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:  # pickle raises whatever it meets
        return b""
