"""AUROCs of single kinds of anomalies as a table: a line a kind, a column a run."""

from __future__ import annotations

from pagen import console
from pagen.eval.results import TRIVIAL, EventArea, Events, between, percent

LEGEND = (
    "AUROC x 100 of the frames of one kind of anomaly against all normal frames, frames of other kinds left out; in "
    "brackets the 95 % interval over draws of whole videos, where two videos and more show the kind."
)


def text(events: Events) -> str:
    """The table for a terminal."""
    return f"by event, protocol {events.protocol}: {_lead(events)}\n{console.table(headers(events), lines(events))}"


def markdown(events: Events) -> list[str]:
    """The table as parts of a page."""
    return [f"## By event, protocol {events.protocol}", _lead(events), console.markdown(headers(events), lines(events))]


def headers(events: Events) -> list[str]:
    """What stands above `lines`."""
    return ["event", "videos", "frames", *(one if run == TRIVIAL else f"{run} {one}" for run, one in _columns(events))]


def lines(events: Events) -> list[list[str]]:
    """A line a kind: its name, videos, frames, and the cell of each run."""
    areas = {(area.kind, area.run, area.indicator): area for area in events.areas}
    kinds = {area.kind: area for area in events.areas}
    return [
        [kind, str(one.videos), f"{one.frames:,}", *(_cell(areas[kind, *column]) for column in _columns(events))]
        for kind, one in kinds.items()
    ]


def _columns(events: Events) -> list[tuple[str, str]]:
    return list(dict.fromkeys((area.run, area.indicator) for area in events.areas))


def _cell(area: EventArea) -> str:
    return percent(area.micro) + (f" ({between(area.low, area.high)})" if area.low == area.low else "")


def _lead(events: Events) -> str:
    labels = f"; labels: {events.label_edition}" if events.label_edition else ""
    return f"each kind of anomaly against {events.normal:,} normal frames{labels}"
