"""The verb `datasets`: what data sets are known, where they lie, and whether they are whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from pagen import console
from pagen.errors import PagenError
from pagen.flags import Json, Partial, Root
from pagen.footage.catalogue import DATASETS
from pagen.footage.dataset_report import as_list, as_report, checked, row_of


@dataclass(frozen=True)
class Datasets:
    """List the data sets that are known, or check one: `pagen datasets check NAME`.

    Example:
        >>> Datasets(("check", "ped2")).action
        ('check', 'ped2')
    """

    action: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Nothing to list all, or `check NAME` to look whether one is whole."""
    root: Root = None
    partial: Partial = False
    json: Json = False


def run(config: Datasets) -> None:
    """List or check. Raises PagenError for another action, and when the checked data set is not whole."""
    match config.action:
        case ():
            rows = [row_of(DATASETS[name], config.root) for name in DATASETS.names()]
            console.result(rows, config.json, as_list(rows))
        case ("check", name):
            report = checked(name, config.root, config.partial)
            console.result(report, config.json, as_report(report))
            if count := len(report["problems"]):
                found = "1 problem" if count == 1 else f"{count} problems"
                part = report["missing"] and not config.partial
                advice = "; --partial takes the clips that are there" if part else ""
                raise PagenError(
                    f"expected {name} to be whole, found {found}, listed above; mend what is listed, or obtain the "
                    f"data set anew{advice}"
                )
        case other:
            raise PagenError(f"expected 'pagen datasets' or 'pagen datasets check NAME', found {' '.join(other)!r}")
