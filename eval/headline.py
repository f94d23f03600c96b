"""Which one of a run's indicators stands for it where there is room for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pagen.eval.tables import TRIVIAL, Row


def headlines(rows: Sequence[Row]) -> Iterator[Row]:
    """The trivial baselines of a table's rows, then the headline of each run."""
    yield from (row for row in rows if row.run == TRIVIAL)
    for run in dict.fromkeys(row.run for row in rows if row.run != TRIVIAL):
        yield headline([row for row in rows if row.run == run])


def headline(rows: Sequence[Row]) -> Row:
    """Of one run: what it fuses, else an indicator at the worst place, else its first."""
    fused = [row for row in rows if row.indicator.startswith("fused")]
    local = [row for row in rows if row.indicator.endswith("_local")]
    return next(iter([*fused, *local, *rows]))
