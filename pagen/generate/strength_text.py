"""What `pagen inspect` measured, as text: tables, histograms of characters, warnings."""

from __future__ import annotations

import math
from textwrap import indent
from typing import Any

from pagen import console
from pagen.generate.strength import LAMBDA, LEAST

_BAR, _MOST = 30, 20


def as_text(report: dict[str, Any]) -> str:
    """The report for a reader.

    Example:
        >>> print(as_text({"path": "pa/street", "dataset": "street", "length": 16, "kinds": {}, "warnings": []}))
        pa/street: pseudo-anomalies of street, clips of 16 frames
        <BLANKLINE>
        nothing odd was found
    """
    head = f"{report['path']}: pseudo-anomalies of {report['dataset']}, clips of {report['length']} frames"
    parts = [head, *(_of_kind(kind, measured) for kind, measured in report["kinds"].items())]
    warnings = [f"warning: {line}" for line in report["warnings"]]
    return "\n\n".join([*parts, "\n".join(warnings) or "nothing odd was found"])


def _of_kind(kind: str, measured: dict[str, Any]) -> str:
    items, looked, unit = measured["items"], measured["looked_at"], measured["unit"]
    sampled = "all looked at" if looked == items else f"{looked} of them looked at, evenly spread"
    shares = {key: 100 * value for key, value in measured["changed_share"].items()}
    rows = [_row("changed pixels, %", shares), _row(f"change of those, {unit}", measured["strength"])]
    table = console.table(["", "mean", "5 %", "50 %", "95 %"], rows)
    throughout = f", or lambda above {LAMBDA}" if kind == "temporal" else ""
    rule = f"mean difference below {LEAST[unit]} {unit}{throughout}"
    lines = [table, f"near-copies: {_of(measured['near_copies'], looked)} ({rule})"]
    if kind == "temporal":
        lines.append(f"segments with lambda above {LAMBDA}: {_of(measured['lambda_above'], measured['segments'])}")
    if "random_masks" in measured:
        lines.append(f"masks at random for want of motion: {_of(measured['random_masks'], measured['frames'])}")
    for key, title in (("coverage", "mask coverage, %"), ("strides", "stride"), ("intruders", "intruder")):
        if key in measured:
            lines.append(_bars(title, measured[key]))
    return f"{kind}: {items:,} clips, {sampled}\n" + indent("\n".join(lines), "  ", lambda line: True)


def _row(label: str, spread: dict[str, float]) -> list[str]:
    return [label, *("-" if math.isnan(value) else f"{value:.3g}" for value in spread.values())]


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,} = {100 * count / total:.1f} %"


def _bars(title: str, counts: dict[Any, int]) -> str:
    """A histogram of text, of the first so many names."""
    most = max(counts.values(), default=0) or 1
    rows = [[str(name), f"{count:,}", "#" * math.ceil(_BAR * count / most)] for name, count in counts.items()]
    rest = [f"and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []
    return "\n".join([console.table([title, "count", ""], rows[:_MOST]), *rest])
