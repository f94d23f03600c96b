"""The verb `generate`: pseudo-anomalies of all kinds out of a data set's normal clips, into a PA set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tyro

from pagen import console
from pagen.footage.catalogue import DATASETS
from pagen.generate.config import Generate
from pagen.options import scale_in


def parse(argv: Sequence[str]) -> Generate:
    """Read the flags; `--scale` decides the defaults of some.

    Example:
        >>> parse(["--dataset", "street", "--scale", "paper", "--flow", "dis"]).inference_steps
        50
    """
    default, flags = Generate.at(scale_in(argv), tyro.MISSING), (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(Generate, default=default, prog="pagen generate", args=list(argv), config=flags)


def run(config: Generate) -> None:
    """Make the PA set, and say what is in it and where to look."""
    made = generate(config)
    lines = [f"{kind:<9} {count:>6,} {unit}  {how}" for kind, (count, unit, how) in made["kinds"].items()]
    look = f"look at {made['gallery']} and, in a browser, at {made['page']}"
    console.result(made, config.json, "\n".join([made["footage"], *lines, look]))


def generate(config: Generate) -> dict[str, Any]:
    """Write the PA set, or go on where it was left, or find that all is done; returns a summary.

    Example:
        >>> generate(Generate("streat"))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: no data set named 'streat'; did you mean 'street'? known: avenue ...
    """
    DATASETS[config.dataset]  # a wrong name is answered before anything heavy is imported
    from pagen.generate.pa_folder import pa_folder, summary

    return summary(*pa_folder(config), config)
