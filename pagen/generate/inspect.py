"""The verb `inspect`: how strong the pseudo-anomalies of a set are, in numbers and plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from pagen import console

_BAR, _MOST = 30, 20


@dataclass(frozen=True)
class Inspect:
    """Tell how strong the pseudo-anomalies of a set are, and what is odd about them."""

    pa_set: tyro.conf.Positional[Path]
    """PA set, as `pagen generate` writes it."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Inspect) -> None:
    """The verb `inspect`."""
    from pagen.generate.pa_set import open_pa_folder
    from pagen.generate.strength import inspect_set

    report = inspect_set(open_pa_folder(config.pa_set))
    console.result(report, config.json, as_text(report))


def as_text(report: dict[str, Any]) -> str:
    """The report for a reader."""
    head = f"{report['path']}: pseudo-anomalies of {report['dataset']}, clips of {report['length']} frames"
    parts = [head, *(_of_kind(kind, found) for kind, found in report["kinds"].items())]
    warnings = [f"warning: {line}" for line in report["warnings"]]
    return "\n\n".join([*parts, "\n".join(warnings) or "nothing odd was found"])


def _of_kind(kind: str, found: dict[str, Any]) -> str:
    from pagen.generate.strength import LAMBDA, LEAST

    items, looked, unit = found["items"], found["looked_at"], found["unit"]
    sampled = "all looked at" if looked == items else f"{looked} of them looked at, evenly spread"
    shares = {key: 100 * value for key, value in found["changed_share"].items()}
    rows = [_row("changed pixels, %", shares), _row(f"change of those, {unit}", found["strength"])]
    table = console.table(["", "mean", "5 %", "50 %", "95 %"], rows)
    throughout = f", or lambda above {LAMBDA}" if kind == "temporal" else ""
    rule = f"mean difference below {LEAST[unit]} {unit}{throughout}"
    lines = [table, f"near-copies: {_of(found['near_copies'], looked)} ({rule})"]
    if kind == "temporal":
        lines.append(f"segments with lambda above {LAMBDA}: {_of(found['lambda_above'], found['segments'])}")
    if "random_masks" in found:
        lines.append(f"masks at random for want of motion: {_of(found['random_masks'], found['frames'])}")
    for key, title in (("coverage", "mask coverage, %"), ("strides", "stride"), ("intruders", "intruder")):
        if key in found:
            lines.append(_bars(title, found[key]))
    return f"{kind}: {items:,} clips, {sampled}\n" + _indented("\n".join(lines))


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


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
