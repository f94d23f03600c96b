"""What `evaluate` finds, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pagen.eval.metrics.roc import ByVideo

TRIVIAL = "trivial baseline"
BAR = "flow_speed"
"""The baseline that a run has to beat; scores out of files are compared with those of the first file."""


@dataclass(frozen=True)
class Choice:
    """What was chosen for an indicator of a run, and the micro AUROC that it has on the set that it was chosen on."""

    weights: Mapping[str, float] | None
    """Indicator -> weight; None of an indicator alone."""
    sigma: float | None
    """Width of the smoothing in frames; None where the protocol does not smooth."""
    micro: float = math.nan
    checkpoint: str = ""
    """State of the run's training; empty where it keeps no other than its last."""

    def __str__(self) -> str:
        shares = [f"{name} {weight:g}" for name, weight in (self.weights or {}).items()]
        width = [f"sigma {self.sigma:g} frames"] if self.sigma is not None else []
        state = [f"checkpoint {self.checkpoint}"] if self.checkpoint else []
        return ", ".join([*([" ".join(shares)] if shares else []), *width, *state])


@dataclass(frozen=True)
class Series:
    """The scores of one indicator of one run under one protocol, of the frames that count: video -> (kept,).

    `final` are as the protocol leaves them, `raw` neither rescaled nor smoothed; a label of 1 is abnormal. `frames` are
    the frames' numbers. The recipe is the run's, empty of baselines and files.
    """

    run: str
    indicator: str
    final: ByVideo
    raw: ByVideo
    labels: ByVideo
    frames: ByVideo
    recipe: Mapping[str, Any]
    ahead: int | None = 0
    """How many frames after the scored one the run looks at, windows aside; None where that is not known."""
    choice: Choice | None = None
    """What was chosen on another data set, where that was asked for."""
    precision: str = ""
    """What networks over clips multiplied, where that was not fp32."""


@dataclass(frozen=True)
class Scenes:
    """One indicator scene by scene: see `pagen.eval.metrics.scenes`."""

    micro: Mapping[str, float]
    """Scene -> micro AUROC in [0, 1], NaN where undefined."""
    mean: float
    """Over the scenes that have one."""
    thresholds: Mapping[str, float]
    """Scene -> the lowest one that keeps to the wanted false alarms in the scene."""
    tpr: float
    """Share of all abnormal frames found with these."""
    event_recall: float

    @property
    def used(self) -> int:
        """How many scenes have an AUROC."""
        return sum(area == area for area in self.micro.values())


@dataclass(frozen=True)
class Row:
    """One indicator of one run under one protocol; AUROCs in [0, 1], NaN where undefined."""

    run: str
    indicator: str
    micro: float
    low: float
    high: float
    raw: float
    """Micro AUROC of the same frames, neither rescaled nor smoothed."""
    macro: float
    """Mean over the videos that count by the protocol's rule."""
    videos_used: int
    videos: int
    frames: int
    average_precision: float
    equal_error_rate: float
    threshold: float
    """Lowest one that keeps to the wanted false alarms."""
    tpr: float
    """Share of the abnormal frames found at it."""
    event_recall: float
    delay: float
    """Mean seconds from an event's start to its first alarm."""
    over: float
    """Micro AUROC less that of the table's `against` on the same frames, and its interval over the same draws."""
    over_low: float
    over_high: float
    recipe: str | None = None
    scale: str | None = None
    seed: int | None = None
    trained_on: str | None = None
    by_scene: Scenes | None = None
    """Where the videos are of several scenes."""
    choice: Choice | None = None
    """What was chosen on another data set, where that was asked for."""

    @property
    def recipe_title(self) -> str:
        """Recipe, scale and seed; empty of baselines and files."""
        return f"{self.recipe} ({self.scale}, seed {self.seed})" if self.recipe else ""


Scored = TypeVar("Scored", Row, Series)
"""An indicator of a run, as figures or as scores."""


