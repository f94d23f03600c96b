"""Texts of others in tables: a spreadsheet must not take the name of a video for a formula."""

from __future__ import annotations

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """A value as it may stand in a CSV: a text that a spreadsheet would compute gets an apostrophe before it.

    Numbers stay numbers, also those that are texts already.

    Example:
        >>> [cell(value) for value in ("=cmd()", "-1.5", -1.5, "a=b")]
        ["'=cmd()", '-1.5', -1.5, 'a=b']
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
