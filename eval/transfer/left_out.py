"""Leave one out: what runs that were not trained on a data set reach on it, beside those that were."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pagen.eval.results import TRIVIAL, percent
from pagen.eval.transfer.lines import Line


@dataclass(frozen=True)
class Held:
    """Micro AUROCs on a data set in [0, 1]: of runs not trained on it, and the mean of those that were; NaN of none."""

    mean: float
    low: float
    high: float
    runs: int
    own: float
    own_runs: int


@dataclass(frozen=True)
class LeftOut:
    """What a method, or a trivial baseline, reaches on each data set."""

    method: str
    held: Mapping[str, Held]


def left_out(lines: Sequence[Line], targets: Sequence[str]) -> tuple[LeftOut, ...]:
    """A line a method: every run counts on the data sets that it was not trained on, each seed by itself.

    A run trained on joined sets counts where the data set is not among its parts.
    """
    methods = dict.fromkeys(_name(line) for line in lines)
    return tuple(
        LeftOut(
            method, {target: _held([line for line in lines if _name(line) == method], target) for target in targets}
        )
        for method in methods
    )


def _name(line: Line) -> str:
    return line.indicator if line.run == TRIVIAL else line.method


def _held(lines: Sequence[Line], target: str) -> Held:
    others = [area for line in lines if target not in line.own for area in line.areas[target] if area == area]
    own = [area for line in lines if target in line.own for area in line.areas[target] if area == area]
    nothing = float("nan")
    mean, low, high = (statistics.fmean(others), min(others), max(others)) if others else (nothing,) * 3
    return Held(mean, low, high, len(others), statistics.fmean(own) if own else nothing, len(own))


def cells(one: LeftOut) -> list[str]:
    """A line as text: mean (lowest-highest; runs), and in brackets the mean of the data set's own."""
    return [one.method, *(_cell(held) for held in one.held.values())]


def _cell(held: Held) -> str:
    several = f"{percent(held.low)}-{percent(held.high)}; {held.runs}"
    parts = [f"{percent(held.mean)} ({several})" if held.runs > 1 else percent(held.mean)] if held.runs else []
    return " ".join([*parts, *([f"[{percent(held.own)}]"] if held.own_runs else [])]) or "-"
