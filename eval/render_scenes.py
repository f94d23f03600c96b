"""Micro AUROC scene by scene as a table: a line a scene, a column a run."""

from __future__ import annotations

from pagen import console
from pagen.eval.results import TRIVIAL, Row, Table, leads, percent

LEGEND = (
    "By scene: micro AUROC of each scene's frames, and the mean of these. Found, a threshold a scene: frames found "
    "where each scene has the lowest threshold that keeps to the false alarms an hour in it."
)


def text(table: Table) -> str:
    """The table for a terminal."""
    return f"by scene, protocol {table.protocol}{_labels(table)}:\n{console.table(headers(table), lines(table))}"


def markdown(table: Table) -> list[str]:
    """The table as parts of a page."""
    return [f"Scene by scene, micro AUROC{_labels(table)}:", console.markdown(headers(table), lines(table))]


def headers(table: Table) -> list[str]:
    """What stands above `lines`."""
    runs = [row.indicator if row.run == TRIVIAL else f"{row.run} {row.indicator}" for row in leads(table.rows)]
    return ["scene", "videos", "frames", "abnormal", *runs]


def lines(table: Table) -> list[list[str]]:
    """A line a scene, with the headline of each run."""
    rows = [*leads(table.rows)]
    return [
        [scene.name, str(scene.videos), f"{scene.frames:,}", f"{scene.abnormal:,}", *_cells(scene.name, rows)]
        for scene in table.scenes
    ]


def _cells(scene: str, rows: list[Row]) -> list[str]:
    return [percent(row.by_scene.micro[scene]) if row.by_scene else "-" for row in rows]


def _labels(table: Table) -> str:
    return f", labels {table.label_edition}" if table.label_edition else ""
