"""Texts of others in tables: a spreadsheet must not take the name of a video for a formula."""

from __future__ import annotations

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t")


def cell(value: Any) -> Any:
    """A value as it may stand in a CSV: a text that a spreadsheet would compute gets an apostrophe before it.

    Numbers stay numbers, also those that are texts already. A line that ends inside of a text is no line: a space.

    Example:
        >>> [cell(value) for value in ("=cmd()", "-1.5", -1.5, "a=b")]
        ["'=cmd()", '-1.5', -1.5, 'a=b']
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\r", " ").replace("\n", " ")
    if not value.lstrip(" ").startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
