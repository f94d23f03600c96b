"""Things that are chosen by name: a table, open to third parties, that knows the nearest name."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pagen.errors import unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """A table name -> value. Others add to it with `register`, or by an entry point of its group.

    Args:
        what: what one entry is, in the words of an error message (`"data set"`).
        group: entry point group that is read when a name is not in the table (`"pagen.datasets"`).
        table: values, or `"module:attribute"`, which is imported when the entry is first asked for.

    Example:
        >>> COLOURS = Registry("colour", "example.colours", {"tau": "math:tau"})
        >>> COLOURS.register("two", 2.0)
        2.0
        >>> COLOURS.names(), round(COLOURS["tau"], 2)
        (['tau', 'two'], 6.28)
    """

    def __init__(self, what: str, group: str, table: dict[str, Any] | None = None) -> None:
        self.what, self.group = what, group
        self._table: dict[str, Any] = dict(table or {})

    def register(self, name: str, value: T) -> T:
        """Add an entry; an entry of the same name is replaced."""
        self._table[name] = value
        return value

    def names(self) -> list[str]:
        """All names of the table, sorted; entry points are listed without being loaded."""
        return sorted(set(self._table) | {point.name for point in entry_points(group=self.group)})

    def __getitem__(self, name: str) -> T:
        """The entry of that name. Raises PagenError that names the nearest one."""
        if name not in self._table:
            for point in entry_points(group=self.group, name=name):
                self.register(name, point.load())
        if name not in self._table:
            raise unknown_name(self.what, name, self.names())
        if isinstance(self._table[name], str):
            self._table[name] = resolve(self._table[name])
        value: T = self._table[name]
        return value

    def __contains__(self, name: str) -> bool:
        return name in self._table or name in self.names()


def resolve(reference: str) -> Any:
    """What `module:attribute` names.

    Example:
        >>> resolve("math:floor")(2.5)
        2
    """
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
