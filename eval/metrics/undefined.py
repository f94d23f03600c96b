"""Measures without a value: NaN with a reason."""

from __future__ import annotations


class Undefined(float):
    """NaN for every calculation, test and table; `reason` is one clause, such as "no abnormal frame".

    Example:
        >>> import math
        >>> value = Undefined("no abnormal frame")
        >>> math.isnan(value), value.reason
        (True, 'no abnormal frame')
    """

    reason: str

    def __new__(cls, reason: str) -> Undefined:
        """NaN with a reason."""
        value = super().__new__(cls, "nan")
        value.reason = reason
        return value

    def __reduce__(self) -> tuple[type[Undefined], tuple[str]]:
        """Copies and other processes keep the reason."""
        return Undefined, (self.reason,)


def reason(value: float) -> str:
    """Why a value is undefined; empty for one that is defined, or a NaN that came without a reason.

    Example:
        >>> reason(Undefined("no abnormal frame")), reason(0.5)
        ('no abnormal frame', '')
    """
    return value.reason if isinstance(value, Undefined) else ""
