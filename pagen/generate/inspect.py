"""The verb `inspect`: how strong the pseudo-anomalies of a set are, in numbers and plain words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from pagen import console
from pagen.flags import Json


@dataclass(frozen=True)
class Inspect:
    """Tell how strong the pseudo-anomalies of a set are, and what is odd about them.

    Example:
        >>> Inspect(Path("pa/street")).json
        False
    """

    pa_set: tyro.conf.Positional[Path]
    """PA set, as `pagen generate` writes it."""
    json: Json = False


def run(config: Inspect) -> None:
    """Inspect the set, and print what was measured."""
    from pagen.generate.pa_set import open_pa_folder
    from pagen.generate.strength import inspect_set
    from pagen.generate.strength_text import as_text

    report = inspect_set(open_pa_folder(config.pa_set))
    console.result(report, config.json, as_text(report))
