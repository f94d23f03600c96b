"""The lines of a table of transfers: a trivial baseline, or a recipe trained on one data set with a seed or several."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pagen.eval.published import kinds_of
from pagen.eval.results import Row, Table, leads
from pagen.footage.joined import shares


@dataclass(frozen=True)
class Difference:
    """Micro AUROC less that of the run `against`, of the same recipe, scale and seed, trained on the target.

    The mean over the seeds that both have.
    """

    against: str
    micro: float


@dataclass(frozen=True)
class Line:
    """A trivial baseline, or runs that differ by their seed alone, by their headline indicator.

    Attributes:
        run: the first one.
        rows: data set tested on -> all that was measured there of the first run, interval included.
        over_trained: data set tested on -> difference, where other runs were trained on that.
        runs: all of them, a seed each.
        seeds: theirs.
        areas: data set tested on -> the micro AUROC of each.
        by_scene: data set tested on that has several scenes -> the macro AUROC by scene, the mean over the seeds.
        own: the data sets tested on whose footage they were trained on.
        method: what was trained, data set and seed aside; empty of baselines.

    A data set tested on in several editions of labels stands for each of them by a name of its own.
    """

    run: str
    indicator: str
    rows: Mapping[str, Row]
    over_trained: Mapping[str, Difference]
    runs: tuple[str, ...]
    seeds: tuple[int | None, ...]
    areas: Mapping[str, tuple[float, ...]]
    by_scene: Mapping[str, float]
    own: tuple[str, ...] = ()
    method: str = ""

    @property
    def about(self) -> Row:
        """A row that says what the run is; all do."""
        return next(iter(self.rows.values()))

    @property
    def title(self) -> str:
        """Recipe, scale and seeds; of a baseline its name."""
        if len(self.seeds) == 1:
            return self.about.recipe_title or self.indicator
        return f"{self.about.recipe} ({self.about.scale}, seeds {' '.join(map(str, self.seeds))})"

    def micro(self, target: str) -> float:
        """The micro AUROC on a data set: the mean over the seeds."""
        return statistics.fmean(self.areas[target])

    def spread(self, target: str) -> float:
        """The standard deviation over the seeds (n - 1 in the divisor); NaN of a single one."""
        return statistics.stdev(self.areas[target]) if len(self.seeds) > 1 else float("nan")


@dataclass(frozen=True)
class Kin:
    """Which runs belong together: `alike` is all of a run's recipe but the seed, `method` is what it is called."""

    alike: str
    method: str


NOBODY = Kin("", "")


def kin_of(recipes: Sequence[Mapping[str, Any]]) -> Kin:
    """Of a run's recipe, and those of the runs that it consists of.

    Example:
        >>> kin_of([{"recipe": "knn", "scale": "cpu", "seed": 1, "features": "velocity"}]).method
        'knn of velocity (cpu)'
    """
    alike = [{key: value for key, value in recipe.items() if key != "seed"} for recipe in recipes]
    own, kinds = recipes[0], kinds_of(recipes[0])
    of = f" of {' and '.join(kinds)}" if kinds else ""
    return Kin(json.dumps(alike, sort_keys=True), f"{own.get('recipe')}{of} ({own.get('scale')})")


def lines_of(tables: Mapping[str, Table], datasets: Mapping[str, str], kin: Mapping[str, Kin]) -> tuple[Line, ...]:
    """What is tested on -> its table, as lines over all of them.

    `datasets` tells of which data set each is; `kin` is of each run that is no baseline.
    """
    shown = [leads(table.rows) for table in tables.values()]
    single = [dict(zip(tables, rows, strict=True)) for rows in zip(*shown, strict=True)]
    lines = [_line(group, datasets, kin) for group in _groups(single, kin)]
    return tuple(_compared(line, lines, datasets) for line in lines)


def _groups(lines: Sequence[Mapping[str, Row]], kin: Mapping[str, Kin]) -> Iterator[list[Mapping[str, Row]]]:
    """Lines of one run each, those together that differ by their seed alone; each seed once."""
    groups: dict[tuple[str, ...], list[Mapping[str, Row]]] = {}
    for rows in lines:
        row = next(iter(rows.values()))
        key, copy = (row.indicator, kin.get(row.run, NOBODY).alike), 0
        while any(row.seed == next(iter(other.values())).seed for other in groups.get((*key, str(copy)), [])):
            copy += 1
        groups.setdefault((*key, str(copy)), []).append(rows)
    yield from groups.values()


def _line(group: Sequence[Mapping[str, Row]], datasets: Mapping[str, str], kin: Mapping[str, Kin]) -> Line:
    firsts = [next(iter(rows.values())) for rows in group]
    home = firsts[0].trained_on
    areas = {target: tuple(rows[target].micro for rows in group) for target in group[0]}
    scenes = {target: [rows[target].by_scene for rows in group] for target in group[0]}
    by_scene = {
        target: statistics.fmean(one.mean for one in each if one) for target, each in scenes.items() if all(each)
    }
    runs, seeds = tuple(row.run for row in firsts), tuple(row.seed for row in firsts)
    own = tuple(target for target, dataset in datasets.items() if home is not None and shares(home, dataset))
    method = kin.get(runs[0], NOBODY).method
    return Line(runs[0], firsts[0].indicator, group[0], {}, runs, seeds, areas, by_scene, own, method)


def _compared(line: Line, lines: Sequence[Line], datasets: Mapping[str, str]) -> Line:
    differences = {}
    for target, dataset in datasets.items():
        homes = [other for other in lines if other.method == line.method and other.about.trained_on == dataset]
        home = next((other for other in homes if set(other.seeds) & set(line.seeds)), None)
        if home and target not in line.own:
            differences[target] = Difference(home.run, _over(line, home, target))
    return replace(line, over_trained=differences)


def _over(line: Line, home: Line, target: str) -> float:
    """The mean difference over the seeds that both have."""
    theirs = dict(zip(home.seeds, home.areas[target], strict=True))
    pairs = zip(line.seeds, line.areas[target], strict=True)
    return statistics.fmean(area - theirs[seed] for seed, area in pairs if seed in theirs)