@dataclass(frozen=True)
class Scene:
    """What a table counts of a scene."""

    name: str
    videos: int
    frames: int
    abnormal: int


@dataclass(frozen=True)
class Table:
    """The rows of one protocol, the trivial baselines first, where there are any."""

    protocol: str
    title: str
    looks_ahead: bool
    """Later frames than the scored one play a part, by the protocol or by what a run sees."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    against: str = BAR
    """What each row is compared with."""
    scenes: tuple[Scene, ...] = ()
    """Empty where the videos are of one scene, or of none that is known."""
    label_edition: str = ""
    """Or the file that the labels came out of."""


@dataclass(frozen=True)
class Place:
    """One row: areas in [0, 1] with their intervals, NaN where undefined, and what they were measured on."""

    run: str
    indicator: str
    rbdc: float
    rbdc_low: float
    rbdc_high: float
    tbdc: float
    tbdc_low: float
    tbdc_high: float
    regions: int
    tracks: int
    frames: int
    videos: int


@dataclass(frozen=True)
class Places:
    """The rows, the trivial baseline first where there is one."""

    title: str
    rows: tuple[Place, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventArea:
    """One kind of anomaly by one run: AUROC in [0, 1] of its frames against all normal ones, with its interval."""

    run: str
    indicator: str
    kind: str
    micro: float
    low: float
    high: float
    frames: int
    """That show the kind."""
    videos: int


@dataclass(frozen=True)
class Events:
    """The kinds of anomalies under one protocol."""

    protocol: str
    normal: int
    """Frames without an anomaly."""
    areas: tuple[EventArea, ...]
    label_edition: str = ""


@dataclass(frozen=True)
class ChosenOn:
    """The labelled data set that choices were made on, by micro AUROC."""

    dataset: str
    label_edition: str
    clips: int


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    dataset: str | None
    """None where scores or boxes came out of files."""
    label_edition: str
    """Or the file that the labels came out of; of several editions all names."""
    seed: int
    """Of the bootstrap."""
    weights: str
    alarms: float
    """False alarms an hour that operating points may have."""
    pagen: str
    tables: tuple[Table, ...]
    localised: Places | None = None
    series: tuple[tuple[Series, ...], ...] = ()
    """What each table was measured on, row by row."""
    by_event: tuple[Events, ...] = ()
    """What each kind of anomaly is found by, table by table, where that was asked for."""
    chosen_on: ChosenOn | None = None
    """Where weights and smoothing come from, if not from the protocol."""

    def plain(self) -> dict[str, Any]:
        """All but the series, for JSON."""
        content = asdict(replace(self, series=()))
        del content["series"]
        return content


def leads(rows: Sequence[Scored]) -> Iterator[Scored]:
    """The trivial baselines of a table's rows or series, then the headline of each run."""
    yield from (row for row in rows if row.run == TRIVIAL)
    for run in dict.fromkeys(row.run for row in rows if row.run != TRIVIAL):
        yield headline([row for row in rows if row.run == run])


def headline(rows: Sequence[Scored]) -> Scored:
    """Of one run: what it fuses, else an indicator at the worst place, else its first."""
    return min(rows, key=lambda row: _rank(row.indicator))


def leading(indicators: Iterable[str]) -> str:
    """The indicator of the headline among those of one run."""
    return min(indicators, key=_rank)


def _rank(indicator: str) -> tuple[bool, bool]:
    return not indicator.startswith("fused"), not indicator.endswith("_local")


def percent(share: float) -> str:
    """x 100 with one decimal, `-` where undefined."""
    return f"{100 * share:.1f}" if share == share else "-"


def signed(difference: float) -> str:
    """x 100 with its sign and one decimal, `-` where undefined."""
    return f"{100 * difference:+.1f}" if difference == difference else "-"


def between(low: float, high: float, word: str = "-") -> str:
    """An interval, x 100 with one decimal, `-` where undefined."""
    return f"{percent(low)}{word}{percent(high)}" if low == low else "-"
