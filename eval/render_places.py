"""Places as text for a terminal and as parts of a Markdown page."""

from __future__ import annotations

from pagen import console
from pagen.eval.results import Place, Places, between, percent
from pagen.eval.settings import DRAWS

HEADERS = ("run", "map", "RBDC", "95 % interval", "TBDC", "95 % interval", "regions", "tracks", "frames")


def text(places: Places) -> str:
    """The table for a terminal."""
    rows = console.table(HEADERS, [cells(row) for row in places.rows])
    return "\n".join([f"localisation: {places.title}", rows, *places.notes])


def markdown(places: Places) -> list[str]:
    """The table as parts of a page."""
    title = f"{places.title[0].upper()}{places.title[1:]}."
    return ["## Localisation", title, console.markdown(HEADERS, [cells(row) for row in places.rows]), *places.notes]


def cells(row: Place) -> list[str]:
    """A row as text; areas x 100, `-` where undefined."""
    counts = (f"{count:,}" for count in (row.regions, row.tracks, row.frames))
    return [
        *(row.run, row.indicator, percent(row.rbdc), between(row.rbdc_low, row.rbdc_high)),
        *(percent(row.tbdc), between(row.tbdc_low, row.tbdc_high), *counts),
    ]


LEGEND = (
    "RBDC, TBDC x 100: areas under the shares of regions and of tracks found, up to one false positive a frame. "
    f"Interval: {DRAWS:,} draws of whole videos."
)
