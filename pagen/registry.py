"""Things that are chosen by name: a table, open to third parties, that knows the nearest name."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Generic, TypeVar

from pagen.errors import unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """A table name -> value. Others add to it with `register`, or by an entry point of its group.

    Args:
        what: what one entry is, in the words of an error message (`"data set"`).
        group: entry point group that is read when a name is not in the table (`"pagen.datasets"`).
    """

    def __init__(self, what: str, group: str, table: dict[str, T] | None = None) -> None:
        self.what = what
        self.group = group
        self._table: dict[str, T] = dict(table or {})

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
        return self._table[name]

    def __contains__(self, name: str) -> bool:
        return name in self.names()
